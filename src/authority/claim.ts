/** Approvals as the authority handles them: what a parked call waits for, and which answers to it are genuine. */

import type { CallRow } from '../ledger/ledger.ts';
import type { Policy } from '../policy/compile.ts';
import { type Approval, questionOf } from '../policy/decide/decide.ts';
import type { Decision, Request } from '../policy/decide/decision.ts';
import type { JsonObject } from '../value/json.ts';
import { formatInstant } from '../value/time.ts';
import { approvalDigest, boundArgs, verifyApproval } from './approval.ts';
import type { Surroundings } from './prepare.ts';

interface Asked {
  readonly policy: Policy;
  readonly request: Request;
  readonly decision: Decision;
}

/**
 * What the entry of a parked call says that it waits for; the digest binds an answer to exactly this call. `salt` is the
 * call's own, where some of its arguments are sealed.
 */
export function approvalOf(
  around: Pick<Surroundings, 'log'>,
  { policy, request, decision }: Asked,
  call: string,
  salt: Uint8Array | undefined,
): { readonly expires: number; readonly approval: JsonObject } {
  const question = questionOf(policy, request, decision);
  const expires = request.now + question.expiresMs;
  const digest = digestOfCall(around, { policy, request }, call, expires, salt);
  const { approvers, quorum, notRequester } = question;
  return {
    expires,
    approval: {
      digest,
      approvers,
      quorum,
      notRequester,
      requester: request.principal,
      expires: formatInstant(expires),
    },
  };
}

function digestOfCall(
  around: Pick<Surroundings, 'log'>,
  { policy, request }: Omit<Asked, 'decision'>,
  call: string,
  expires: number,
  salt: Uint8Array | undefined,
): string {
  const { tool, principal } = request;
  const args = salt === undefined ? request.args : boundArgs(salt, principal, tool, request.args);
  const definition = policy.tools.get(tool)?.definition.digest ?? '';
  return approvalDigest({ log: around.log, call, tool, definition, principal, args, expires });
}

/** Why the person at the caller's host is asked; nothing where that person's word does not suffice. */
export function reasonsToElicit({ policy, request, decision }: Asked): readonly string[] | undefined {
  const { approvals, rules } = policy.configuration;
  if (!approvals.interactive || !questionOf(policy, request, decision).requester) return undefined;
  const asking = new Set(decision.rules);
  return rules.filter(({ id }) => asking.has(id)).map(({ id, because }) => because ?? `${id} asks`);
}

/**
 * The answers to `row` that are what they say: signed ones under the key that the policy in force names for their
 * author. Whether they suffice, the policy decides.
 */
export function approvalsOf(
  around: Pick<Surroundings, 'log'>,
  { policy, request }: Omit<Asked, 'decision'>,
  row: CallRow,
): readonly Approval[] {
  const { approval } = row;
  if (approval === undefined) return [];
  const digests = [undefined, row.salt].map((salt) =>
    digestOfCall(around, { policy, request }, row.id, approval.expires, salt),
  );
  // What was approved is not what would run now: the tool changed, or a path leads elsewhere.
  if (!digests.includes(approval.digest)) return [];
  return row.approvals.flatMap(({ by, signature, interactive }): Approval[] => {
    const how = interactive === true ? 'elicited' : 'unsigned';
    if (signature === undefined) return [{ by, how, expires: approval.expires }];
    const key = policy.configuration.principals?.get(by)?.key;
    if (key === undefined || !verifyApproval(key, approval.digest, by, signature)) return [];
    return [{ by, how: 'signed', expires: approval.expires }];
  });
}
