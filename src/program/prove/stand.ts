/** Where a run may stand, as a proof sees it: what comes next, what is on its way, and what would be undone. */

import type { Action, AskStep, ParallelStep, Program, Step, WaitStep } from '../program.ts';
import type { Facts } from './formula.ts';
import type { Knowledge } from './knowledge.ts';
import type { Watch } from './watch.ts';

/** A program in a proof. */
export interface Scene {
  readonly program: Program;
  readonly knowledge: Knowledge;
  readonly watch: Watch;
  /** Whether it is the program whose property is proved: only its steps have names in properties. */
  readonly isOwn: boolean;
  /** Whether it makes a difference that the action begins or ends. */
  concerns(action: Action): boolean;
  /** The scene of a program that it calls; nothing where no call in it makes a difference. */
  child(program: Program): Scene | undefined;
}

/** An action that has begun and not ended. */
export interface Task {
  readonly branch?: string;
  readonly action: Action;
  /** Which of the models is asked, and how many of its answers were none. */
  readonly model: number;
  readonly mismatches: number;
  /** Where the run of a program that is called stands. */
  readonly child?: Stand;
}

/** What undoes a call that was done. */
export interface Undo {
  readonly step: string;
  readonly tool: string;
  readonly sends: number;
}

export type At =
  /** `isChosen`: a choice led here, in the same move of the run. */
  | { readonly kind: 'step'; readonly step: Step; readonly isChosen: boolean }
  /** `begun`: how many branches have; `isFailed`: one did, and no other begins. */
  | {
      readonly kind: 'tasks';
      readonly step: Step;
      readonly tasks: readonly Task[];
      readonly begun: number;
      readonly isFailed: boolean;
    }
  /** Branches of which none makes a difference: how they go on is one thing. */
  | { readonly kind: 'aside'; readonly step: ParallelStep }
  | { readonly kind: 'patient'; readonly step: AskStep | WaitStep }
  | { readonly kind: 'undoing' }
  | { readonly kind: 'over'; readonly isSuccess: boolean };

export interface Stand {
  readonly scene: Scene;
  readonly at: At;
  readonly facts: Facts;
  /** What would be undone, the next one first; of calls that make no difference nothing is kept. */
  readonly undos: readonly Undo[];
  /** Its end is decided, and it is no success. */
  readonly isEnding: boolean;
}

/** Two stands with one key differ in nothing that makes a difference. */
export function keyOf({ scene, at, facts, undos, isEnding }: Stand): string {
  const undone = undos.map(({ tool, sends }) => `${tool}*${sends}`).join(' ');
  return `${placeOf(scene, at)}|${isEnding ? '-' : ''}${undone}|${scene.knowledge.keyOf(facts)}`;
}

function placeOf(scene: Scene, at: At): string {
  switch (at.kind) {
    case 'step':
      return `${at.step.id}${at.isChosen ? '?' : ''}`;
    case 'tasks': {
      const tasks = at.tasks.map((task) => `(${taskKey(scene, task)})`).toSorted();
      return `${at.step.id}:${at.begun}${at.isFailed ? '!' : ''}${tasks.join('')}`;
    }
    case 'aside':
    case 'patient':
      return `${at.step.id}:`;
    case 'undoing':
      return '<';
    case 'over':
      return at.isSuccess ? '+' : '-';
  }
}

/** Branches that do the same, as far as it makes a difference, are the same. */
export function taskKey(scene: Scene, { branch, action, model, mismatches, child }: Task): string {
  if (child !== undefined) return `${branch ?? ''}(${keyOf(child)})`;
  if (action.kind === 'llm') return `${scene.concerns(action) ? (branch ?? '') : ''}${model}.${mismatches}`;
  if (action.kind !== 'tool') return '';
  const { tool, undo } = action;
  const undone = undo !== undefined && scene.watch.concernsTool(undo.tool) ? undo.tool : '';
  return `${scene.watch.concernsTool(tool) ? tool : ''} ${undone}`;
}
