/** Moves of what a step has begun: calls, models and programs end, in any order, and branches begin as there is room. */

import type { Action, ModelAction, ParallelStep, Step } from '../program.ts';
import { type Move, arrived, atStart, doneAt, ended, failedAt, named, said, withUndo } from './onward.ts';
import { UNDO_ATTEMPTS } from '../ending.ts';
import { type At, type Stand, type Task, taskKey } from './stand.ts';
import type { Happening } from './watch.ts';

type AtTasks = Extract<At, { readonly kind: 'tasks' }>;
type Moves = (stand: Stand) => Generator<Move, void>;

/** What begins with an action. */
export function callOf(action: Action, model = 0): Happening {
  switch (action.kind) {
    case 'tool':
      return { tool: action.tool, sends: action.effect === 'read' ? action.attempts : 1 };
    case 'llm':
      return { tool: `llm.${action.models[model] ?? action.models[0]}`, sends: action.attempts };
    case 'call':
      return {};
  }
}

export function taskOf({ scene }: Stand, action: Action, branch?: string): Task {
  const inner = action.kind === 'call' ? scene.child(action.child) : undefined;
  const child = inner === undefined ? {} : { child: atStart(inner) };
  return { action, model: 0, mismatches: 0, ...(branch === undefined ? {} : { branch }), ...child };
}

/** What is said of an action that begins. */
export function sayCall(action: Action, model = 0): string {
  if (action.kind === 'call') return `runs program ${action.program}`;
  return `${action.kind === 'llm' ? 'asks' : 'calls'} ${callOf(action, model).tool ?? ''}`;
}

/** `movesOf` is for the programs that tasks are runs of. */
export function* movesOfTasks(stand: Stand, at: AtTasks, movesOf: Moves): Generator<Move, void> {
  const { step, tasks } = at;
  const beginning = step.kind === 'parallel' ? beginBranch(stand, at, step) : undefined;
  // Branches begin in the same move of the run as what makes room for them.
  if (beginning !== undefined || tasks.length === 0) {
    yield beginning ?? finished(stand, at);
    return;
  }
  const seen = new Set<string>();
  for (const task of tasks) {
    const key = taskKey(stand.scene, task);
    if (!seen.has(key)) yield* movesOfTask(stand, at, task, movesOf);
    seen.add(key);
  }
  if (!stand.isEnding && isEndFelt(stand, tasks)) {
    yield { to: { ...stand, isEnding: true }, entry: said(step.id, 'is cancelled') };
  }
}

/** Whether it makes a difference that a run ends now. */
function isEndFelt({ undos, scene: { watch } }: Stand, tasks: readonly Task[]): boolean {
  const isUndone = ({ action, child }: Task): boolean =>
    child !== undefined ||
    (action.kind === 'tool' && action.undo !== undefined && watch.concernsTool(action.undo.tool));
  return undos.length > 0 || tasks.some(isUndone);
}

function beginBranch(stand: Stand, at: AtTasks, step: ParallelStep): Move | undefined {
  const [branch, action] = [...step.branches][at.begun] ?? [];
  const isRoom = at.tasks.length < step.max && !at.isFailed && !stand.isEnding;
  if (branch === undefined || action === undefined || !isRoom) return undefined;
  const tasks = [...at.tasks, taskOf(stand, action, branch)];
  return {
    to: { ...stand, at: { ...at, tasks, begun: at.begun + 1 } },
    entry: said(`${step.id}/${branch}`, sayCall(action)),
    begins: callOf(action),
  };
}

/** All branches that began are over. */
function finished(stand: Stand, { step, isFailed }: AtTasks): Move {
  const entry = said(step.id, isFailed ? 'fails' : 'done');
  if (stand.isEnding) return { to: ended(stand), entry: said(step.id, 'ends') };
  if (isFailed || !('next' in step)) return { to: failedAt(stand, step, stand.facts), entry };
  return { to: doneAt(stand, step, step.next), entry, done: named(stand.scene, step) };
}

function* movesOfTask(stand: Stand, at: AtTasks, task: Task, movesOf: Moves): Generator<Move, void> {
  const { action, child } = task;
  if (child !== undefined) return yield* movesOfChild(stand, at, task, child, movesOf);
  yield taskDone(stand, at, task);
  if (action.kind === 'llm') yield* otherAnswers(stand, at, task, action);
  else yield taskFailed(stand, at, task);
}

function* movesOfChild(stand: Stand, at: AtTasks, task: Task, child: Stand, movesOf: Moves): Generator<Move, void> {
  if (child.at.kind === 'over') {
    yield child.at.isSuccess ? taskDone(stand, at, task) : taskFailed(stand, at, task);
    return;
  }
  for (const move of movesOf(child)) {
    const entry = said(`${nameOf(at.step, task)} > ${move.entry.step}`, move.entry.what);
    yield { ...move, entry, to: withTask(stand, at, task, { ...task, child: move.to }) };
  }
}

function nameOf({ id }: Step, { branch }: Task): string {
  return branch === undefined ? id : `${id}/${branch}`;
}

function withTask(stand: Stand, at: AtTasks, task: Task, instead: Task): Stand {
  return { ...stand, at: { ...at, tasks: at.tasks.map((each) => (each === task ? instead : each)) } };
}

function without(stand: Stand, at: AtTasks, task: Task, isFailed: boolean): Stand {
  return { ...stand, at: { ...at, tasks: at.tasks.filter((each) => each !== task), isFailed } };
}

function taskDone(before: Stand, at: AtTasks, task: Task): Move {
  const { step } = at;
  const { action, branch } = task;
  const undo = action.kind === 'tool' ? action.undo : undefined;
  const name = nameOf(step, task);
  const sends = undo?.effect === 'read' ? UNDO_ATTEMPTS : 1;
  const stand = undo === undefined ? before : withUndo(before, { step: name, tool: undo.tool, sends });
  const { tool } = callOf(action, task.model);
  const called = tool === undefined ? {} : { tool };
  const entry = said(name, 'done');
  if (branch !== undefined || !('next' in step)) {
    return { to: without(stand, at, task, at.isFailed), entry, done: called };
  }
  const done = { ...named(stand.scene, step), ...called };
  return { to: doneAt(stand, step, step.next), entry, done };
}

function taskFailed(stand: Stand, at: AtTasks, task: Task): Move {
  const to = task.branch === undefined ? failedAt(stand, at.step, stand.facts) : without(stand, at, task, true);
  return { to, entry: said(nameOf(at.step, task), 'fails') };
}

/** A model's answer is none, or there is none: it is asked again, another is, or the step goes elsewhere or fails. */
function* otherAnswers(stand: Stand, at: AtTasks, task: Task, action: ModelAction): Generator<Move, void> {
  const { step } = at;
  const { models, mismatch } = action;
  const { watch } = stand.scene;
  const counts = task.branch === undefined && stand.scene.isOwn && watch.countsStep(step.id);
  const isFollowed = !stand.isEnding && (counts || stand.scene.concerns(action));
  if (isFollowed && task.mismatches < mismatch.retry) {
    yield askedAgain(stand, at, { ...task, mismatches: task.mismatches + 1 }, task);
  }
  const isSpent = !isFollowed || task.mismatches >= mismatch.retry;
  if (isSpent && mismatch.otherwise !== undefined && task.branch === undefined && !stand.isEnding) {
    const entry = said(step.id, 'answers nothing that it may');
    yield { to: arrived(stand, mismatch.otherwise, stand.facts), entry };
  }
  const isNext = isFollowed && models[task.model + 1] !== undefined;
  if (isNext) yield askedAgain(stand, at, { ...task, model: task.model + 1, mismatches: 0 }, task);
  if (!isNext || (isSpent && (mismatch.otherwise === undefined || task.branch !== undefined))) {
    yield taskFailed(stand, at, task);
  }
}

function askedAgain(stand: Stand, at: AtTasks, task: Task, before: Task): Move {
  const { scene } = stand;
  const step = task.branch === undefined ? named(scene, at.step) : {};
  return {
    to: withTask(stand, at, before, task),
    entry: said(nameOf(at.step, task), `${sayCall(task.action, task.model)} again`),
    begins: { ...step, ...callOf(task.action, task.model), isAgain: true },
  };
}
