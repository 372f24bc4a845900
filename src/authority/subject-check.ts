/** Asks whether the person that a call names is whom it is about, in the name of its caller, before it is carried out. */

import type { Vault } from '../ledger/vault.ts';
import { knowsSubject, personalOf, secretsOf, subjectCheckOf } from '../policy/decide/decide.ts';
import type { Request } from '../policy/decide/decision.ts';
import type { Policy } from '../policy/policy.ts';
import type { Answer } from './answer.ts';
import { type Checked, type Prepared, type Surroundings, requestOf } from './prepare.ts';
import type { Opened, Proposal } from './proposal.ts';

/** A prepared proposal with what was found out of its subject. */
export async function withCheck(
  around: Pick<Surroundings, 'reach' | 'vault' | 'world'>,
  policy: Policy,
  prepared: Prepared,
  propose: (check: Proposal) => Promise<Answer>,
): Promise<Prepared> {
  return { ...prepared, checked: await checkSubject(around, policy, prepared.proposal, propose) };
}

/**
 * Asks the tool that the policy names. It is a call like any other: the rules decide on it for the same principal, and it
 * is recorded and charged. A crash leaves that call alone.
 */
async function checkSubject(
  { reach, vault, world }: Pick<Surroundings, 'reach' | 'vault' | 'world'>,
  policy: Policy,
  proposal: Proposal,
  propose: (check: Proposal) => Promise<Answer>,
): Promise<Checked> {
  const request = requestOf(proposal, '', world.now());
  const check = subjectCheckOf(policy, request);
  if (check === undefined) return {};
  const { tool, args } = check;
  const reached = reach?.(tool);
  if (args === undefined || reached === undefined) return { refused: `${tool} cannot be reached` };
  const { principal, session, signal } = proposal;
  const opened = hiddenOf(vault, policy, request, proposal.opened);
  const answer = await propose({ principal, session, signal, tool, args, opened, available: true, ...reached });
  const { call, state, output, decision } = answer;
  if (state !== 'succeeded') return { call, refused: `${tool} is ${decision?.code ?? state}` };
  return output !== undefined && knowsSubject(output) ? { call } : { call, refused: `${tool} knows nothing of it` };
}

/** Who is named stands in clear nowhere, whatever is declared of the tool that is asked. */
function hiddenOf(vault: Vault, policy: Policy, request: Request, opened: Opened | undefined): Opened {
  const { subjects, values } = personalOf(policy, request);
  return {
    personal: [...values, ...(opened?.personal ?? [])],
    secrets: [...secretsOf(policy, request).values, ...(opened?.secrets ?? [])],
    subjects: [...subjects.map((name) => vault.subject('id', name)), ...(opened?.subjects ?? [])],
  };
}
