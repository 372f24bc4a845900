/**
 * Every move that a run can make: what `transition` does on each answer, with the answers and the truth of conditions
 * left open. Two things are left out because others break whatever they break: arguments that have no value (a call
 * that fails has also begun) and an undo that succeeds. Limits end a run as a cancellation does, and are told of only
 * after a choice, where none can come.
 */

import type { ChooseStep, EndStep, ParallelStep, Step } from '../program.ts';
import { expressionsOf } from '../template.ts';
import { ERROR, type Facts, NO, YES, assume } from './formula.ts';
import { type Move, arrived, come, doneAt, ended, failedAt, named, said } from './onward.ts';
import type { At, Stand } from './stand.ts';
import { callOf, movesOfTasks, sayCall, taskOf } from './tasks.ts';

export function* movesOf(stand: Stand): Generator<Move, void> {
  const { at } = stand;
  switch (at.kind) {
    case 'step':
      yield* movesInto(stand, at.step);
      if (at.isChosen && stand.undos.length > 0) {
        yield {
          to: ended(stand),
          entry: said(at.step.id, 'is not come to: a limit ends the run'),
        };
      }
      return;
    case 'tasks':
      return yield* movesOfTasks(stand, at, movesOf);
    case 'aside':
      return yield* movesAside(stand, at.step);
    case 'patient':
      return yield* movesOfPatient(stand, at);
    case 'undoing': {
      const [undo, ...undos] = stand.undos;
      if (undo === undefined) return;
      const entry = said(`undo ${undo.step}`, `calls ${undo.tool}`);
      yield { to: ended({ ...stand, undos }), entry, begins: { tool: undo.tool, sends: undo.sends } };
      return;
    }
    case 'over':
  }
}

/** A run comes to `step`. */
function* movesInto(stand: Stand, step: Step): Generator<Move, void> {
  const begins = named(stand.scene, step);
  const into = (at: At, what: string): Move => ({
    to: { ...stand, at },
    entry: come(step.id, what),
    begins,
  });
  switch (step.kind) {
    case 'choose':
      return yield* movesOfChoice(stand, step);
    case 'tool':
    case 'llm':
    case 'call': {
      const at: At = { kind: 'tasks', step, tasks: [taskOf(stand, step)], begun: 0, isFailed: false };
      yield { ...into(at, sayCall(step)), begins: { ...begins, ...callOf(step) } };
      return;
    }
    case 'parallel': {
      const isFelt = [...step.branches.values()].some((action) => stand.scene.concerns(action));
      const at: At = isFelt ? { kind: 'tasks', step, tasks: [], begun: 0, isFailed: false } : { kind: 'aside', step };
      yield into(at, 'begins');
      return;
    }
    case 'ask':
      yield into({ kind: 'patient', step }, `asks ${step.approvers}`);
      return;
    case 'wait':
      yield into({ kind: 'patient', step }, `waits for ${step.event}`);
      return;
    case 'end':
      yield* movesOfEnd(stand, step);
  }
}

function* movesOfChoice(stand: Stand, step: ChooseStep): Generator<Move, void> {
  const own = named(stand.scene, step);
  const taken = (what: string, to: Stand): Move => ({
    to,
    entry: come(step.id, what),
    begins: own,
    done: own,
  });
  let open: readonly Facts[] = [stand.facts];
  const errors: Facts[] = [];
  for (const { when, next } of step.branches) {
    if (when === undefined) {
      for (const facts of open) yield taken('otherwise', arrived(stand, next, facts, true));
      open = [];
      break;
    }
    const { formula, mayExhaust } = stand.scene.knowledge.judge(when);
    for (const facts of open.flatMap((each) => assume(formula, YES, each))) {
      yield taken(when.source, arrived(stand, next, facts, true));
    }
    errors.push(...(mayExhaust ? open : open.flatMap((each) => assume(formula, ERROR, each))));
    open = open.flatMap((each) => assume(formula, NO, each));
  }
  for (const facts of [...errors, ...open]) {
    const entry = come(step.id, 'fails: a condition errors, or none is true');
    yield { to: failedAt(stand, step, facts, true), entry, begins: own };
  }
}

function* movesAside(stand: Stand, step: ParallelStep): Generator<Move, void> {
  yield { to: doneAt(stand, step, step.next), entry: said(step.id, 'done'), done: named(stand.scene, step) };
  yield { to: failedAt(stand, step, stand.facts), entry: said(step.id, 'fails') };
  if (stand.undos.length > 0) yield { to: ended(stand), entry: said(step.id, 'is cancelled') };
}

function* movesOfPatient(stand: Stand, { step }: Extract<At, { readonly kind: 'patient' }>): Generator<Move, void> {
  const moved = (what: string, to: Stand): Move => ({ to, entry: said(step.id, what) });
  const done = named(stand.scene, step);
  if (step.kind === 'ask') {
    for (const answer of ['yes', 'no', 'expired'] as const) {
      const move = moved(answer, doneAt(stand, step, step[answer], answer));
      yield answer === 'yes' ? { ...move, done } : move;
    }
  } else {
    yield { ...moved(`${step.event} comes`, doneAt(stand, step, step.next)), done };
    yield moved('expired', arrived(stand, step.expired, stand.facts));
  }
  if (stand.undos.length > 0) yield moved('is cancelled', ended(stand));
}

function* movesOfEnd(stand: Stand, step: EndStep): Generator<Move, void> {
  const isSuccess = step.status === 'success';
  const begins = { ...named(stand.scene, step), ...(isSuccess && stand.scene.isOwn ? { isSuccess } : {}) };
  const entry = come(step.id, `ends ${step.status}`);
  const over: Stand = { ...stand, at: { kind: 'over', isSuccess: true } };
  yield { to: isSuccess ? over : ended(stand), entry, begins };
  const mayFail = step.output !== undefined && !expressionsOf(step.output).next().done;
  if (!isSuccess || !mayFail) return;
  yield { to: ended(stand), entry: { ...entry, what: 'fails: its output has no value' }, begins };
}
