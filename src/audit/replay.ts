/** A recorded session or call once more, without the world: every decision made again, every outcome taken from the log. */

import type { Entry } from '../ledger/entry.ts';
import type { Configuration } from '../policy/document/configuration.ts';
import type { JsonObject, JsonValue } from '../value/json.ts';
import { type Again, decideAgain } from './decide-again.ts';
import { decideUnder, isDecidable } from './decide-under.ts';
import { member, textOf } from './problem.ts';
import { type Decided, type Ended, type Recording, recordedCalls } from './recording.ts';

/** What was said of a call. */
export interface Said {
  readonly effect: string;
  readonly code: string;
  readonly rules: readonly string[];
}

/** What a step that is allowed gets in the place of an answer: an outcome of the log, or nothing, which is an error. */
export type Injected =
  | { readonly kind: 'outcome'; readonly entry: number; readonly state: Ended['state']; readonly output?: JsonValue }
  | { readonly kind: 'miss'; readonly why: string };

/** One decision of the session and what came of it. */
export interface Step {
  /** From 1. */
  readonly step: number;
  readonly entry: number;
  readonly at: string;
  readonly call: string;
  readonly tool: string;
  readonly args: JsonObject;
  readonly recorded: Said;
  readonly decided: Said;
  /** How the decision is not the recorded one. */
  readonly differs?: string;
  /** It was taken as recorded, because something that it was made from is not in the log. */
  readonly attested?: string;
  /** Absent when the call is not allowed now. */
  readonly injected?: Injected;
}

export interface ReplayOptions {
  /** The id of a session, a run or a call. */
  readonly of: string;
  /** Decide under this one instead of the recorded ones. */
  readonly under?: Configuration;
  /** The last step. */
  readonly until?: number;
}

/**
 * The steps of what `of` names, in the order of the log. Nothing is sent, started or written: where the log has no
 * outcome for a call that is allowed now, the step says so.
 */
export function replay(recording: Recording, { of, under, until = Number.POSITIVE_INFINITY }: ReplayOptions): Step[] {
  const steps: (Step & { readonly attempt: string })[] = [];
  const ended = new Map<string, Ended | undefined>();
  const calls = new Set<string>();
  const isWanted = (entry: Entry): boolean => {
    const call = textOf(entry['call']);
    if (call === of || textOf(member(entry['run'], 'id')) === of) calls.add(call);
    return calls.has(call);
  };
  for (const item of recordedCalls(recording, isWanted)) {
    if (item.kind === 'ended') {
      // A settlement comes after `unknown` and takes its place.
      if (ended.has(item.attempt)) ended.set(item.attempt, item);
    } else if (item.kind === 'decided' && steps.length < until && isOf(item, of)) {
      const attempt = textOf(item.recorded.entry['attempt']);
      if (attempt !== '') ended.set(attempt, undefined);
      steps.push({ ...stepOf(item, steps.length + 1, under), attempt });
    }
  }
  return steps.map(({ attempt, ...step }) =>
    step.decided.effect === 'allow' ? { ...step, injected: injected(attempt, ended) } : step,
  );
}

function isOf({ recorded: { request } }: Decided, of: string): boolean {
  return request.run.id === of || request.call.id === of;
}

function stepOf(decided: Decided, step: number, under: Configuration | undefined): Step {
  const { request, position, entry, effect, code, rules } = decided.recorded;
  const recorded = { effect, code, rules };
  const about = {
    step,
    entry: position,
    at: entry.at,
    call: request.call.id,
    tool: request.tool,
    args: request.args,
    recorded,
  };
  if (under === undefined) return { ...about, ...repeated(decided, recorded) };
  if (!isDecidable(decided)) return { ...about, decided: recorded, attested: 'no policy decided it' };
  const now = decideUnder(decided, under);
  const said: Said =
    now === undefined
      ? { effect: 'deny', code: 'policy-invalid', rules: [] }
      : { effect: now.effect, code: now.code, rules: now.rules };
  return {
    ...about,
    decided: said,
    ...(isAlike(recorded, said) ? {} : { differs: now?.explanation ?? 'it does not load' }),
  };
}

/** The decision under the recorded policy; one that cannot be made again is taken as it is recorded. */
function repeated(decided: Decided, recorded: Said): Pick<Step, 'decided' | 'differs' | 'attested'> {
  const again: Again = decideAgain(decided.recorded, decided.past, decided.hasArgs);
  if (again.kind === 'attested') return { decided: recorded, attested: again.why };
  if (again.kind === 'same') return { decided: recorded };
  return { decided: recorded, differs: `${again.message} [${again.code}]` };
}

/** Whether both say the same of a call. */
function isAlike(one: Said, other: Said): boolean {
  const rules = one.rules.length === other.rules.length && one.rules.every((rule, at) => rule === other.rules[at]);
  return one.effect === other.effect && one.code === other.code && rules;
}

/** What the log has of a step's own attempt: a call that is repeated gets its own outcome, not that of an equal one. */
function injected(attempt: string, ended: ReadonlyMap<string, Ended | undefined>): Injected {
  if (!ended.has(attempt)) return { kind: 'miss', why: 'the log has no outcome for it: it was not allowed then' };
  const last = ended.get(attempt);
  if (last === undefined) return { kind: 'miss', why: 'its outcome was never recorded' };
  if (last.output === 'gone') return { kind: 'miss', why: 'its outcome was erased' };
  const outcome = { kind: 'outcome', entry: last.position, state: last.state } as const;
  return last.output === undefined ? outcome : { ...outcome, output: last.output.value };
}

/** Why a step is not what it was: the decision is another, or there is no outcome to go on with. */
export function wrongOf({ differs, injected }: Step): string | undefined {
  if (differs !== undefined) return differs;
  return injected?.kind === 'miss' ? injected.why : undefined;
}

/** The text of a result as its content says it, for people. */
export function textIn(output: JsonValue): string | undefined {
  const content = member(output, 'content');
  const parts: readonly JsonValue[] = Array.isArray(content) ? content : [];
  const texts = parts.map((part) => textOf(member(part, 'text')));
  return texts.length === 0 ? undefined : texts.join('\n');
}
