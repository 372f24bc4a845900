/** Records what a peer sent that is no call at all. */

import type { Composition, Ledger } from '../ledger/ledger.ts';
import { deniedDraft, newId } from './draft.ts';
import type { PolicyState, Surroundings } from './prepare.ts';
import { denial } from './sentence.ts';

export interface Malformed {
  readonly principal: string;
  readonly session: string;
  readonly reason: string;
}

/**
 * Whoever sends such things must not fill the disk with them: `checkRoom` throws where they would, and a flood does not
 * even come to the ledger. A crash leaves the entry or none. Throws `LedgerError`.
 */
export async function recordMalformed(
  ledger: Ledger,
  { world, floods }: Pick<Surroundings, 'world' | 'floods'>,
  state: PolicyState,
  { principal, session, reason }: Malformed,
  checkRoom: () => Promise<void>,
): Promise<void> {
  const denied = { principal, code: 'malformed', tool: '' } as const;
  await floods.denying(async (admits) => {
    if (!admits(denied, world.now())) return;
    await checkRoom();
    const entry = deniedDraft(world, {
      call: newId(world),
      principal,
      run: { id: session },
      tool: '',
      args: {},
      subject: [],
      policy: state.kind === 'loaded' ? state.policy.digest : undefined,
      layers: {},
      decision: denial('malformed', reason),
    });
    await ledger.transact({}, ({ at }): Composition<void> => {
      return { ...(admits(denied, at) ? { writes: { entries: [entry] } } : {}), result: undefined };
    });
  });
}
