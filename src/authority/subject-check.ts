/** Asks whether the person that a call names is whom it is about, in the name of its caller, before it is carried out. */

import { knowsSubject, subjectCheckOf } from '../policy/decide/decide.ts';
import type { Policy } from '../policy/policy.ts';
import type { Answer } from './answer.ts';
import { type Checked, type Prepared, type Surroundings, requestOf } from './prepare.ts';
import type { Proposal } from './proposal.ts';

/** A prepared proposal with what was found out of its subject. */
export async function withCheck(
  around: Pick<Surroundings, 'reach' | 'world'>,
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
  { reach, world }: Pick<Surroundings, 'reach' | 'world'>,
  policy: Policy,
  proposal: Proposal,
  propose: (check: Proposal) => Promise<Answer>,
): Promise<Checked> {
  const check = subjectCheckOf(policy, requestOf(proposal, '', world.now()));
  if (check === undefined) return {};
  const { tool, args } = check;
  const reached = reach?.(tool);
  if (args === undefined || reached === undefined) return { refused: `${tool} cannot be reached` };
  const { principal, session, signal, opened } = proposal;
  const caller = { principal, session, signal, ...(opened === undefined ? {} : { opened }) };
  const answer = await propose({ ...caller, tool, args, available: true, ...reached });
  const { call, state, output, decision } = answer;
  if (state !== 'succeeded') return { call, refused: `${tool} is ${decision?.code ?? state}` };
  return output !== undefined && knowsSubject(output) ? { call } : { call, refused: `${tool} knows nothing of it` };
}
