/** Runs of programs moved again, from the entries alone: each move compared with what its program gives, each call with what it asked for. */

import type { Entry } from '../ledger/entry.ts';
import { isRunType } from '../ledger/run.ts';
import type { Vault } from '../ledger/vault.ts';
import type { Policy } from '../policy/compile.ts';
import { type Capability, capabilityOf } from '../policy/decide/capability.ts';
import type { CommandId } from '../program/event.ts';
import { begin, transition } from '../program/transition.ts';
import { type Linked, toolsOf } from '../runtime/catalog.ts';
import { runIdOf } from '../runtime/child.ts';
import {
  type RecordedEvent,
  type Standing,
  type Started,
  capabilityFrom,
  readEvent,
  readStanding,
  readStarted,
} from '../runtime/entry.ts';
import { frozenDigests, linkStarted } from '../runtime/frozen.ts';
import { firstSnapshot, nextSnapshot } from '../runtime/snapshot.ts';
import { checkArguments } from '../schema/schema.ts';
import { canonicalText } from '../value/canonical.ts';
import { isJsonObject } from '../value/json.ts';
import type { Past } from './decide-again.ts';
import {
  type Asked,
  type FollowedRun,
  type MoveProblem,
  askedAfter,
  moveProblem,
  pathProblem,
  wrong,
} from './followed-run.ts';
import { type DeepCode, isSame, member, textOf, told } from './problem.ts';
import { type OpenedEntry, isDecision } from './recorded-call.ts';
import { type Brought, type RunCall, broughtEvent } from './run-event.ts';
import { decisionProblem } from './run-decision.ts';

/** What an entry of a run, or of one of its calls, comes to. */
export interface Looked {
  readonly problem?: MoveProblem;
  /** Why a move was taken as recorded, in whole or in part. */
  readonly attested?: string;
  /** The run as it stands then. */
  readonly run?: FollowedRun;
}

/** Ended runs of which a question may still be asked that nobody waits for any more; of more only the last. */
const LEFT_MAX = 1_000;
const BROKEN_MAX = 1_000;
const NOTHING: Looked = {};
const NO_SNAPSHOT = 'its snapshot needs the key of the vault';

/** Takes the entries of a log in order, those that fit what came before them. What has ended is not kept. */
export class Runs {
  readonly #open = new Map<string, FollowedRun>();
  /** What runs that ended had asked for, and nobody took up. */
  readonly #left = new Map<string, FollowedRun>();
  /** Runs of which something was told: what follows from that is not told again. */
  readonly #broken = new Set<string>();
  readonly #calls = new Map<string, RunCall>();
  readonly #vault: Pick<Vault, 'keyHmac'> | undefined;
  readonly #isFollowed: (run: string) => boolean;

  /** Without a vault snapshots are taken as recorded. Only runs that `isFollowed` are looked at. */
  constructor(vault: Pick<Vault, 'keyHmac'> | undefined, isFollowed: (run: string) => boolean = () => true) {
    this.#vault = vault;
    this.#isFollowed = isFollowed;
  }

  /** The next entry; `past` is what all up to it come to, `opened` what it commits to. */
  look(entry: Entry, opened: OpenedEntry, past: Past): Looked {
    const { type } = entry;
    if (isRunType(type)) {
      const id = textOf(member(entry['run'], 'id'));
      if (this.#broken.has(id) || !this.#isFollowed(id)) return NOTHING;
      const looked =
        type === 'program.started' ? this.#start(entry, opened, past) : this.#move(id, entry, opened, past);
      if (looked.problem !== undefined) this.break(id);
      return looked;
    }
    if (!type.startsWith('call.')) return NOTHING;
    const problem = isDecision(entry) ? this.#decided(entry, opened) : undefined;
    this.#note(entry, opened);
    return problem === undefined ? NOTHING : { problem };
  }

  /** How much is kept: of runs that are under way. */
  get size(): { readonly runs: number; readonly calls: number } {
    return { runs: this.#open.size, calls: this.#calls.size };
  }

  /** From now on nothing is told of the run. */
  break(id: string): void {
    this.#forget(id);
    if (this.#broken.size < BROKEN_MAX) this.#broken.add(id);
  }

  #start(entry: Entry, opened: OpenedEntry, past: Past): Looked {
    const started = readStarted(entry);
    const standing = readStanding(entry);
    if (started === undefined || standing === undefined) {
      return unfounded('expected what the first entry of a run says of it');
    }
    const policy = policyOf(started, past);
    if (policy === undefined) return unfounded(`the log does not hold the policy ${told(started.policy)}`);
    const linked = linkedOf(started, policy, past);
    if (typeof linked === 'string') return unfounded(linked);
    const parent = this.#open.get(started.parent?.run ?? '');
    const capability = capabilityOfRun(started, parent, policy, linked);
    const base = { started, linked, policy, capability, standing, children: new Map() };
    const problem = startProblem(base) ?? this.#calledProblem(started, opened, parent);
    if (problem !== undefined) return { problem };
    parent?.children.set(started.id, undefined);
    const { args: input } = opened;
    if (input === undefined) {
      return this.#keep({ ...base, asked: new Map() }, entry, opened, 'its input is gone, or was secret');
    }
    const [misfit] = checkArguments({ inputSchema: linked.program.input }, input);
    if (!isJsonObject(input) || misfit !== undefined)
      return { problem: wrong('expected an input that fits its schema') };
    const moved = begin(linked.program, input);
    const snapshot = this.#vault && firstSnapshot(this.#vault, started, input, moved.commands);
    const wrongMove = moveProblem(entry, { moved, before: [], snapshot, output: opened.output });
    if (wrongMove !== undefined) return { problem: wrongMove };
    const asked = askedAfter(new Map(), { commands: moved.commands, answered: undefined, seq: 0 });
    return this.#keep(
      { ...base, state: moved.state, asked },
      entry,
      opened,
      snapshot === undefined ? NO_SNAPSHOT : undefined,
    );
  }

  /** A run that is called is one that its caller asked for, under the id that it must have. */
  #calledProblem(
    { id, program, depth, parent }: Started,
    { args }: OpenedEntry,
    caller: FollowedRun | undefined,
  ): MoveProblem | undefined {
    if (parent === undefined) return depth === 0 ? undefined : wrong('expected a run at depth 0');
    if (!this.#isFollowed(parent.run) || this.#broken.has(parent.run)) return undefined;
    if (caller === undefined) return wrong(`expected the run ${told(parent.run)} to be under way`);
    const { command } = caller.asked.get(parent.command) ?? {};
    if (id !== runIdOf(parent.run, parent.command) || depth !== caller.started.depth + 1) {
      return wrong('expected the id and the depth that its caller gives');
    }
    if (caller.state === undefined) return undefined;
    if (command?.kind !== 'child') return wrong(`expected a command that calls a program, got ${told(parent.command)}`);
    if (caller.linked.children.get(command.program)?.digest !== program)
      return wrong(`expected a run of ${told(command.program)}`);
    return args === undefined || isSame(command.input, args)
      ? undefined
      : wrong('expected the input that its caller gives');
  }

  #move(id: string, entry: Entry, opened: OpenedEntry, past: Past): Looked {
    const run = this.#open.get(id);
    const recorded = readEvent(entry);
    const standing = readStanding(entry);
    if (run === undefined) return unfounded(`expected the run ${told(id)} to have been started`);
    if (recorded === undefined || standing === undefined)
      return { problem: wrong('expected an event and where the run stands') };
    if (member(entry['run'], 'program') !== run.started.program) {
      return { problem: wrong(`expected an entry of program ${told(run.started.program)}`) };
    }
    const runCall = (call: string): RunCall | undefined => this.#calls.get(call);
    const brought = broughtEvent(run, recorded, { entry, opened, runCall, row: past.call });
    if (brought.kind === 'wrong') return { problem: { code: 'run-event', message: brought.message } };
    const { state } = run;
    const after = { ...run, standing };
    if (state === undefined || brought.kind === 'gone') {
      const problem = pathProblem(run.linked.program, run.standing.step, standing.steps);
      if (problem !== undefined) return { problem };
      const { state: _state, ...rest } = after;
      const asked = askedAfter(run.asked, { commands: [], answered: answeredBy(recorded), seq: standing.seq });
      this.#drop(run.asked, asked);
      const why = brought.kind === 'gone' ? brought.why : 'what led to it is gone';
      return this.#keep({ ...rest, asked }, entry, opened, why);
    }
    return this.#moveBy({ ...after, state }, run.standing, recorded, brought, entry, opened);
  }

  #moveBy(
    run: FollowedRun & { readonly state: NonNullable<FollowedRun['state']> },
    before: Standing,
    recorded: RecordedEvent,
    { event }: Brought & { readonly kind: 'event' },
    entry: Entry,
    opened: OpenedEntry,
  ): Looked {
    const moved = transition(run.linked.program, run.state, event);
    if (moved.state === run.state)
      return { problem: wrong(`expected an event that the run waits for, got ${told(event.kind)}`) };
    const snapshot = this.#vault && nextSnapshot(this.#vault, before.snapshot, event, moved.commands);
    const problem = moveProblem(entry, { moved, before: before.waits, recorded, snapshot, output: opened.output });
    if (problem !== undefined) return { problem };
    const { commands, state } = moved;
    const answered = 'command' in event && !state.pending.has(event.command) ? event.command : undefined;
    const asked = askedAfter(run.asked, { commands, answered, seq: run.standing.seq });
    this.#drop(run.asked, asked);
    return this.#keep({ ...run, state, asked }, entry, opened, snapshot === undefined ? NO_SNAPSHOT : undefined);
  }

  /** The run as it stands after an entry; one that is over is let go of. */
  #keep(run: FollowedRun, entry: Entry, opened: OpenedEntry, attested: string | undefined): Looked {
    const { started, standing, asked } = run;
    this.#open.set(started.id, run);
    if (entry.type === 'program.ended' || !(standing.status === 'running' || standing.status === 'suspended')) {
      const parent = this.#open.get(started.parent?.run ?? '');
      parent?.children.set(started.id, { status: standing.status, output: opened.output });
      this.#forget(started.id);
      if (asked.size > 0) this.#left.set(started.id, run);
      const [oldest] = this.#left.keys();
      if (this.#left.size > LEFT_MAX && oldest !== undefined) this.#left.delete(oldest);
    }
    return { run, ...(attested === undefined ? {} : { attested }) };
  }

  #forget(id: string): void {
    const run = this.#open.get(id);
    if (run === undefined) return;
    this.#open.delete(id);
    this.#drop(run.asked, new Map());
  }

  /** Calls of what is answered are not needed any more. */
  #drop(before: ReadonlyMap<CommandId, Asked>, after: ReadonlyMap<CommandId, Asked>): void {
    for (const [command, { calls }] of before) {
      if (!after.has(command)) for (const call of calls) this.#calls.delete(call);
    }
  }

  #decided(entry: Entry, { args }: OpenedEntry): MoveProblem | undefined {
    const { run: of, call } = entry;
    const [id, command] = [textOf(member(of, 'id')), textOf(member(of, 'command'))];
    if (typeof call !== 'string' || member(of, 'program') === undefined) return undefined;
    if (this.#broken.has(id) || !this.#isFollowed(id)) return undefined;
    const run = this.#open.get(id) ?? this.#left.get(id);
    if (run === undefined) return callProblem(`expected the run ${told(id)} to be under way`);
    const known = run.asked.get(command);
    const key = this.#vault?.keyHmac('run', id, command);
    const problem = decisionProblem(run, known, { entry, call, command, args, key });
    if (problem !== undefined) return callProblem(problem);
    // What such a run asks for can only be told by what was decided for it.
    const asked = known ?? { seq: 0, calls: new Set<string>() };
    if (known === undefined && this.#open.has(id)) {
      this.#open.set(id, { ...run, asked: new Map([...run.asked, [command, asked]]) });
    }
    asked.calls.add(call);
    if (entry.type !== 'call.denied') asked.held = call;
    const tool = textOf(member(entry['tool'], 'name'));
    // Nothing moves a run that is over.
    if (!this.#calls.has(call) && this.#open.has(id)) this.#calls.set(call, { tool, states: new Set() });
    return undefined;
  }

  #note({ type, call: id, as }: Entry, { output }: OpenedEntry): void {
    const call = this.#calls.get(textOf(id));
    const state = type === 'call.settled' ? SETTLED[textOf(as)] : STATES[type];
    if (call === undefined || state === undefined) return;
    const states = new Set([...call.states, state]);
    this.#calls.set(textOf(id), { ...call, states, ...(output === undefined ? {} : { output }) });
  }
}

type State = RunCall['states'] extends ReadonlySet<infer S> ? S : never;

const STATES: Readonly<Record<string, State>> = {
  'call.denied': 'denied',
  'call.parked': 'parked',
  'call.refused': 'refused',
  'call.expired': 'expired',
  'call.intent': 'intent',
  'call.not-started': 'not-started',
  'call.succeeded': 'succeeded',
  'call.failed': 'failed',
  'call.unknown': 'unknown',
};
const SETTLED: Readonly<Record<string, State>> = {
  executed: 'settled-executed',
  'not-executed': 'settled-not-executed',
};

function policyOf({ policy: digest, catalog, tools }: Started, { policies }: Past): Policy | undefined {
  // Definitions of tools may come with the run itself.
  return tools.reduce((_made, tool) => policies.policy(digest, catalog, tool), policies.policy(digest, catalog, ''));
}

/** Programs never change under a digest, so that runs of one program under one policy link it once. */
const memory = new WeakMap<Policy, Map<string, Linked>>();

/** The programs that are frozen into a run, from their texts; or why there are none. */
function linkedOf(started: Started, policy: Policy, { policies }: Past): Linked | string {
  for (const digest of [...frozenDigests(started), started.capability]) {
    if (policies.content(digest) === undefined) return `the log does not hold the content ${told(digest)}`;
  }
  const known = memory.get(policy) ?? new Map<string, Linked>();
  memory.set(policy, known);
  const key = JSON.stringify([started.program, started.principal, [...started.programs]]);
  const before = known.get(key);
  if (before !== undefined) return before;
  const linked = linkStarted(policy, started, (digest) => canonicalText(policies.content(digest) ?? {}));
  if (linked.ok) known.set(key, linked.value);
  if (linked.ok) return linked.value;
  const fault = linked.issues.find(({ severity }) => severity === 'error');
  return `under its policy program ${told(started.name)} is none: ${fault?.message ?? ''}`;
}

/** A run that is called may do what its caller may, as that says it. */
function capabilityOfRun(
  started: Started,
  caller: FollowedRun | undefined,
  policy: Policy,
  linked: Linked,
): Capability {
  if (started.parent !== undefined) return caller?.capability ?? capabilityFrom(started);
  return capabilityOf(policy, toolsOf(linked));
}

/** What a run says of itself must be what its program and its policy say. */
function startProblem({
  started,
  linked: { program, children },
  capability,
}: Pick<FollowedRun, 'started' | 'linked' | 'capability'>): MoveProblem | undefined {
  const { name, version, digest } = program;
  if (name !== started.name || version !== started.version || digest !== started.program) {
    return wrong(`expected program ${told(name)} of version ${version}`);
  }
  const called = Object.fromEntries([...children].map(([one, { digest: of }]) => [one, of]));
  if (started.parent === undefined && !isSame(called, Object.fromEntries(started.programs))) {
    return wrong('expected the programs that it may call');
  }
  if (capability.digest === started.capability && isSame(capability.tools, started.tools)) return undefined;
  return wrong(`expected what the run may do to be ${told(capability.digest)}, got ${told(started.capability)}`);
}

/** The command that an event is the last word of, whatever the run. */
function answeredBy({ event }: RecordedEvent): CommandId | undefined {
  if (event.kind === 'cancel' || event.kind === 'waits') return undefined;
  return event.kind === 'call' && event.end === 'unknown' ? undefined : event.command;
}

function unfounded(message: string): Looked {
  return { problem: { code: 'run-unfounded', message } };
}

function callProblem(message: string): MoveProblem {
  return { code: 'run-call' satisfies DeepCode, message };
}
