/** What stands beside the policy in force, and what an entry says of it: every decision names what it was made under. */

import type { Facts } from '../ledger/ledger.ts';
import { hiddenPlacesIn } from '../ledger/recorded.ts';
import type { Policy } from '../policy/compile.ts';
import { type Approval, type FactValues, clausesReading, needs } from '../policy/decide/decide.ts';
import type { Decision, Request } from '../policy/decide/decision.ts';
import { type Exception, exceptionsFor } from '../policy/approval/exception.ts';
import { differenceOf } from '../policy/decide/shadow.ts';
import { canonicalText } from '../value/canonical.ts';
import type { JsonObject, JsonValue } from '../value/json.ts';

/** A second policy that is decided beside the one in force, or why there is none. */
export type ShadowState =
  | { readonly kind: 'loaded'; readonly policy: Policy }
  | { readonly kind: 'invalid'; readonly message: string };

/** The exceptions that a loaded policy was made with: it holds for that version of them, and until that time. */
export interface ExceptedState {
  readonly version: number;
  readonly until: number;
  readonly exceptions: readonly Exception[];
}

/** Rules of a shadow that an entry names. */
const RULES_MAX = 8;
const MESSAGE_MAX = 256;

/** What `policy.loaded` says: the digests that decisions are made under from then on. */
export function loadedFields({
  policy,
  shadow,
}: {
  readonly policy: Policy;
  readonly shadow?: ShadowState;
}): JsonObject {
  const own = { digest: policy.digest, ...lockField(policy) };
  if (shadow === undefined) return own;
  if (shadow.kind === 'loaded') return { ...own, shadow: { digest: shadow.policy.digest } };
  return { ...own, shadow: { error: shadow.message.slice(0, MESSAGE_MAX).toWellFormed() } };
}

/** What an entry says of the tools that its policy was made with. */
export function madeWith(policy: Policy): JsonObject {
  return { ...lockField(policy), tools: policy.catalog.digest };
}

function lockField({ lock }: Policy): JsonObject {
  return lock === undefined ? {} : { lock };
}

/** The facts that a shadow looks at, beside those of the policy in force. */
export function shadowNeeds(shadow: ShadowState | undefined, request: Request): readonly string[] {
  return shadow?.kind === 'loaded' ? needs(shadow.policy, request) : [];
}

/** What is decided, on what was read. */
export interface Seen {
  readonly request: Request;
  readonly facts: Facts;
  /** The keys of facts that were read. */
  readonly read: ReadonlySet<string>;
  readonly approved?: readonly Approval[] | undefined;
  /** All gates before the rules let it through, and these were asked. */
  readonly isJudged?: boolean;
}

/**
 * What an entry says of the lock, of the tools that were known, of the exceptions that set a rule aside, and of the shadow: their digests, and what the
 * shadow would have answered where that is something else.
 */
export function layerFields(
  loaded: { readonly policy: Policy; readonly shadow?: ShadowState; readonly excepted?: ExceptedState } | undefined,
  decision: Decision,
  seen: Seen,
): JsonObject {
  if (loaded === undefined) return {};
  const { policy, shadow } = loaded;
  const own = { ...madeWith(policy), ...exceptionFields(loaded, seen) };
  if (shadow?.kind !== 'loaded') return own;
  return { ...own, shadow: { digest: shadow.policy.digest, ...answerOf(shadow.policy, decision, seen) } };
}

function exceptionFields(
  { policy, excepted }: { readonly policy: Policy; readonly excepted?: ExceptedState },
  { request, facts }: Seen,
): JsonObject {
  if (excepted === undefined || excepted.exceptions.length === 0) return {};
  const used = exceptionsFor(policy, request, facts.values, excepted.exceptions);
  if (used.length === 0) return {};
  return { exceptions: used.slice(0, RULES_MAX).map(({ id, digest }) => ({ id, digest })) };
}

function answerOf(shadow: Policy, decision: Decision, { request, facts, read, approved }: Seen): JsonObject {
  // A window of its own began since they were read. It is not worth another turn: a shadow makes nobody wait.
  if (!needs(shadow, request).every((key) => read.has(key))) return { error: 'a window began meanwhile' };
  try {
    const difference = differenceOf(shadow, request, facts.values, decision, approved);
    if (difference === undefined) return {};
    const { effect, code, rules } = difference;
    return {
      effect,
      code,
      rules: rules.slice(0, RULES_MAX),
      ...(rules.length > RULES_MAX ? { rulesTotal: rules.length } : {}),
    };
  } catch (error) {
    // Deciding is total, so that this is a bug; in a policy that only watches not even that may stop a call.
    const message = error instanceof Error ? error.message : 'no reason';
    return { error: message.slice(0, MESSAGE_MAX).toWellFormed() };
  }
}

/** More than that would leave too little room for the arguments: then nothing but the decision is recorded. */
const CLAUSES_LENGTH_MAX = 4_096;

/**
 * What an entry says of the clauses that read arguments which it does not hold in clear, so that the decision can be made
 * again without them; `recorded` are the arguments as the entry holds them.
 */
export function clauseFields(policy: Policy, request: Request, facts: FactValues, recorded: JsonValue): JsonObject {
  const clauses = clausesReading(policy, request, facts, hiddenPlacesIn(recorded));
  if (clauses === undefined) return {};
  return { clauses: canonicalText(clauses).length > CLAUSES_LENGTH_MAX ? TOO_MANY : clauses };
}

/** In the place of more clauses than an entry has room for. */
export const TOO_MANY = 'too-many';
