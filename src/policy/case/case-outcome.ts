/** Runs a case: its decision, in what that differs from the expectation, and what every rule said. */

import type { Issue } from '../../value/issue.ts';
import type { PolicyCase } from './case.ts';
import { differencesOf } from './case-expectation.ts';
import type { Difference } from './case-expectation.ts';
import { decide, keyOf, needs, withNearest } from '../decide/decide.ts';
import type { Decision, RuleResult } from '../decide/decision.ts';
import { resultsOf } from '../decide/explain.ts';
import { deny } from '../decide/judge.ts';
import type { Policy } from '../policy.ts';

/** A policy as it came out of its document: absent where an error forbids it. */
export interface Ready {
  readonly policy: Policy | undefined;
  readonly issues: readonly Issue[];
}

export interface CaseOutcome {
  /** With the nearest change, where there is one. */
  readonly decision: Decision;
  /** Empty when the case passes. */
  readonly differences: readonly Difference[];
  /** What each rule of the tool said, in file order; empty where the rules were not reached. */
  readonly results: readonly RuleResult[];
  /** The facts of the case that the policy does not need for this request: probably misspelt. */
  readonly unread: readonly string[];
}

/** What comes of `tried` under its policy. Pure: the same policy and case give the same outcome. */
export function runCase({ policy, issues }: Ready, { request, facts, approved, expect }: PolicyCase): CaseOutcome {
  const codes = issues.filter(({ severity }) => severity === 'error').map(({ code }) => code);
  if (policy === undefined) {
    const decision = deny('policy-invalid', `no policy is in force: ${firstOf(issues)}`);
    const differences = differencesOf(expect, { decision, needs: [], issues: codes });
    return { decision, differences, results: [], unread: [] };
  }
  const decided = decide(policy, request, facts, approved === undefined ? {} : { approved });
  const decision = withNearest(policy, request, facts, decided);
  const needed = needs(policy, request);
  const reached = REACHED.has(decision.code) && keyOf(policy, request).ok;
  return {
    decision,
    differences: differencesOf(expect, { decision, needs: needed, issues: codes }),
    results: reached ? resultsOf(policy, request, facts) : [],
    unread: [...facts.keys()].filter((key) => !needed.includes(key)),
  };
}

/** The codes of calls that came as far as the rules. */
const REACHED: ReadonlySet<Decision['code']> = new Set<Decision['code']>([
  'allowed',
  'asked',
  'no-rule',
  'denied-by-rule',
  'condition-error',
  'obligation-failed',
  'depth-exceeded',
  'rate-exceeded',
  'concurrency-exceeded',
  'budget-exhausted',
  'approval-unavailable',
  'approval-expired',
]);

function firstOf(issues: readonly Issue[]): string {
  const error = issues.find(({ severity }) => severity === 'error');
  return error === undefined ? 'no reason was given' : `${error.file}:${error.line}:${error.column}: ${error.message}`;
}
