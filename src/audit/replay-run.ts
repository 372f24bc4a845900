/** A recorded run once more, without the world: every move and every decision made again, every outcome taken from the log. */

import { runOf } from '../authority/asked.ts';
import { type Entry, parseEntry } from '../ledger/entry.ts';
import { isRunType, ownerIn } from '../ledger/run.ts';
import type { Configuration } from '../policy/document/configuration.ts';
import type { RunEvent } from '../program/event.ts';
import type { RunState } from '../program/state.ts';
import { transition } from '../program/transition.ts';
import { eventFields, readEvent, readStanding, readStarted } from '../runtime/entry.ts';
import type { JsonObject, JsonValue } from '../value/json.ts';
import type { FollowedRun } from './followed-run.ts';
import { History } from './history.ts';
import { member, textOf } from './problem.ts';
import { type OpenedEntry, openedArguments, openedOutput } from './recorded-call.ts';
import type { Recording } from './recording.ts';
import { type Said, type Step, replay } from './replay.ts';
import { Runs } from './runs.ts';

/** One entry of the run. */
export interface RunMove {
  readonly entry: number;
  readonly at: string;
  /** What moved it, without what that brought; absent of its start. */
  readonly event?: JsonObject;
  readonly status: string;
  /** The steps that it entered. */
  readonly steps: readonly string[];
  /** How the move is not what the program gives. */
  readonly differs?: string;
  /** It was taken as recorded, because something that it was made from is gone. */
  readonly attested?: string;
}

/** Where a run stood. */
export interface ShownState {
  readonly entry: number;
  readonly step: string;
  readonly status: string;
  /** From here on absent where they are gone: what the run was given, and what its steps had left. */
  readonly input?: JsonObject;
  readonly outputs?: Readonly<Record<string, JsonValue>>;
  /** What had no answer. */
  readonly pending?: readonly JsonObject[];
  readonly spent?: JsonObject;
}

/** The first call that another policy decides otherwise, and where the run would have gone then. */
export interface Divergence {
  readonly entry: number;
  readonly command: string;
  readonly tool: string;
  readonly recorded: Said;
  readonly decided: Said;
  /** Absent where that cannot be told: the state is gone, or a call that was denied is allowed and has no outcome. */
  readonly instead?: { readonly status: string; readonly steps: readonly string[] };
}

export interface RunReplay {
  readonly program: string;
  readonly status: string;
  readonly moves: readonly RunMove[];
  /** The decisions of its calls, as of a session. */
  readonly steps: readonly Step[];
  readonly first?: Divergence;
  /** With `until`. */
  readonly state?: ShownState;
}

export interface RunReplayOptions {
  readonly of: string;
  /** Decide under this one instead of the recorded ones. */
  readonly under?: Configuration;
  /** Stop where this step is entered for the first time. */
  readonly until?: string;
}

/** Nothing when the log has no run `of`. Reads the log twice. Nothing is sent, started or written. */
export function replayRun(recording: () => Recording, { of, under, until }: RunReplayOptions): RunReplay | undefined {
  const all = replay(recording(), { of, ...(under === undefined ? {} : { under }) });
  const differing =
    under === undefined ? undefined : all.find(({ recorded, decided }) => recorded.effect !== decided.effect);
  const moves: RunMove[] = [];
  let program: string | undefined;
  let first: Divergence | undefined;
  let state: ShownState | undefined;
  for (const { entry, position, run, looked } of runEntries(recording(), of)) {
    if (differing?.entry === position) first = divergence(differing, entry, run.before);
    if (!isRunType(entry.type)) continue;
    program ??= readStarted(entry)?.name;
    moves.push(moveOf(entry, position, looked));
    if (until === undefined || !(readStanding(entry)?.steps.includes(until) ?? false)) continue;
    state = shownState(entry, position, run.after);
    break;
  }
  const last = moves.at(-1);
  if (program === undefined || last === undefined) return undefined;
  const steps = state === undefined ? all : all.filter(({ entry }) => entry <= last.entry);
  return {
    program,
    status: last.status,
    moves,
    steps,
    ...(first === undefined ? {} : { first }),
    ...(state === undefined ? {} : { state }),
  };
}

interface RunEntry {
  readonly entry: Entry;
  readonly position: number;
  readonly run: { readonly before: FollowedRun | undefined; readonly after: FollowedRun | undefined };
  readonly looked: { readonly problem?: string; readonly attested?: string };
}

/** The entries of the run, each with how it stands before and after; the runs that it calls are moved beside it. */
function* runEntries(recording: Recording, of: string): Generator<RunEntry, void> {
  const history = new History(recording.salt);
  const followed = new Set([of]);
  const runs = new Runs(recording.vault?.(), (id) => followed.has(id));
  let before: FollowedRun | undefined;
  let isBroken = false;
  for (const { position, leaf } of recording.entries) {
    const parsed = parseEntry(leaf);
    if (!parsed.ok) continue;
    const entry = parsed.value;
    const parent = readStarted(entry)?.parent;
    const run = runOf(entry);
    if (parent !== undefined && followed.has(parent.run)) followed.add(run);
    const isOurs = followed.has(run) || typeof entry['call'] === 'string';
    const opened = isOurs ? openedEntry(recording, entry, position) : {};
    const misfit = history.add(entry, position);
    const looked = misfit === undefined ? runs.look(entry, opened, history.past()) : { problem: misfit };
    const after = looked.run ?? before;
    if (run === of) {
      const wasBroken = isBroken;
      isBroken ||= looked.problem !== undefined;
      yield { entry, position, run: { before, after }, looked: told(looked, wasBroken) };
      before = after;
    }
  }
}

function told(
  {
    problem,
    attested,
  }: { readonly problem?: { readonly message: string; readonly code: string }; readonly attested?: string },
  wasBroken: boolean,
): RunEntry['looked'] {
  if (problem !== undefined) return { problem: `${problem.message} [${problem.code}]` };
  if (wasBroken) return { attested: 'a move before it does not follow' };
  return attested === undefined ? {} : { attested };
}

function openedEntry(recording: Recording, entry: Entry, position: number): OpenedEntry {
  const owner = ownerIn(entry);
  const open = (role: string, commitment: string): JsonValue | undefined =>
    owner === undefined ? undefined : recording.open(owner, role, position, commitment);
  return { args: openedArguments(entry, open), output: openedOutput(entry, open) };
}

function moveOf(entry: Entry, position: number, { problem, attested }: RunEntry['looked']): RunMove {
  const standing = readStanding(entry);
  const recorded = readEvent(entry);
  return {
    entry: position,
    at: entry.at,
    ...(recorded === undefined ? {} : { event: eventFields(recorded) }),
    status: standing?.status ?? '',
    steps: standing?.steps ?? [],
    ...(problem === undefined ? {} : { differs: problem }),
    ...(attested === undefined ? {} : { attested }),
  };
}

function shownState(entry: Entry, position: number, run: FollowedRun | undefined): ShownState {
  const { step = '', status = '' } = readStanding(entry) ?? {};
  const base = { entry: position, step, status };
  const state = run?.state;
  if (run === undefined || state === undefined) return base;
  return {
    ...base,
    input: state.input,
    outputs: outputsOf(run, state),
    pending: [...state.pending.values()].map(({ command, isHeld, isUnsettled }) => ({
      ...command,
      ...(isHeld ? { waits: true } : {}),
      ...(isUnsettled ? { unsettled: true } : {}),
    })),
    spent: { ...state.spent },
  };
}

function outputsOf({ linked }: FollowedRun, { outputs }: RunState): Readonly<Record<string, JsonValue>> {
  const ids = [...linked.program.steps.keys()];
  return Object.fromEntries([...outputs.entries()].map(([index, output]) => [ids[index] ?? '', output]));
}

function divergence(step: Step, { run }: Entry, before: FollowedRun | undefined): Divergence {
  const command = textOf(member(run, 'command'));
  const { entry, tool, recorded, decided } = step;
  const instead = insteadOf(step, command, before);
  return { entry, command, tool, recorded, decided, ...(instead === undefined ? {} : { instead }) };
}

/** Where the run would have gone, as far as no outcome of the world is needed for it. */
function insteadOf({ decided }: Step, command: string, before: FollowedRun | undefined): Divergence['instead'] {
  const pending = before?.state?.pending.get(command)?.command;
  if (before?.state === undefined || pending === undefined || decided.effect === 'allow') return undefined;
  const denied: RunEvent =
    pending.kind === 'ask'
      ? { kind: 'answer', command, answer: 'no' }
      : { kind: 'call', command, end: 'denied', message: decided.code };
  const event: RunEvent = decided.effect === 'ask' ? { kind: 'waits', command } : denied;
  const { state, entered } = transition(before.linked.program, before.state, event);
  return { status: state.status, steps: entered };
}
