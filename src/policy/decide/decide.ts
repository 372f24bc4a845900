/** The policy decision point: pure and total. No clock, no randomness, nothing but the policy and the request. */

import type { Approval } from '../approval/approval.ts';
import { charge } from '../meter/charge.ts';
import type { Decision, Request, RuleResult } from './decision.ts';
import { resultsOf } from './explain.ts';
import { NO_FACTS } from '../meter/fact.ts';
import type { FactValues } from '../meter/fact.ts';
import { admit } from './gates.ts';
import { deny } from './judge.ts';
import { keyOf } from '../tool/key.ts';
import { unusableKey } from '../meter/limit-sentence.ts';
import { withNearest } from './nearest.ts';
import { withFacts } from '../meter/need.ts';
import type { Policy } from '../policy.ts';

export { questionOf } from '../approval/approval.ts';
export type { Approval, Question } from '../approval/approval.ts';
export { probeOf, probeSays } from '../tool/ask-probe.ts';
export { readsCallerKey } from '../tool/caller-key.ts';
export { clausesReading, withClauses } from './clauses.ts';
export { charge } from '../meter/charge.ts';
export type { FactValues } from '../meter/fact.ts';
export { admit, admitArguments, admitCaller, admitPin } from './gates.ts';
export { judge } from './judge.ts';
export { keyOf } from '../tool/key.ts';
export { withNearest } from './nearest.ts';
export { needs, withFacts } from '../meter/need.ts';
export { personalOf, scalarsIn } from '../tool/personal.ts';
export type { DeclaredPersonal } from '../tool/personal.ts';
export { secretTextsIn, secretsOf } from '../tool/secret.ts';
export type { DeclaredSecrets } from '../tool/secret.ts';
export { knowsSubject, subjectCheckOf } from '../tool/subject-check.ts';
export { isTrustedOtherwise, isUntrusted } from '../pin/pin.ts';
export { settleCost, settleFailed } from '../meter/settle-cost.ts';
export { couldAllow, couldServe, shownDefinition } from '../tool/visible.ts';

export interface DecideOptions {
  /** The answers to a call that was parked, which is decided again; absent for a call that is new. */
  readonly approved?: readonly Approval[];
}

/**
 * Decides a request by all gates of the policy, in their order. `facts` are the numbers under the keys of `needs`; none
 * means that nothing has happened yet. The same policy, request, facts and answers give the same decision.
 */
export function decide(
  policy: Policy,
  request: Request,
  facts: FactValues = NO_FACTS,
  options: DecideOptions = {},
): Decision {
  const refused = admit(policy, request, facts) ?? checkKey(policy, request);
  if (refused !== undefined) return withFacts(policy, request, facts, refused);
  return charge(policy, request, facts, options);
}

/** A call whose key is lost would lose its protection with it. */
function checkKey(policy: Policy, request: Request): Decision | undefined {
  const key = keyOf(policy, request);
  return key.ok ? undefined : deny('obligation-failed', unusableKey(request.tool, key.reason));
}

/** The decision with the nearest change that is allowed, and what each rule of the tool said, in file order. */
export function explain(
  policy: Policy,
  request: Request,
  facts: FactValues = NO_FACTS,
): { readonly decision: Decision; readonly rules: readonly RuleResult[] } {
  const decision = withNearest(policy, request, facts, decide(policy, request, facts));
  return { decision, rules: resultsOf(policy, request, facts) };
}
