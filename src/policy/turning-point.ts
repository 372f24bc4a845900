/** The values at which a tool's rules may turn: per argument, every literal that some condition compares it with. */

import type { Expression } from '../expression/compile.ts';
import { childrenOf } from '../expression/tree.ts';
import type { Node } from '../expression/tree.ts';
import { comparisonOf, pathOf } from './comparison.ts';
import type { Comparison, Scalar } from './comparison.ts';
import type { Budget } from './budget.ts';
import type { PolicyTool, RuleTable } from './policy.ts';

export interface TurningPoints {
  readonly path: Comparison['path'];
  readonly type: Comparison['type'];
  /** Each once, in the order of the file. */
  readonly literals: readonly Scalar[];
  /** Nothing else is done with the argument, so that between two literals the rules cannot turn. */
  readonly only: boolean;
  /** Budgets that are charged exactly this argument. */
  readonly charged: readonly Budget[];
}

const LITERALS_MAX = 64;
const memory = new WeakMap<RuleTable, readonly TurningPoints[]>();

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
  const { key, subject, personal } = tool;
  for (const read of [key, subject, ...personal]) if (read !== undefined) visitKey(read, otherwise);
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
    return { ...draft, literals: [...draft.literals], only: !read };
  });
}

/** A key that is an argument as it stands is one for every value; another expression may err for some. */
function visitKey(expression: Expression, otherwise: Set<string>): void {
  if (pathOf(expression.root) === undefined) otherwise.add('');
}

function keyOf(path: readonly string[]): string {
  return JSON.stringify(path).slice(0, -1);
}
