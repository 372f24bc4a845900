/** The values at which a tool's rules may turn: per argument, every literal that some condition compares it with. */

import type { Expression } from '../../expression/compile.ts';
import { childrenOf } from '../../expression/tree.ts';
import type { Node } from '../../expression/tree.ts';
import { comparisonOf, pathOf } from '../condition/comparison.ts';
import type { Comparison, Scalar } from '../condition/comparison.ts';
import type { Budget } from '../meter/budget.ts';
import type { PolicyTool, RuleTable } from '../policy.ts';

export interface TurningPoints {
  readonly path: Comparison['path'];
  readonly type: Comparison['type'];
  /** Each once, in the order of the file. */
  readonly literals: readonly Scalar[];
  /** Of numbers, in order: each literal and its neighbours below and above. */
  readonly numbers: readonly number[];
  /** Nothing else is done with the argument, so that between two literals the rules cannot turn. */
  readonly only: boolean;
  /** Budgets that are charged exactly this argument. */
  readonly charged: readonly Budget[];
}

const LITERALS_MAX = 4_096;
const memory = new WeakMap<RuleTable, readonly TurningPoints[]>();

/** `numbers` and their neighbours, in order and each once: below a bound, at it and above it. */
export function around(numbers: readonly Scalar[], type: Comparison['type']): readonly number[] {
  const found = new Set<number>();
  for (const number of numbers) {
    if (typeof number !== 'number' || !Number.isFinite(number)) continue;
    for (const value of [number, Math.ceil(number) - 1, Math.floor(number) + 1]) {
      if (type === 'double' || Number.isSafeInteger(value)) found.add(value);
    }
  }
  return [...found].toSorted((a, b) => a - b);
}

const readers = new WeakMap<Node, (path: Comparison['path']) => boolean>();

/** Whether the condition with this root may turn when the argument at `path` changes. */
export function readsPath(root: Node, path: Comparison['path']): boolean {
  let reads = readers.get(root);
  if (reads === undefined) {
    const paths: string[] = [];
    collectPaths(root, paths);
    reads = (asked) => {
      const name = keyOf(asked);
      return paths.some((other) => name.startsWith(other) || other.startsWith(name));
    };
    readers.set(root, reads);
  }
  return reads(path);
}

function collectPaths(node: Node, paths: string[]): void {
  const path = pathOf(node);
  if (path !== undefined) paths.push(keyOf(path));
  else if (node.kind === 'variable' && node.name === 'args') paths.push('');
  else for (const child of childrenOf(node)) collectPaths(child, paths);
}

/** Of all rules of `tool`, whatever their effect, and of its costs. */
export function turningPointsOf(tool: PolicyTool): readonly TurningPoints[] {
  const known = memory.get(tool.rules);
  if (known !== undefined) return known;
  const found = collect(tool);
  memory.set(tool.rules, found);
  return found;
}

interface Draft {
  readonly path: Comparison['path'];
  readonly type: Comparison['type'];
  readonly literals: Set<Scalar>;
  readonly charged: Budget[];
}

function collect(tool: PolicyTool): readonly TurningPoints[] {
  const { allow, ask, deny } = tool.rules;
  const drafts = new Map<string, Draft>();
  const otherwise = new Set<string>();
  const draftOf = ({ path, type }: Pick<Comparison, 'path' | 'type'>): Draft => {
    const draft = drafts.get(keyOf(path)) ?? { path, type, literals: new Set(), charged: [] };
    drafts.set(keyOf(path), draft);
    return draft;
  };
  const visit = (node: Node): void => {
    const comparison = comparisonOf(node, tool.argsType);
    // Whether it is there does not change with its value.
    if (comparison?.type === 'other') return;
    if (comparison !== undefined) {
      const { literals } = draftOf(comparison);
      for (const literal of comparison.literals) if (literals.size < LITERALS_MAX) literals.add(literal);
      const whole = comparison.operator !== 'startsWith' && comparison.operator !== 'endsWith';
      if (!whole || comparison.operator === 'contains' || literals.size >= LITERALS_MAX)
        otherwise.add(keyOf(comparison.path));
      return;
    }
    const path = pathOf(node);
    if (path !== undefined) otherwise.add(keyOf(path));
    else if (node.kind === 'variable' && node.name === 'args') otherwise.add('');
    else for (const child of childrenOf(node)) visit(child);
  };
  const conditions = new Set([...allow, ...ask, ...deny].map(({ condition }) => condition));
  for (const condition of conditions) if (condition !== undefined) visit(condition.root);
  const { key, subject, personal, secrets } = tool;
  for (const read of [key, subject, ...personal, ...secrets]) if (read !== undefined) visitKey(read, otherwise);
  for (const { budget, amount } of tool.cost) {
    const path = pathOf(amount.root);
    const type = amount.type.kind;
    if (path === undefined || type !== 'int') visit(amount.root);
    else {
      const draft = draftOf({ path, type });
      draft.literals.add(0);
      draft.charged.push(budget);
    }
  }
  return [...drafts.entries()].map(([name, draft]) => {
    const read = [...otherwise].some((other) => name.startsWith(other) || other.startsWith(name));
    const literals = [...draft.literals];
    return { ...draft, literals, numbers: around(literals, draft.type), only: !read };
  });
}

/** A key that is an argument as it stands is one for every value; another expression may err for some. */
function visitKey(expression: Expression, otherwise: Set<string>): void {
  if (pathOf(expression.root) === undefined) otherwise.add('');
}

function keyOf(path: readonly string[]): string {
  return JSON.stringify(path).slice(0, -1);
}
