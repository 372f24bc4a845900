/** How a run ends: what it began is awaited, what it did is undone when it failed, and then nothing moves it any more. */

import type { Ending, Undoable } from './state.ts';
import { type Walk, request, settle } from './walk.ts';

/** How often the call that undoes another is attempted. */
export const UNDO_ATTEMPTS = 3;
const UNDO_TIMEOUT_MS = 60_000;

/** Decides the end. The first that is decided stands. */
export function finish(walk: Walk, ending: Ending): void {
  if (walk.state.ending === undefined) walk.state.ending = ending;
  goOn(walk);
}

/** The next thing that a run does whose end is decided: nothing while something is on its way, then undo, then end. */
export function goOn(walk: Walk): void {
  const { state } = walk;
  const { ending } = state;
  if (ending === undefined || state.pending.size > 0) return;
  if (ending.status !== 'success') {
    while (state.done !== undefined) {
      const { done } = state;
      state.done = done.before;
      if (done.args !== undefined) return undo(walk, done, done.args);
      state.notUndone = [...state.notUndone, nameOf(done)];
    }
  }
  state.status = ending.status;
}

function undo(walk: Walk, done: Undoable, args: NonNullable<Undoable['args']>): void {
  const id = `undo/${nameOf(done)}`;
  const command = {
    kind: 'call',
    id,
    tool: done.tool,
    args,
    attempts: UNDO_ATTEMPTS,
    timeoutMs: UNDO_TIMEOUT_MS,
  } as const;
  request(walk, { command, mismatches: 0, model: 0, isHeld: false, isUnsettled: false });
}

/** The answer to an undo: each is tried once, and what did not succeed is told. */
export function undone(walk: Walk, id: string, isDone: boolean): void {
  settle(walk, id);
  const { state } = walk;
  if (!isDone) state.notUndone = [...state.notUndone, id.slice('undo/'.length)];
  goOn(walk);
}

export function isUndo(id: string): boolean {
  return id.startsWith('undo/');
}

function nameOf({ step, visit, branch }: Undoable): string {
  return branch === undefined ? `${step}/${visit}` : `${step}/${visit}/${branch}`;
}
