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
  const spans = spansOf(immediate(order, rank, before));
  return {
    hasLeft: (step, at) => {
      const [above, below] = [spans.get(`${step}${DONE}`), spans.get(at)];
      return above !== undefined && below !== undefined && above.from <= below.from && below.to <= above.to;
    },
  };
}

/** Where a node begins and ends in a walk through the tree: it is above those that lie within. */
interface Span {
  readonly from: number;
  to: number;
}

function spansOf(above: ReadonlyMap<string, string>): ReadonlyMap<string, Span> {
  const below = new Map<string, string[]>();
  let start = '';
  for (const [node, parent] of above) {
    if (node === parent) start = node;
    else if (below.get(parent)?.push(node) === undefined) below.set(parent, [node]);
  }
  const spans = new Map<string, Span>();
  const stack: { readonly node: string; readonly rest: string[] }[] = [];
  let clock = 0;
  const enter = (node: string): void => {
    spans.set(node, { from: clock, to: clock });
    clock += 1;
    stack.push({ node, rest: below.get(node) ?? [] });
  };
  enter(start);
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const child = top.rest.pop();
    const span = spans.get(top.node);
    if (child !== undefined) enter(child);
    else {
      stack.pop();
      if (span !== undefined) span.to = clock;
      clock += 1;
    }
  }
  return spans;
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
