/** The whole semantics of programs: where a run stands and what happened give where it stands then, and what is to be done. */

import type { JsonObject } from '../value/json.ts';
import type { RunEvent } from './event.ts';
import type { Program } from './program.ts';
import { emptySlots } from './slots.ts';
import type { Pending, RunState } from './state.ts';
import { go } from './enter.ts';
import { answered, arrived, cancel, childEnded, ended, settled } from './outcome.ts';
import { type Moved, type Walk, closeWalk, openWalk, replacePending } from './walk.ts';

export type { Moved } from './walk.ts';

/** A run of `program`, whose schema `input` fits, at its first step. */
export function begin(program: Program, input: JsonObject): Moved {
  const walk = openWalk(program, {
    status: 'running',
    step: program.start,
    visit: 0,
    input,
    outputs: emptySlots(program.steps.size),
    visited: emptySlots(program.steps.size),
    spent: { steps: 0, attempts: 0, tokens: 0, microUsd: 0, activeMs: 0 },
    era: 0,
    pending: new Map(),
    done: undefined,
    notUndone: [],
  });
  go(walk, program.start);
  return closeWalk(walk);
}

/** Whether nothing moves the run any more. */
export function isOver({ status }: RunState): boolean {
  return status !== 'running' && status !== 'suspended';
}

/**
 * Pure and total. What the run does not wait for moves nothing: a run that is over stays as it is, and an answer to a
 * command that is not open, because it came twice or late, changes nothing.
 */
export function transition(program: Program, state: RunState, event: RunEvent): Moved {
  if (isOver(state)) return { state, commands: [], entered: [] };
  const walk = openWalk(program, state);
  if (event.kind === 'cancel') {
    if (state.ending !== undefined) return { state, commands: [], entered: [] };
    cancel(walk);
    return closeWalk(walk);
  }
  const pending = state.pending.get(event.command);
  if (pending === undefined || !isAwaited(pending, event)) return { state, commands: [], entered: [] };
  answer(walk, pending, event);
  return closeWalk(walk);
}

/** Whether `event` is an answer to what is asked. */
function isAwaited({ command, isHeld, isUnsettled }: Pending, event: Exclude<RunEvent, { kind: 'cancel' }>): boolean {
  switch (event.kind) {
    case 'call':
      return (command.kind === 'call' || command.kind === 'model') && !isUnsettled;
    case 'waits':
      return command.kind !== 'wait' && command.kind !== 'abandon' && !isHeld && !isUnsettled;
    case 'settled':
      return isUnsettled;
    case 'child':
      return command.kind === 'child';
    case 'answer':
      return command.kind === 'ask';
    case 'event':
    case 'expired':
      return command.kind === 'wait';
  }
}

function answer(walk: Walk, pending: Pending, event: Exclude<RunEvent, { kind: 'cancel' }>): void {
  switch (event.kind) {
    case 'call':
      return ended(walk, pending, event);
    case 'waits':
      return replacePending(walk, { ...pending, isHeld: true });
    case 'settled':
      return settled(walk, pending, event);
    case 'child':
      return childEnded(walk, pending, event);
    case 'answer':
      return answered(walk, pending, event.answer);
    case 'event':
      return arrived(walk, pending, event.payload);
    case 'expired':
      return arrived(walk, pending);
  }
}
