/** What a call turned out to take: the charge that replaces its reservation once the outcome is known. */

import { toCel } from '../../expression/value.ts';
import type { JsonValue } from '../../value/json.ts';
import { budgetKeys } from './budget.ts';
import { amountOf } from './cost.ts';
import type { Request } from '../decide/decision.ts';
import { outputOf } from '../tool/output.ts';
import type { Policy } from '../policy.ts';
import { bindingsOf } from '../condition/vocabulary.ts';

/**
 * By the keys of the reservation, in whole units: `charged` takes the place of what was reserved in exactly these
 * keys, whether less or more. What is not among them stays as reserved.
 */
export type SettledCost =
  | { readonly ok: true; readonly charged: Readonly<Record<string, number>> }
  | {
      readonly ok: false;
      /** Of the budgets whose charge can be told. */
      readonly charged: Readonly<Record<string, number>>;
      /** In one line why another cannot: it stays as reserved. */
      readonly reason: string;
    };

/**
 * The charge of a call that ended with `output`, as its outcome records it. `request` is the one that was decided, with the time of its intent:
 * only the window that was reserved in is touched. Never negative; above the reservation it is charged in full.
 */
export function settleCost(policy: Policy, request: Request, output: JsonValue): SettledCost {
  const charged: Record<string, number> = {};
  const tool = policy.tools.get(request.tool);
  if (tool === undefined || tool.actualCost.length === 0) return { ok: true, charged };
  const bindings = { ...bindingsOf(policy, tool, request), output: toCel(outputOf(output), tool.outputType) };
  let reason: string | undefined;
  for (const { budget, amount } of tool.actualCost) {
    const evaluated = amount.evaluate(bindings);
    const actual = evaluated.ok ? amountOf(evaluated.value) : `cannot be evaluated: ${evaluated.error.message}`;
    const [current = ''] = budgetKeys(budget, request);
    if (typeof actual === 'number') charged[current] = actual;
    else reason ??= `\`actualCost\` of ${budget.name} ${actual}`;
  }
  return reason === undefined ? { ok: true, charged } : { ok: false, charged, reason };
}

/**
 * The charge of a call that the tool answered with an error: nothing where the operator declared `failed: no-effect`,
 * else what was reserved. `request` as in `settleCost`.
 */
export function settleFailed(policy: Policy, request: Request): SettledCost {
  const tool = policy.tools.get(request.tool);
  const refunded = tool?.failedHasNoEffect === true ? tool.cost : [];
  const charged = refunded.map(({ budget }) => [budgetKeys(budget, request)[0] ?? '', 0] as const);
  return { ok: true, charged: Object.fromEntries(charged) };
}
