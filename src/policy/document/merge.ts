/** All that `tools:` says of one tool: matching patterns merged, the more specific last. */

import type { Issue, Place } from '../../value/issue.ts';
import type { Charge } from '../meter/cost.ts';
import type { Declared, ToolDeclaration } from './declaration.ts';
import { compareSpecificity } from '../tool/pattern.ts';

/** What is merged, and the contradictions found. With a contradiction the tool must not be used. */
export interface Merged {
  readonly declared: Declared;
  readonly issues: readonly Issue[];
}

/**
 * Merges the declarations that match `name`, given in file order. A more specific pattern overrides key by key, except
 * `effect`, where two patterns must agree; two equally specific patterns must agree on every key they both have. Of
 * `cost` and `actualCost` each budget counts by itself: what a wider pattern charges stays charged.
 */
export function mergeDeclarations(name: string, matching: readonly ToolDeclaration[], file: string): Merged {
  const sorted = matching.toSorted((a, b) => compareSpecificity(a.pattern, b.pattern));
  const declared: { -readonly [K in keyof Declared]: Declared[K] } = {};
  const sources = new Map<keyof Declared, ToolDeclaration>();
  const issues: Issue[] = [];
  for (const declaration of sorted) {
    for (const key of declaration.places.keys()) {
      const before = sources.get(key);
      if (before !== undefined && contradict(key, before, declaration)) {
        issues.push(contradiction(name, key, before, declaration, file));
      }
      sources.set(key, declaration);
    }
    const { cost, actualCost } = declared;
    Object.assign(declared, declaration.declared);
    if (cost !== undefined) declared.cost = mergeCharges(cost, declared.cost);
    if (actualCost !== undefined) declared.actualCost = mergeCharges(actualCost, declared.actualCost);
  }
  return { declared, issues };
}

function contradict(key: keyof Declared, a: ToolDeclaration, b: ToolDeclaration): boolean {
  if (key !== 'effect' && compareSpecificity(a.pattern, b.pattern) !== 0) return false;
  if (key !== 'cost' && key !== 'actualCost') return written(a.declared[key]) !== written(b.declared[key]);
  const other = new Map(b.declared[key]?.map(({ budget, amount }) => [budget.text, amount.text]));
  return (a.declared[key] ?? []).some(
    ({ budget, amount }) => other.has(budget.text) && other.get(budget.text) !== amount.text,
  );
}

function mergeCharges(wider: readonly Charge[], narrower: readonly Charge[] = []): readonly Charge[] {
  const byBudget = new Map([...wider, ...narrower].map((charge) => [charge.budget.text, charge]));
  return [...byBudget.values()];
}

/** A declared value without its places. Schemas never come here: `input` stands under one exact name only. */
function written(value: Declared[keyof Declared]): string {
  return JSON.stringify(value ?? null, (key, inner: unknown) => (key === 'marks' ? undefined : inner));
}

function contradiction(name: string, key: keyof Declared, a: ToolDeclaration, b: ToolDeclaration, file: string): Issue {
  const placed = (declaration: ToolDeclaration): Place => declaration.places.get(key) ?? declaration.pattern.place;
  const [first, second] = [placed(a), placed(b)].toSorted((x, y) => x.line - y.line || x.column - y.column);
  const { line, column } = second ?? placed(b);
  const there = `line ${first?.line ?? line}, column ${first?.column ?? column}`;
  const patterns = `\`${a.pattern.text}\` and \`${b.pattern.text}\``;
  const message = `${patterns} declare another \`${key}\` for \`${name}\`: the other one is at ${there}`;
  const hint =
    key === 'effect' ? 'two patterns that match one tool must agree on its effect' : 'make one pattern more specific';
  return { code: 'tools-contradict', severity: 'error', message, hint, file, line, column };
}
