/** The agents: they propose calls to a gateway, wait for as long as they like, and hear an answer. */

import type { Answer } from '../../src/authority/answer.ts';
import type { Authority } from '../../src/authority/authority.ts';
import type { Proposed } from './history.ts';
import type { Place } from './place.ts';
import type { CallAct } from './scenario.ts';
import type { Owner } from './schedule.ts';
import { perform } from './upstream.ts';

/** Where a proposal goes: the process, its opening of the disk, and its authority. */
export interface Door {
  readonly owner: Owner;
  readonly instance: string;
  readonly authority: Authority;
}

/** Proposes the call of `act`; resolves with its answer, and never when the process dies before. */
export async function ask(place: Place, door: Door, act: CallAct, session: string, seed: number): Promise<Answer> {
  const { owner, instance, authority } = door;
  const { principal, tool, key, timeoutMs, patienceMs } = act;
  const args = { ...act.args };
  const keyed = key === undefined ? {} : { key };
  const asked = place.monotonic();
  const proposed: Proposed = { session, principal, tool, args, ...keyed, owner, instance, asked, sent: 0 };
  place.history.proposals.set(session, proposed);
  place.note(`${session}: ${principal} asks ${owner.name} for ${tool} ${JSON.stringify(args)} ${key ?? ''}`);
  const patience = new AbortController();
  place.schedule.after(patienceMs, owner, () => {
    if (proposed.answer !== undefined) return;
    proposed.gaveUp = true;
    patience.abort();
  });
  const answer = await authority.call({
    principal,
    session,
    tool,
    args,
    ...keyed,
    timeoutMs,
    signal: patience.signal,
    available: true,
    perform: (sent) => perform({ place, owner, instance, proposed, timeoutMs, seed, sent }),
  });
  place.answered(proposed, answer);
  return answer;
}

/** Sends a line that is no message, in a session of its own. */
export async function babble(place: Place, door: Door, principal: string, session: string): Promise<void> {
  const { lines } = place.history;
  lines.set(session, door.owner);
  await door.authority.malformed(principal, session, 'it is no message').finally(() => lines.delete(session));
  place.refused(door.instance, principal, session);
}
