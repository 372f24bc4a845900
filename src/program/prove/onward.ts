/** Where a run stands after a move: at the next step, at its end, or with something more to undo. */

import type { Step } from '../program.ts';
import type { Facts } from './formula.ts';
import type { PathEntry } from './path.ts';
import type { Scene, Stand, Undo } from './stand.ts';
import type { Happening } from './watch.ts';

export interface Move {
  readonly to: Stand;
  readonly entry: PathEntry;
  readonly begins?: Happening;
  /** After what begins. */
  readonly done?: Happening;
}

/** That `step` does `what`, or that this comes of it. */
export function said(step: string, what: string): PathEntry {
  return { step, what, isStep: false };
}

/** That a run comes to `step`, one of its own. */
export function come(step: string, what: string): PathEntry {
  return { step, what, isStep: true };
}

/** A run of the program of `scene` before its first step. */
export function atStart(scene: Scene): Stand {
  const { start } = scene.program;
  const empty: Stand = { scene, at: { kind: 'undoing' }, facts: new Map(), undos: [], isEnding: false };
  return arrived(empty, start, scene.knowledge.initial);
}

export function arrived(stand: Stand, id: string, facts: Facts, isChosen = false): Stand {
  const { scene } = stand;
  const step = scene.program.steps.get(id);
  // The program was checked: every step that is named is there.
  if (step === undefined) throw new Error(`program ${scene.program.name} has no step ${id}`);
  return { ...stand, at: { kind: 'step', step, isChosen }, facts: scene.knowledge.relevantAt(facts, id) };
}

/** The run ends, and not in success: what it did is undone first. */
export function ended(stand: Stand): Stand {
  const at = stand.undos.length > 0 ? ({ kind: 'undoing' } as const) : ({ kind: 'over', isSuccess: false } as const);
  return { ...stand, at, isEnding: true };
}

export function failedAt(stand: Stand, step: Step, facts: Facts, isChosen = false): Stand {
  const onError = 'onError' in step ? step.onError : undefined;
  return stand.isEnding || onError === undefined
    ? ended({ ...stand, facts })
    : arrived(stand, onError, facts, isChosen);
}

/** The step has left its output, at an `ask` with this answer; `next` follows. */
export function doneAt(stand: Stand, step: Step, next: string, answer?: string): Stand {
  const facts = stand.scene.knowledge.afterDone(stand.facts, step, answer);
  return stand.isEnding ? ended({ ...stand, facts }) : arrived(stand, next, facts);
}

/** What undoes a call is kept where it makes a difference: each tool twice, or as far as calls are counted. */
export function withUndo(stand: Stand, undo: Undo): Stand {
  const { watch } = stand.scene;
  if (!watch.concernsTool(undo.tool)) return stand;
  const undos: Undo[] = [];
  let sends = 0;
  for (const each of [undo, ...stand.undos]) {
    const isMore =
      watch.countMax > 0 ? sends <= watch.countMax : undos.filter(({ tool }) => tool === each.tool).length < 2;
    if (isMore) undos.push(each);
    sends += each.sends;
  }
  return { ...stand, undos };
}

/** By its name in properties, where it has one. */
export function named({ isOwn }: Scene, { id }: Step): Happening {
  return isOwn ? { step: id } : {};
}
