/** `shadow:` — a second policy that is decided beside the one in force: what it would have said never counts. */

import type { Approval } from '../approval/approval.ts';
import type { Code } from './code.ts';
import type { Configuration } from '../document/configuration.ts';
import { decide } from './decide.ts';
import type { Decision, Effect, Request } from './decision.ts';
import type { FactValues } from '../meter/fact.ts';
import type { Policy } from '../policy.ts';

/** What a shadow says of a call where the policy in force says otherwise. */
export interface Difference {
  readonly effect: Effect;
  readonly code: Code;
  readonly rules: readonly string[];
}

/** The gates that a policy decides. The others hold whatever policy is in force, so that no shadow is asked about them. */
const DECIDED: ReadonlySet<Code> = new Set<Code>([
  'allowed',
  'asked',
  'no-rule',
  'denied-by-rule',
  'condition-error',
  'policy-invalid',
  'unknown-tool',
  'unknown-principal',
  'schema-mismatch',
  'obligation-failed',
  'budget-exhausted',
  'rate-exceeded',
  'concurrency-exceeded',
  'depth-exceeded',
  'approval-unavailable',
]);

/**
 * The shadow's configuration beside `main`: its rules, tools, principals, budgets, limits, preset and approvals. The
 * servers, their pins, and who the host is, are those of `main`, and a shadow has no shadow.
 */
export function besideMain(main: Configuration, shadow: Configuration): Configuration {
  const { shadow: _, ...rest } = shadow;
  return Object.freeze({ ...rest, servers: main.servers, principal: main.principal, pins: main.pins });
}

/**
 * Where `shadow` answers otherwise than `decision`, on the same request, facts and approvals. Its budgets and limits see
 * what is counted under their keys, which the policy in force fills; nothing is reserved for it.
 */
export function differenceOf(
  shadow: Policy,
  request: Request,
  facts: FactValues,
  decision: Decision,
  approved?: readonly Approval[],
): Difference | undefined {
  if (!DECIDED.has(decision.code)) return undefined;
  const { effect, code, rules } = decide(shadow, request, facts, approved === undefined ? {} : { approved });
  if (effect === decision.effect && code === decision.code && isSame(rules, decision.rules)) return undefined;
  return { effect, code, rules };
}

function isSame(rules: readonly string[], others: readonly string[]): boolean {
  return rules.length === others.length && rules.every((rule, index) => rule === others[index]);
}
