/** What conditions see of budgets: `budget.NAME.left`. */

import type { CelType } from '../../expression/type.ts';
import { toCel } from '../../expression/value.ts';
import type { CelValue } from '../../expression/value.ts';
import type { JsonObject } from '../../value/json.ts';
import { budgetKeys, spentOf } from './budget.ts';
import type { Budget } from './budget.ts';
import type { Request } from '../decide/decision.ts';
import type { FactValues } from './fact.ts';

const LEFT: CelType = { kind: 'object', fields: new Map([['left', { type: { kind: 'int' }, required: true }]]) };
const NO_BUDGETS: CelType = { kind: 'object', fields: new Map() };
/** The name, but not as a member of something else. */
const WORD = /(?<!\w)(?<![\w)\]}"'`]\s*\.\s*)budget(?!\w)(?:\s*\.\s*([A-Za-z]\w*))?/gu;

/** The type of `budget` where these are declared. */
export function budgetType(budgets: Iterable<Budget>): CelType {
  const fields = [...budgets].map(({ name }) => [name, { type: LEFT, required: true }] as const);
  return fields.length === 0 ? NO_BUDGETS : { kind: 'object', fields: new Map(fields) };
}

/**
 * The budgets that a condition may read, by what stands in its text: at least those that it reads. One that names
 * `budget` otherwise than by a member may read any.
 */
export function budgetsIn(source: string, budgets: ReadonlyMap<string, Budget>): readonly Budget[] {
  const found = new Set<Budget>();
  for (const [, name] of source.matchAll(WORD)) {
    const budget = name === undefined ? undefined : budgets.get(name);
    if (budget !== undefined) found.add(budget);
    else for (const each of budgets.values()) found.add(each);
  }
  return [...found];
}

/** The value of `budget`: of each that is read, what the limit leaves. After an overrun that is below 0. */
export function budgetValue(budgets: readonly Budget[], request: Request, facts: FactValues): CelValue {
  const value: JsonObject = Object.fromEntries(
    budgets.map((budget) => {
      const left = budget.limit - spentOf(facts, budgetKeys(budget, request));
      return [budget.name, { left: Math.max(left, Number.MIN_SAFE_INTEGER) }];
    }),
  );
  return toCel(value, budgetType(budgets));
}
