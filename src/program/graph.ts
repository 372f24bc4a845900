/** A program as a graph: which step can follow which, and why. Every edge that a run can take is there. */

import type { Action, Program, Step } from './program.ts';

/** `done` after which the step has left its output; the others come instead of it. */
export type EdgeKind = 'done' | 'choice' | 'error' | 'mismatch' | 'no' | 'expired';

export interface Edge {
  readonly from: string;
  /** A step; nothing where the run ends `failed`. */
  readonly to: string | undefined;
  readonly kind: EdgeKind;
  /** The condition of a choice, as it is written; `otherwise` for the last one without. */
  readonly label?: string;
}

/** The edges of a step, in the order in which they are tried. */
export function edgesOf(step: Step): readonly Edge[] {
  const from = step.id;
  switch (step.kind) {
    case 'tool':
    case 'llm':
    case 'call':
    case 'parallel': {
      const mismatch = step.kind === 'llm' && step.mismatch.otherwise !== undefined ? [step.mismatch.otherwise] : [];
      return [
        { from, to: step.next, kind: 'done' },
        ...mismatch.map((to): Edge => ({ from, to, kind: 'mismatch' })),
        { from, to: step.onError, kind: 'error' },
      ];
    }
    case 'choose': {
      const choices = step.branches.map(({ when, next }): Edge => ({
        from,
        to: next,
        kind: 'choice',
        label: when?.source ?? 'otherwise',
      }));
      return [...choices, ...(canFail(step) ? [{ from, to: step.onError, kind: 'error' } as const] : [])];
    }
    case 'ask':
      return [
        { from, to: step.yes, kind: 'done', label: 'yes' },
        { from, to: step.no, kind: 'no', label: 'no' },
        { from, to: step.expired, kind: 'expired', label: 'expired' },
      ];
    case 'wait':
      return [
        { from, to: step.next, kind: 'done', label: step.event },
        { from, to: step.expired, kind: 'expired', label: 'expired' },
      ];
    case 'end':
      return [];
  }
}

/** Whether a `choose` can find no branch, or a condition that errors. */
function canFail(step: Step & { readonly kind: 'choose' }): boolean {
  return step.branches.some(({ when }) => when !== undefined);
}

/** The actions of a step, each with the name of its branch where it is one. */
export function actionsOf(step: Step): readonly (readonly [branch: string | undefined, action: Action])[] {
  if (step.kind === 'parallel') return [...step.branches];
  return step.kind === 'tool' || step.kind === 'llm' || step.kind === 'call' ? [[undefined, step]] : [];
}

/** The steps that can be reached from `from`, itself included. */
export function reachable({ steps }: Program, from: string): ReadonlySet<string> {
  const seen = new Set([from]);
  // A set can be added to while it is walked: what is new comes at its end.
  for (const id of seen) {
    const step = steps.get(id);
    for (const { to } of step === undefined ? [] : edgesOf(step)) if (to !== undefined) seen.add(to);
  }
  return seen;
}

/** The steps from which one of `ends` can be reached, themselves included. */
export function leadingTo(program: Program, ends: Iterable<string>): ReadonlySet<string> {
  const before = beforeEach(program);
  const seen = new Set(ends);
  for (const id of seen) for (const earlier of before.get(id) ?? []) seen.add(earlier);
  return seen;
}

function beforeEach({ steps }: Program): ReadonlyMap<string, readonly string[]> {
  const before = new Map<string, string[]>();
  for (const step of steps.values()) {
    for (const { to } of edgesOf(step)) {
      if (to === undefined) continue;
      const known = before.get(to);
      if (known === undefined) before.set(to, [step.id]);
      else known.push(step.id);
    }
  }
  return before;
}

/**
 * Answers for a step which others lead to it. One question costs as much as the steps that do, and none makes a set: a
 * program may ask ten thousand. What it answered holds until it is asked again.
 */
export function leadingToEach(program: Program): (to: Step) => (from: Step) => boolean {
  const { steps } = program;
  const ids = beforeEach(program);
  const before = [...steps.keys()].map((id) => (ids.get(id) ?? []).map((earlier) => steps.get(earlier)?.index ?? 0));
  const seenAt = new Int32Array(steps.size);
  let turn = 0;
  return (to) => {
    turn += 1;
    const queue = [to.index];
    seenAt[to.index] = turn;
    for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
      for (const earlier of before[node] ?? []) {
        if (seenAt[earlier] === turn) continue;
        seenAt[earlier] = turn;
        queue.push(earlier);
      }
    }
    return ({ index }) => seenAt[index] === turn;
  };
}
