/** A run as its entries have moved it, and whether the next one says what its program gives. */

import type { Entry } from '../ledger/entry.ts';
import type { Policy } from '../policy/compile.ts';
import type { Capability } from '../policy/decide/capability.ts';
import type { Command, CommandId } from '../program/event.ts';
import { edgesOf } from '../program/graph.ts';
import type { Program } from '../program/program.ts';
import type { RunState } from '../program/state.ts';
import { type Moved, isOver } from '../program/transition.ts';
import type { Linked } from '../runtime/catalog.ts';
import {
  type RecordedEvent,
  type Standing,
  type Started,
  type Wait,
  endedFields,
  readStanding,
  standingFields,
} from '../runtime/entry.ts';
import { waitsAfter } from '../runtime/waits.ts';
import type { JsonValue } from '../value/json.ts';
import { parseInstant } from '../value/time.ts';
import { type DeepCode, difference, isSame, member, told } from './problem.ts';
import type { OpenedOutput } from './recorded-call.ts';

/** What a run has asked for, and the calls that were decided for it. */
export interface Asked {
  /** Absent in a run that cannot be followed any more. */
  readonly command?: Command;
  /** The move that asked. */
  readonly seq: number;
  /** Those that were denied included. */
  readonly calls: Set<string>;
  /** The one that was not denied. */
  held?: string;
}

/** How a run that another one called ended. */
export interface ChildEnd {
  readonly status: string;
  /** Absent where it has none. */
  readonly output?: OpenedOutput | undefined;
}

export interface FollowedRun {
  readonly started: Started;
  readonly linked: Linked;
  /** That it started under. */
  readonly policy: Policy;
  readonly capability: Capability;
  /** Absent from where something that it depends on is gone: later entries are taken as recorded. */
  readonly state?: RunState;
  readonly standing: Standing;
  /** What is not answered yet. */
  readonly asked: ReadonlyMap<CommandId, Asked>;
  /** By their ids, the runs that it called, while they are awaited. */
  readonly children: Map<string, ChildEnd | undefined>;
}

export interface MoveProblem {
  readonly code: DeepCode;
  readonly message: string;
}

const ENDED = ['because', 'failure', 'notUndone', 'spent'];

/** How `entry` is not what `moved` gives; `before` are the waits before it. `output` is what it opens to. */
export function moveProblem(
  entry: Entry,
  {
    moved,
    before,
    recorded,
    snapshot,
    output,
  }: {
    readonly moved: Moved;
    readonly before: readonly Wait[];
    readonly recorded?: RecordedEvent;
    readonly snapshot: string | undefined;
    readonly output: OpenedOutput | undefined;
  },
): MoveProblem | undefined {
  const standing = readStanding(entry);
  if (standing === undefined) return wrong('expected an entry that says where the run stands');
  const { state, entered } = moved;
  const isEnd = isOver(state);
  const type = isEnd ? 'program.ended' : 'program.moved';
  if (entry.type !== 'program.started' && entry.type !== type)
    return wrong(`expected \`${type}\`, got \`${entry.type}\``);
  const expected = {
    ...standingFields({
      ...standing,
      status: state.status,
      step: state.step,
      steps: entered,
      waits: expectedWaits(entry, { state, before, recorded, standing }),
      snapshot: snapshot ?? standing.snapshot,
    }),
    ...(isEnd ? endedFields(state, undefined) : {}),
  };
  const names = [...Object.keys(expected), ...ENDED];
  const differing = difference(expected, Object.fromEntries(names.flatMap((name) => memberIn(entry, name))));
  if (differing !== undefined) {
    const code = differing === 'snapshot' ? 'run-snapshot' : 'run-move';
    const [should, is] = [member(expected, differing), member(entry, differing)];
    return { code, message: `expected \`${differing}\` of the move to be ${told(should)}, got ${told(is)}` };
  }
  return outputProblem(state, output);
}

/** Of a move that cannot be made again: whether one step leads to the next. `from` is the step that the run was at. */
export function pathProblem({ steps }: Program, from: string, entered: readonly string[]): MoveProblem | undefined {
  let at = from;
  for (const to of entered) {
    const step = steps.get(at);
    const leads = step !== undefined && edgesOf(step).some((edge) => edge.to === to);
    if (!leads) return wrong(`expected a step that ${told(at)} leads to, got ${told(to)}`);
    at = to;
  }
  return undefined;
}

function memberIn(entry: Entry, name: string): readonly (readonly [string, JsonValue])[] {
  const value = member(entry, name);
  return value === undefined ? [] : [[name, value]];
}

/** The end of a new wait is what the clock of that moment gave; it cannot be later than the entry's own time gives. */
function expectedWaits(
  entry: Entry,
  {
    state,
    before,
    recorded,
    standing,
  }: {
    readonly state: RunState;
    readonly before: readonly Wait[];
    readonly recorded: RecordedEvent | undefined;
    readonly standing: Standing;
  },
): readonly Wait[] {
  const known = new Map(before.map((wait) => [wait.command, wait]));
  const said = new Map(standing.waits.map((wait) => [wait.command, wait]));
  const waits = waitsAfter(known, state, recorded, parseInstant(entry.at) ?? 0);
  return [...waits.values()].map((wait) => {
    const { expires } = said.get(wait.command) ?? {};
    const isKept = known.get(wait.command) === wait;
    const isEarlier = wait.expires !== undefined && expires !== undefined && expires < wait.expires;
    return isEarlier && !isKept ? { ...wait, expires } : wait;
  });
}

function outputProblem({ ending }: RunState, output: OpenedOutput | undefined): MoveProblem | undefined {
  if (output === 'gone' || output?.redacted === true || isSame(ending?.output, output?.value)) return undefined;
  return wrong('expected the output that the end of the program gives, got another');
}

export function wrong(message: string): MoveProblem {
  return { code: 'run-move', message };
}

/** What the run waits for an answer to, once `commands` were asked for and `answered` has its answer. */
export function askedAfter(
  asked: ReadonlyMap<CommandId, Asked>,
  {
    commands,
    answered,
    seq,
  }: {
    readonly commands: readonly Command[];
    readonly answered: CommandId | undefined;
    readonly seq: number;
  },
): ReadonlyMap<CommandId, Asked> {
  const after = new Map(asked);
  if (answered !== undefined) after.delete(answered);
  for (const command of commands) {
    if (command.kind !== 'abandon') after.set(command.id, { command, seq, calls: new Set() });
  }
  return after;
}
