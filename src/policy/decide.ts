/** The policy decision point: pure and total. No clock, no randomness, nothing but the policy and the request. */

import type { Decision, Request, RuleResult } from './decision.ts';
import { resultsOf } from './explain.ts';
import { admit } from './gates.ts';
import { judge } from './judge.ts';
import type { Policy } from './policy.ts';

export { admit, admitArguments, admitCaller } from './gates.ts';
export { judge } from './judge.ts';
export { keyOf } from './key.ts';
export { couldAllow, couldServe } from './visible.ts';

/** Decides a request by all gates of the policy, in their order. The same policy and request give the same decision. */
export function decide(policy: Policy, request: Request): Decision {
  return admit(policy, request) ?? judge(policy, request);
}

/** The decision, and what each rule that speaks of the tool said, in file order. */
export function explain(
  policy: Policy,
  request: Request,
): { readonly decision: Decision; readonly rules: readonly RuleResult[] } {
  return { decision: decide(policy, request), rules: resultsOf(policy, request) };
}
