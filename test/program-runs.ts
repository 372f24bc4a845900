/** Runs of a case of the corpus, moved by `transition` alone: what a runtime does around it, without one. */

import assert from 'node:assert/strict';
import type { Policy } from '../src/policy/compile.ts';
import type { Command, CommandId, RunEvent } from '../src/program/event.ts';
import type { Program } from '../src/program/program.ts';
import type { RunState } from '../src/program/state.ts';
import { type Moved, begin, isOver, transition } from '../src/program/transition.ts';
import { checkValue } from '../src/schema/schema.ts';
import type { JsonObject } from '../src/value/json.ts';
import type { ProgramCase } from './program-corpus.ts';
import type { Calling, Script } from './program-script.ts';

/** What a run went through: enough to go through it again. */
export interface History {
  readonly program: Program;
  readonly input: JsonObject;
  readonly events: readonly RunEvent[];
}

export interface Run {
  readonly program: Program;
  readonly input: JsonObject;
  readonly parent?: { readonly run: Run; readonly command: CommandId };
  state: RunState;
  readonly events: RunEvent[];
  readonly path: string[];
  readonly undone: string[];
  /** Ids of the events that moved it. */
  readonly taken: Set<string>;
  /** By command, when people or events come too late. */
  readonly deadlines: Map<CommandId, number>;
  /** Calls that wait for an approval. */
  readonly parked: Map<CommandId, Calling>;
}

/** An answer on its way. */
interface Coming {
  readonly at: number;
  readonly run: Run;
  readonly event: RunEvent;
  readonly spoil: () => void;
}

export interface Driving {
  readonly each: ProgramCase;
  readonly policy: Policy;
  readonly script: Script;
  readonly children: ReadonlyMap<string, Program>;
  /** By the command that began it; the one of the case under ''. */
  readonly runs: Map<CommandId, Run>;
  readonly coming: Coming[];
  readonly replays: boolean;
  now: number;
  /** When an event last moved a run. */
  last: number;
}

/** Who answers what is asked. */
const ANSWERS = 'ann';

export function start(
  driving: Driving,
  command: CommandId,
  program: Program,
  input: JsonObject,
  parent?: Run['parent'],
): Run {
  const moved = begin(program, input);
  const run: Run = {
    program,
    input,
    ...(parent === undefined ? {} : { parent }),
    state: moved.state,
    events: [],
    path: [],
    undone: [],
    taken: new Set(),
    deadlines: new Map(),
    parked: new Map(),
  };
  driving.runs.set(command, run);
  follow(driving, run, moved);
  return run;
}

/** Answers that are on their way arrive, the earliest first, until there is none or `isEnough`. */
export function settle(driving: Driving, isEnough: () => boolean, until: number = Number.POSITIVE_INFINITY): void {
  while (!isEnough()) {
    const times = driving.coming.map(({ at }) => at);
    const at = Math.min(...times);
    if (times.length === 0 || at > until) return;
    const [next] = driving.coming.splice(times.indexOf(at), 1);
    if (next === undefined) return;
    driving.now = Math.max(driving.now, at);
    deliver(driving, next.run, next.event);
    next.spoil();
  }
}

/** Whether it moved the run. */
export function deliver(driving: Driving, run: Run, event: RunEvent): boolean {
  // A call that was approved takes its time while its run still counts as suspended.
  const isHeld = event.kind === 'call' && run.state.pending.get(event.command)?.isHeld === true;
  const activeMs = isHeld || run.state.status === 'running' ? driving.now - driving.last : 0;
  const timed: RunEvent = event.kind === 'call' ? { ...event, activeMs } : event;
  if (driving.replays) run.state = again(run);
  // What comes is a copy: whoever gave it may change it afterwards.
  const recorded = structuredClone(timed);
  const moved = transition(run.program, run.state, recorded);
  if (moved.state === run.state) return false;
  driving.last = driving.now;
  run.events.push(recorded);
  if (event.kind === 'call' || event.kind === 'settled') {
    const isDone = event.kind === 'call' ? event.end === 'succeeded' : event.as === 'executed';
    if (isDone && event.command.startsWith('undo/')) run.undone.push(event.command.slice('undo/'.length));
  }
  run.state = moved.state;
  follow(driving, run, moved);
  return true;
}

/** The state as its events give it, which must be the one that was kept. */
export function again(run: Run): RunState {
  let moved = begin(run.program, structuredClone(run.input));
  for (const event of run.events) moved = transition(run.program, moved.state, structuredClone(event));
  assert.deepEqual(plain(moved.state), plain(run.state), 'a state is what its events give');
  return moved.state;
}

function plain({ outputs, visited, ...state }: RunState): unknown {
  return JSON.parse(
    JSON.stringify({
      ...state,
      pending: [...state.pending],
      outputs: [...outputs.entries()],
      visits: [...visited.entries()].map(([at, { times }]) => [at, times]),
    }),
  );
}

/** Does what a move asks for, and tells whoever called the run how it is now. */
function follow(driving: Driving, run: Run, { commands, entered, state }: Moved): void {
  run.path.push(...entered);
  for (const command of commands) perform(driving, run, command);
  const { parent } = run;
  if (parent === undefined) return;
  const { status, ending } = state;
  const output = ending?.output === undefined ? {} : { output: ending.output };
  if (isOver(state)) come(driving, parent.run, { kind: 'child', command: parent.command, status, ...output });
  else if (status === 'suspended') come(driving, parent.run, { kind: 'waits', command: parent.command });
}

export function come(
  driving: Driving,
  run: Run,
  event: RunEvent,
  at: number = driving.now,
  spoil = (): void => undefined,
): void {
  driving.coming.push({ at, run, event, spoil });
}

function perform(driving: Driving, run: Run, command: Command): void {
  const { id } = command;
  switch (command.kind) {
    case 'call':
    case 'model':
    case 'ask':
      return ask(driving, run, command);
    case 'wait':
      run.deadlines.set(id, driving.now + command.timeoutMs);
      return;
    case 'child': {
      const program = driving.children.get(command.program);
      assert.ok(program !== undefined);
      if (checkValue(program.input, command.input).length > 0)
        come(driving, run, { kind: 'child', command: id, status: 'failed' });
      else start(driving, id, program, command.input, { run, command: id });
      return;
    }
    case 'abandon': {
      const child = driving.runs.get(id);
      if (child !== undefined) deliver(driving, child, { kind: 'cancel' });
      if (run.parked.delete(id)) come(driving, run, { kind: 'call', command: id, end: 'denied', message: 'withdrawn' });
      run.deadlines.delete(id);
      return;
    }
  }
}

/** A call is decided; one that is asked about waits for the answer. */
export function ask(driving: Driving, run: Run, command: Calling, isApproved = false): void {
  const { id } = command;
  const approved = isApproved ? [{ by: ANSWERS, how: 'unsigned' as const, expires: driving.now + 1 }] : undefined;
  const told = driving.script.tell(command, driving.now, approved);
  if (told.kind === 'asked') {
    run.deadlines.set(id, driving.now + told.expiresMs);
    if (command.kind === 'ask') return;
    run.parked.set(id, command);
    return come(driving, run, { kind: 'waits', command: id });
  }
  const { event, takesMs, spoil } = told;
  if (command.kind !== 'ask') return come(driving, run, event, driving.now + takesMs, spoil);
  come(driving, run, { kind: 'answer', command: id, answer: 'no' });
}
