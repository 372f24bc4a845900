/** A move in the making: a state that is changed in place, and what is to be done, until both are handed out. */

import type { Bindings } from '../expression/compile.ts';
import { toCel } from '../expression/value.ts';
import type { JsonObject, JsonValue } from '../value/json.ts';
import type { Command, CommandId } from './event.ts';
import type { Program, Step } from './program.ts';
import type { Pending, RunState, Spent } from './state.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export interface Walk {
  readonly program: Program;
  readonly state: Mutable<RunState>;
  readonly commands: Command[];
  /** The steps that were entered, in order. */
  readonly entered: string[];
}

export function openWalk(program: Program, state: RunState): Walk {
  return { program, state: { ...state }, commands: [], entered: [] };
}

/** One move of a run. */
export interface Moved {
  readonly state: RunState;
  /** To be performed once the event is durable; each once. */
  readonly commands: readonly Command[];
  /** The steps that were entered, in order. */
  readonly entered: readonly string[];
}

/** The state with its status as what it waits for makes it, and what came of the move. */
export function closeWalk({ state, commands, entered }: Walk): Moved {
  if (state.status === 'running' || state.status === 'suspended') {
    const waits = [...state.pending.values()];
    const isIdle = waits.length > 0 && waits.every((one) => one.isUnsettled || one.isHeld || isPatient(one.command));
    state.status = isIdle ? 'suspended' : 'running';
  }
  return { state: Object.freeze(state), commands, entered };
}

/** Whether only a person, an event or time answers it. */
export function isPatient({ kind }: Command): boolean {
  return kind === 'ask' || kind === 'wait';
}

export function stepOf({ program, state }: Walk): Step {
  const step = program.steps.get(state.step);
  // The program was checked: every step that is named is there.
  if (step === undefined) throw new Error(`program ${program.name} has no step ${state.step}`);
  return step;
}

/** What the expressions of `step` see. Pure. */
export function bindingsOf({ program, state }: Walk, { reads }: Pick<Step, 'reads'>): Bindings {
  const steps: Record<string, JsonObject> = {};
  for (const id of reads) {
    const index = program.steps.get(id)?.index;
    const output = index === undefined ? undefined : state.outputs.get(index);
    if (output !== undefined) steps[id] = { output };
  }
  return { input: toCel(state.input, program.types.input), steps: toCel(steps, program.types.steps) };
}

/** Keeps what `step` left. */
export function keep({ state }: Walk, { index }: Step, output: JsonValue): void {
  state.outputs = state.outputs.with(index, output);
}

export function spend({ state }: Walk, more: Partial<Spent>): void {
  const { spent } = state;
  state.spent = {
    steps: spent.steps + (more.steps ?? 0),
    attempts: spent.attempts + (more.attempts ?? 0),
    tokens: spent.tokens + (more.tokens ?? 0),
    microUsd: spent.microUsd + (more.microUsd ?? 0),
    activeMs: spent.activeMs + (more.activeMs ?? 0),
  };
}

/** Which of its limits the run has used up; nothing while there is room for another step. */
export function exhausted({ program: { limits }, state: { spent } }: Walk): string | undefined {
  if (spent.steps >= limits.steps) return `it has made ${spent.steps} steps of ${limits.steps}`;
  if (spent.tokens >= limits.tokens) return `it has used ${spent.tokens} tokens of ${limits.tokens}`;
  if (spent.microUsd >= limits.microUsd) return `it has cost what it may cost`;
  if (spent.activeMs >= limits.timeMs) return `it has run for ${spent.activeMs} ms of ${limits.timeMs}`;
  return undefined;
}

export function request(walk: Walk, pending: Pending): void {
  walk.commands.push(pending.command);
  replacePending(walk, pending);
}

export function settle(walk: Walk, id: CommandId): void {
  const pending = new Map(walk.state.pending);
  pending.delete(id);
  walk.state.pending = pending;
}

export function replacePending(walk: Walk, pending: Pending): void {
  walk.state.pending = new Map(walk.state.pending).set(pending.command.id, pending);
}
