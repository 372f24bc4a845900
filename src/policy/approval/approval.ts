/** Questions and their answers: what the matching `ask` rules want, and whether given approvals satisfy all of them. */

import type { Decision, Request } from '../decide/decision.ts';
import type { Policy } from '../policy.ts';
import { ROLLBACK_RULE, ROLLBACK_TERMS } from '../decide/rollback.ts';
import { REQUESTER } from '../document/rule.ts';
import type { Rule } from '../document/rule.ts';
import { ASK_RULE, askTerms } from '../tool/own.ts';
import { knowsPrincipal } from '../tool/visible.ts';

/** One person's yes to exactly this call. That it is genuine, the caller has checked: signature, digest, single use. */
export interface Approval {
  readonly by: string;
  /**
   * `signed`: with the approver's key. `unsigned`: the word of the operating-system user. `elicited`: the answer that
   * the caller's own host fetched.
   */
  readonly how: 'signed' | 'unsigned' | 'elicited';
  /** From then on the call must not be dispatched on it; milliseconds since the epoch. */
  readonly expires: number;
}

/** What all matching `ask` rules want together. Whether an answer satisfies each of them, `decide` tells. */
export interface Question {
  /** Ids and roles who may answer for some rule; empty where anybody may who can sign. */
  readonly approvers: readonly string[];
  /** The most different people that one rule wants. */
  readonly quorum: number;
  /** Some rule does not take the requester's own answer. */
  readonly notRequester: boolean;
  /** The requester's own answer satisfies all rules. */
  readonly requester: boolean;
  /** The shortest time that one rule gives, milliseconds. */
  readonly expiresMs: number;
}

/** How long a question without `expires` stands. */
const EXPIRES_MS = 24 * 3_600_000;

/** What one `ask` rule wants, with what it leaves unsaid. */
export function questionTerms({ approvers, quorum = 1, notRequester = false, expiresMs = EXPIRES_MS }: Rule): {
  readonly approvers: readonly string[] | undefined;
  readonly quorum: number;
  readonly notRequester: boolean;
  readonly expiresMs: number;
} {
  return { approvers, quorum, notRequester, expiresMs };
}

/** The question that `decision`, an `ask`, puts. */
export function questionOf(policy: Policy, request: Request, decision: Decision): Question {
  const rules = rulesOf(policy, request, decision);
  const approvers = new Set(rules.flatMap((rule) => rule.approvers ?? []));
  approvers.delete(REQUESTER);
  return {
    approvers: [...approvers],
    quorum: Math.max(1, ...rules.map(quorumOf)),
    notRequester: rules.some((rule) => rule.notRequester === true),
    requester: rules.length > 0 && rules.every(takesRequester),
    expiresMs: Math.min(...rules.map((rule) => rule.expiresMs ?? EXPIRES_MS), Number.MAX_SAFE_INTEGER),
  };
}

/**
 * Whether the approvals satisfy every `ask` rule that matched: for each the quorum of different people, each of them
 * an approver under this policy. `expired`: they would, had they not expired.
 */
export function answered(
  policy: Policy,
  request: Request,
  decision: Decision,
  approvals: readonly Approval[],
): 'yes' | 'no' | 'expired' {
  const rules = rulesOf(policy, request, decision);
  const satisfied = (given: readonly Approval[]): boolean =>
    rules.length > 0 && rules.every((rule) => satisfies(policy, request, rule, given));
  if (satisfied(approvals.filter((approval) => request.now < approval.expires))) return 'yes';
  return satisfied(approvals) ? 'expired' : 'no';
}

/** What one rule wants of its answers. */
type Terms = Pick<Rule, 'approvers' | 'quorum' | 'notRequester' | 'expiresMs'>;

function rulesOf(policy: Policy, { args }: Request, { rules }: Decision): readonly Terms[] {
  const ids = new Set(rules);
  const asking: Terms[] = policy.configuration.rules.filter((rule) => rule.effect === 'ask' && ids.has(rule.id));
  if (ids.has(ASK_RULE)) asking.push(askTerms(args));
  return ids.has(ROLLBACK_RULE) ? [...asking, ROLLBACK_TERMS] : asking;
}

function satisfies(policy: Policy, request: Request, rule: Terms, approvals: readonly Approval[]): boolean {
  const people = new Set(approvals.filter((each) => counts(policy, request, rule, each)).map(({ by }) => by));
  return people.size >= quorumOf(rule);
}

function counts(policy: Policy, request: Request, rule: Terms, { by, how }: Approval): boolean {
  const { approvals, principals } = policy.configuration;
  const own = by === request.principal;
  if (own && rule.notRequester === true) return false;
  // A person at the agent's own host can only speak for the requester.
  if (how === 'elicited') return own && approvals.interactive && takesRequester(rule);
  const declared = principals?.get(by);
  if (how === 'signed' ? declared?.key === undefined : approvals.signed || !knowsPrincipal(policy, by)) return false;
  if (rule.approvers === undefined) return true;
  return rule.approvers.some((approver) => {
    if (approver === REQUESTER) return own;
    return approver === by || declared?.roles.includes(approver) === true;
  });
}

/** Whether the requester alone may answer: never for a role, a quorum, or where another person is wanted. */
function takesRequester(rule: Terms): boolean {
  return rule.approvers?.includes(REQUESTER) === true && quorumOf(rule) === 1 && rule.notRequester !== true;
}

function quorumOf({ quorum = 1 }: Terms): number {
  return quorum;
}
