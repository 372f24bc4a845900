/** What another policy would have said of a recorded call, on the recorded clock, counters and approvals. */

import { approvalsOf } from '../authority/claim.ts';
import { exceptedAt } from '../authority/exception.ts';
import type { Configuration } from '../policy/document/configuration.ts';
import { charge, decide, needs } from '../policy/decide/decide.ts';
import type { Decision } from '../policy/decide/decision.ts';
import { textOf } from './problem.ts';
import type { Decided } from './recording.ts';

/** Denied for what no policy decides: nothing would have been otherwise under another one. */
const NO_POLICY: ReadonlySet<string> = new Set([
  'malformed',
  'upstream-unavailable',
  'guard-refused',
  'key-conflict',
  'key-taken',
  'twin-unsettled',
]);

/** Whether a policy decided the call, and what it was decided on is known. */
export function isDecidable({ recorded, hasArgs }: Decided): boolean {
  const { said, code, entry } = recorded;
  return hasArgs && typeof said['tools'] === 'string' && !NO_POLICY.has(code) && entry['probes'] === undefined;
}

/**
 * The decision of `configuration`, over the tools that the recorded one was made with. Nothing when the configuration
 * has no policy over them. What only `configuration` counts has not been counted.
 */
export function decideUnder({ recorded, past }: Decided, configuration: Configuration): Decision | undefined {
  const { request, said, entry } = recorded;
  const own = past.policies.beside(configuration, textOf(said['tools']), request.tool);
  if (own === undefined) return undefined;
  const among = { standing: past.standing, signers: configuration, log: past.log };
  const { policy } = exceptedAt(own, among, request.now);
  const facts = past.values(needs(policy, request), request.now);
  const row = entry.type === 'call.intent' ? past.call(request.call.id) : undefined;
  const options = row?.state === 'parked' ? { approved: approvalsOf(past, { policy, request }, row) } : {};
  const decision = decide(policy, request, facts, options);
  const isEarly = decision.code === 'schema-mismatch' || decision.code === 'obligation-failed';
  // Paths were resolved after the arguments had been checked.
  const isResolved = isEarly && recorded.code !== decision.code && policy.tools.get(request.tool)?.guard !== undefined;
  return isResolved ? charge(policy, request, facts, options) : decision;
}
