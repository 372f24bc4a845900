/** The last gates: what a call would take of rates, slots, counts and budgets, and whether there is room for it. */

import { answered } from '../approval/approval.ts';
import type { Approval } from '../approval/approval.ts';
import { budgetKeys, spentOf } from './budget.ts';
import type { Budget } from './budget.ts';
import { amountOf } from './cost.ts';
import type { Decision, Request, Reservation } from '../decide/decision.ts';
import { resultsOf } from '../decide/explain.ts';
import { countedOf, NO_FACTS, parkedKey } from './fact.ts';
import type { FactValues } from './fact.ts';
import { deny, judge } from '../decide/judge.ts';
import * as sentence from './limit-sentence.ts';
import type { Limit } from './limit.ts';
import { counterKey, withFacts } from './need.ts';
import type { Policy, PolicyTool } from '../policy.ts';
import { arrivalOf } from './rate.ts';
import { afterRollback } from '../decide/rollback.ts';
import { bindingsOf } from '../condition/vocabulary.ts';

/** Calls of one principal that may wait for approvals at once. */
export const PARKED_MAX = 20;

export interface ChargeOptions {
  /** What `judge` said of the same request and facts; absent means that it is asked here. */
  readonly judged?: Decision;
  /** The answers to a call that was parked, also when there are none yet; absent for a call that is new. */
  readonly approved?: readonly Approval[];
}

/**
 * Rules and obligations (`judge`), what asks after a rollback, then depth, rate, concurrency, budget and count, in this order: what `decide` does
 * after the gates of `admit`. An `allow` carries the reservation to make with the intent. A question passes the same
 * gates, so that nobody is asked about what there is no room for, and reserves nothing; approvals that satisfy all of
 * its rules make it an `allow`.
 */
export function charge(
  policy: Policy,
  request: Request,
  facts: FactValues = NO_FACTS,
  options: ChargeOptions = {},
): Decision {
  return withFacts(policy, request, facts, charged(policy, request, facts, options));
}

function charged(policy: Policy, request: Request, facts: FactValues, options: ChargeOptions): Decision {
  const { judged: byRules = judge(policy, request, facts), approved } = options;
  const tool = policy.tools.get(request.tool);
  if (tool === undefined || byRules.effect === 'deny') return byRules;
  const judged = afterRollback(tool, facts, byRules);
  const decision =
    judged.effect === 'ask' && approved !== undefined
      ? withAnswers(policy, tool, request, facts, judged, approved)
      : judged;
  if (decision.effect === 'deny') return decision;
  if (decision.effect === 'ask' && tool.neverStores) return deny('secret-cannot-wait', sentence.cannotWait(tool));
  const costs = costsOf(policy, tool, request);
  if ('effect' in costs) return costs;
  // Most tools take nothing; those are not made to wait.
  const taken = tool.limits.length === 0 && costs.length === 0 ? NOTHING : take(tool, request, facts, costs);
  if ('effect' in taken) return taken;
  if (decision.effect === 'allow') return isEmpty(taken) ? decision : { ...decision, reservation: taken };
  const waiting = approved === undefined ? countedOf(facts, parkedKey(request.principal)) : 0;
  return waiting < PARKED_MAX ? decision : deny('approval-unavailable', sentence.tooManyQuestions(tool));
}

/** What an `ask` becomes by the answers given to it. */
function withAnswers(
  policy: Policy,
  tool: PolicyTool,
  request: Request,
  facts: FactValues,
  asked: Decision,
  approvals: readonly Approval[],
): Decision {
  const answer = answered(policy, request, asked, approvals);
  if (answer === 'no') return asked;
  if (answer === 'expired') return deny('approval-expired', sentence.expired(tool));
  const results = resultsOf(policy, request, facts);
  const rules = results.filter(({ effect, matched }) => effect === 'allow' && matched).map(({ rule }) => rule);
  const explanation = sentence.approved(tool, rules, asked.rules);
  return { effect: 'allow', code: 'allowed', rules, explanation, retryable: false };
}

const NOTHING: Reservation = { reserved: {}, rates: {}, slots: [] };

interface Cost {
  readonly budget: Budget;
  readonly amount: number;
}

/** What the call is charged, or the denial of a call of which that cannot be told. */
function costsOf(policy: Policy, tool: PolicyTool, request: Request): readonly Cost[] | Decision {
  const costs: Cost[] = [];
  if (tool.cost.length === 0) return costs;
  const bindings = bindingsOf(policy, tool, request);
  for (const charge of tool.cost) {
    const evaluated = charge.amount.evaluate(bindings);
    const amount = evaluated.ok ? amountOf(evaluated.value) : `cannot be evaluated: ${evaluated.error.message}`;
    if (typeof amount === 'string') {
      return deny('obligation-failed', sentence.unusableCost(tool, charge, amount));
    }
    costs.push({ budget: charge.budget, amount });
  }
  return costs;
}

/** What the call takes, or the denial of the first gate that has no room for it. */
function take(tool: PolicyTool, request: Request, facts: FactValues, costs: readonly Cost[]): Reservation | Decision {
  for (const [, max] of maxima(tool, 'depth')) {
    // Not `>`: what is no number is no depth that is allowed.
    if (!(request.run.depth <= max)) return deny('depth-exceeded', sentence.tooDeep(tool));
  }
  const rates: Record<string, number> = {};
  for (const { ceiling, ...limit } of tool.limits) {
    if (ceiling.kind !== 'rate') continue;
    const key = counterKey('rate', limit, request);
    const arrival = arrivalOf(ceiling, countedOf(facts, key), request.now * 1_000);
    if (arrival === undefined) return deny('rate-exceeded', sentence.tooOften(tool));
    rates[key] = arrival;
  }
  const slots = new Set<string>();
  for (const [limit, max] of maxima(tool, 'concurrency')) {
    const key = counterKey('concurrency', limit, request);
    if (countedOf(facts, key) >= max) return deny('concurrency-exceeded', sentence.tooMany(tool));
    slots.add(key);
  }
  const reserved: Record<string, number> = {};
  for (const { budget, amount } of costs) {
    const keys = budgetKeys(budget, request);
    const [current = ''] = keys;
    if (amount > budget.limit - spentOf(facts, keys)) {
      return deny('budget-exhausted', sentence.exhausted(tool, budget.name));
    }
    reserved[current] = amount;
  }
  for (const [limit, max] of maxima(tool, 'count')) {
    const key = counterKey('count', limit, request);
    if (countedOf(facts, key) >= max) return deny('budget-exhausted', sentence.counted(tool));
    reserved[key] = 1;
  }
  const { effectTimeoutMs } = tool;
  const lasting = slots.size === 0 || effectTimeoutMs === undefined ? {} : { effectTimeoutMs };
  return { reserved, rates, slots: [...slots], ...lasting };
}

function* maxima(tool: PolicyTool, kind: 'depth' | 'concurrency' | 'count'): Generator<[Limit, number]> {
  for (const limit of tool.limits) {
    const { ceiling } = limit;
    if (ceiling.kind !== 'rate' && ceiling.kind === kind) yield [limit, ceiling.max];
  }
}

function isEmpty({ reserved, rates, slots }: Reservation): boolean {
  return slots.length === 0 && Object.keys(rates).length === 0 && Object.keys(reserved).length === 0;
}
