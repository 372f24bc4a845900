/**
 * What has certainly happened when a run comes to a step: dominators of its graph, by the algorithm of Cooper, Harvey
 * and Kennedy ("A Simple, Fast Dominance Algorithm", 2001), without recursion.
 */

import { edgesOf } from './graph.ts';
import type { Program } from './program.ts';

export interface Dominance {
  /** Whether `step` has left an output on every way on which a run can come to `at`. */
  hasLeft(step: string, at: string): boolean;
}

/** A step is two nodes: come to, and left with an output. */
const DONE = '✓';

export function dominanceOf(program: Program): Dominance {
  const successors = (node: string): readonly string[] => {
    if (node.endsWith(DONE)) {
      const step = program.steps.get(node.slice(0, -DONE.length));
      const done = step === undefined ? [] : edgesOf(step).filter(({ kind }) => kind === 'done');
      return done.flatMap(({ to }) => to ?? []);
    }
    const step = program.steps.get(node);
    const others = step === undefined ? [] : edgesOf(step).filter(({ kind }) => kind !== 'done');
    return [`${node}${DONE}`, ...others.flatMap(({ to }) => to ?? [])];
  };
  const order = postorder(program.start, successors);
  const rank = new Map(order.map((node, index) => [node, index]));
  const before = new Map<string, string[]>();
  for (const node of order) {
    for (const next of successors(node)) {
      const known = before.get(next);
      if (known === undefined) before.set(next, [node]);
      else known.push(node);
    }
  }
  const above = immediate(order, rank, before);
  return {
    hasLeft: (step, at) => {
      const wanted = `${step}${DONE}`;
      const least = rank.get(wanted);
      if (least === undefined) return false;
      for (let node: string | undefined = at; node !== undefined; node = next(above, node)) {
        if (node === wanted) return true;
        // Dominators have ever greater ranks.
        if ((rank.get(node) ?? -1) > least) return false;
      }
      return false;
    },
  };
}

function next(above: ReadonlyMap<string, string>, node: string): string | undefined {
  const found = above.get(node);
  return found === node ? undefined : found;
}

/** Every node that can be reached, each after all that follow it on its way. */
function postorder(start: string, successors: (node: string) => readonly string[]): readonly string[] {
  const seen = new Set([start]);
  const order: string[] = [];
  const stack: { readonly node: string; readonly rest: string[] }[] = [{ node: start, rest: [...successors(start)] }];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const following = top.rest.pop();
    if (following === undefined) {
      order.push(top.node);
      stack.pop();
    } else if (!seen.has(following)) {
      seen.add(following);
      stack.push({ node: following, rest: [...successors(following)] });
    }
  }
  return order;
}

/** By node, the nearest other one that every way to it passes; the start is its own. */
function immediate(
  order: readonly string[],
  rank: ReadonlyMap<string, number>,
  before: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<string, string> {
  const start = order.at(-1) ?? '';
  const above = new Map([[start, start]]);
  const meet = (one: string, another: string): string => {
    let [a, b] = [one, another];
    while (a !== b) {
      const [ra, rb] = [rank.get(a) ?? 0, rank.get(b) ?? 0];
      if (ra < rb) a = above.get(a) ?? start;
      else b = above.get(b) ?? start;
    }
    return a;
  };
  for (let changed = true; changed;) {
    changed = false;
    for (const node of order.toReversed()) {
      if (node === start) continue;
      const known = (before.get(node) ?? []).filter((each) => above.has(each));
      const found = known.reduce<string | undefined>(
        (met, each) => (met === undefined ? each : meet(met, each)),
        undefined,
      );
      if (found === undefined || above.get(node) === found) continue;
      above.set(node, found);
      changed = true;
    }
  }
  return above;
}
