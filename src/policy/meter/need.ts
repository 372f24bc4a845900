/** Which facts the policy needs for a request, by their exact keys, and which of them a decision was made from. */

import { budgetKeys } from './budget.ts';
import type { Budget } from './budget.ts';
import type { Decision, Request } from '../decide/decision.ts';
import { CLOCK_JUMP_KEY, killKeys, parkedKey } from './fact.ts';
import type { FactValues } from './fact.ts';
import type { Limit } from './limit.ts';
import type { Policy, PolicyTool } from '../policy.ts';
import { ROLLBACK_KEY, isHeldByRollback } from '../decide/rollback.ts';
import { scopeText } from './scope.ts';

/**
 * Every key that `decide` may look at for `request`, each once: kill switches, a leap of the clock where it matters, the
 * pin that was trusted, an accepted rollback, calls that wait for an approval where one may be asked for, rates, slots,
 * counts, and of each budget that is charged or read the window's. It depends on the principal, the tool, the run and
 * the time, never on the arguments, and not on how much is declared about other tools.
 */
export function needs(policy: Policy, request: Request): readonly string[] {
  const keys = new Set(killKeys(request));
  const tool = policy.tools.get(request.tool);
  if (tool?.effect !== 'read') keys.add(CLOCK_JUMP_KEY);
  if (tool === undefined || tool.invalid !== undefined) return [...keys];
  if (tool.pin.trustKey !== undefined) keys.add(tool.pin.trustKey);
  if (isHeldByRollback(tool)) keys.add(ROLLBACK_KEY);
  if (isHeldByRollback(tool) || tool.rules.ask.length > 0) keys.add(parkedKey(request.principal));
  for (const limit of tool.limits) {
    const { kind } = limit.ceiling;
    if (kind !== 'depth') keys.add(counterKey(kind, limit, request));
  }
  for (const budget of budgetsOf(tool)) for (const key of budgetKeys(budget, request)) keys.add(key);
  return [...keys];
}

/** The key under which stands what `limit` counts. */
export function counterKey(
  kind: Exclude<Limit['ceiling']['kind'], 'depth'>,
  { id, per }: Pick<Limit, 'id' | 'per'>,
  request: Request,
): string {
  return `${kind === 'concurrency' ? 'slots' : kind}/${id}/${scopeText(per, request)}`;
}

function budgetsOf({ cost, budgetsRead }: PolicyTool): ReadonlySet<Budget> {
  return new Set([...cost.map(({ budget }) => budget), ...budgetsRead]);
}

/** `decision` with the facts that it was made from. */
export function withFacts(policy: Policy, request: Request, facts: FactValues, decision: Decision): Decision {
  if (facts.size === 0) return decision;
  const used: Record<string, number> = {};
  for (const key of needs(policy, request)) {
    const value = facts.get(key) ?? 0;
    if (value !== 0) used[key] = value;
  }
  return Object.keys(used).length === 0 ? decision : { ...decision, facts: used };
}
