/**
 * What the entries `program.*` do to the tables: where each run of a program stands in the log. All else of a run is read
 * from its entries, each of which names the one before. Only counters move. Pure.
 */

import type { JsonObject, JsonValue } from '../value/json.ts';
import { isJsonObject } from '../value/json.ts';
import type { EntryType } from './entry.ts';

interface Of {
  readonly type: EntryType;
  readonly run: string;
  /** None: it moves no call. */
  readonly call?: never;
}

export type RunStep =
  | (Of & { readonly kind: 'run-started'; readonly isEnd: boolean })
  | (Of & {
      readonly kind: 'run-moved';
      /** The number of the move: 0 for the start. */
      readonly seq: number;
      /** The position of the run's entry before. */
      readonly after: number;
      readonly isEnd: boolean;
      /** The HMAC under which an event from outside is known again. */
      readonly key?: string;
    });

/** Before the runs that there are; the position, plus one, of the last entry of each. */
export const RUN_FOLDER = 'run/';
/** Before those of them that are not over; the same. */
export const OPEN_RUN_FOLDER = 'run-open/';

/** Moves of the run so far; none stands for 0. */
export function runSeqKey(run: string): string {
  return `run-seq/${run}`;
}

/** The position, plus one, of the entry that took the event with this key. */
export function runEventKey(key: string): string {
  return `run-event/${key}`;
}

/** The facts that a move of the run has to be composed from; `key` is that of an event from outside. */
export function runFacts(run: string, key?: string): readonly string[] {
  const event = key === undefined ? [] : [runEventKey(key)];
  return [RUN_FOLDER + run, OPEN_RUN_FOLDER + run, runSeqKey(run), ...event];
}

/** The counters that `step` looks at or moves. */
export function runKeys(step: RunStep): readonly string[] {
  return runFacts(step.run, step.kind === 'run-moved' ? step.key : undefined);
}

type FoldedRun =
  | { readonly ok: true; readonly keys: readonly never[]; readonly counters: readonly (readonly [string, number])[] }
  | { readonly ok: false; readonly code: 'illegal'; readonly message: string };

/** A run starts once. Each move follows the last one, so that of two that were made at once only one is recorded. */
export function foldRun(
  step: RunStep,
  { position }: { readonly position: number },
  { counter }: { readonly counter: (key: string) => number },
): FoldedRun {
  const { run, type } = step;
  const last = counter(RUN_FOLDER + run);
  const here: readonly (readonly [string, number])[] = [
    [RUN_FOLDER + run, position + 1],
    [OPEN_RUN_FOLDER + run, position + 1],
  ];
  if (step.kind === 'run-started') {
    if (last === 0) return { ok: true, keys: [], counters: step.isEnd ? closed(here) : here };
    return illegal(`run \`${run}\` was started before, so \`${type}\` does not fit`);
  }
  if (counter(OPEN_RUN_FOLDER + run) === 0) {
    return illegal(`run \`${run}\` ${last === 0 ? 'never started' : 'is over'}, so \`${type}\` does not fit`);
  }
  if (step.after !== last - 1) return illegal(`run \`${run}\` was moved meanwhile, so \`${type}\` does not fit`);
  if (step.seq !== counter(runSeqKey(run)) + 1) return illegal(`\`${type}\` is not the next move of run \`${run}\``);
  const taken = step.key === undefined ? [] : [runEventKey(step.key)];
  if (taken.some((key) => counter(key) !== 0)) return illegal(`run \`${run}\` has taken this event before`);
  const events = taken.map((key) => [key, position + 1] as const);
  return {
    ok: true,
    keys: [],
    counters: [...(step.isEnd ? closed(here) : here), [runSeqKey(run), step.seq], ...events],
  };
}

function closed(counters: readonly (readonly [string, number])[]): readonly (readonly [string, number])[] {
  return counters.map(([key, value]) => [key, key.startsWith(OPEN_RUN_FOLDER) ? 0 : value] as const);
}

type ReadRun = { readonly ok: true; readonly step?: RunStep } | { readonly ok: false; readonly message: string };

export function isRunStep(step: { readonly kind: string }): step is RunStep {
  return step.kind === 'run-started' || step.kind === 'run-moved';
}

/** Whether entries of this type move a run. */
export function isRunType(type: EntryType): boolean {
  return type === 'program.started' || type === 'program.moved' || type === 'program.ended';
}

/** The step of an entry of such a type. */
export function readRun(type: EntryType, { run, status, after, key }: JsonObject): ReadRun {
  if (!isJsonObject(run)) return missing('run');
  const { id, seq } = run;
  if (typeof id !== 'string' || id === '') return missing('run.id');
  if (!isCount(seq)) return missing('run.seq');
  if (type === 'program.started') {
    // A program may end before anything is to be done.
    const isEnd = status !== 'running' && status !== 'suspended';
    return seq === 0 ? { ok: true, step: { kind: 'run-started', type, run: id, isEnd } } : missing('run.seq');
  }
  if (!isCount(after)) return missing('after');
  if (key !== undefined && (typeof key !== 'string' || key === '')) return missing('key');
  const known = key === undefined ? {} : { key };
  return {
    ok: true,
    step: { kind: 'run-moved', type, run: id, seq, after, isEnd: type === 'program.ended', ...known },
  };
}

function isCount(value: JsonValue | undefined): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function illegal(message: string): FoldedRun {
  return { ok: false, code: 'illegal', message };
}

function missing(field: string): ReadRun {
  return { ok: false, message: `the entry lacks a usable \`${field}\`` };
}

/** The call, or the run of a program, whose sealed values an entry commits to. */
export function ownerIn({ type, call, run }: JsonObject): string | undefined {
  if (typeof call === 'string') return call;
  const id = typeof type === 'string' && type.startsWith('program.') && isJsonObject(run) ? run['id'] : undefined;
  return typeof id === 'string' ? id : undefined;
}
