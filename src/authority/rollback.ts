/** Ends what an accepted rollback began: a person has seen to what the older copy of the log does not know. */

import { type Composition, type Ledger, LedgerError } from '../ledger/ledger.ts';
import type { World } from '../world/world.ts';
import { ROLLBACK_KEY } from '../policy/decide/rollback.ts';
import { draft } from './draft.ts';

export interface LiftOrder {
  readonly reason: string;
  /** Who says so, recorded as a claim. */
  readonly by: string;
}

export type RollbackLifted =
  | { readonly ok: true }
  | { readonly ok: false; readonly code: 'not-rolled-back'; readonly message: string };

/** From the next decision on calls with effects are no longer asked about for it. Throws `LedgerError`. */
export async function liftRollback(ledger: Ledger, world: World, { reason, by }: LiftOrder): Promise<RollbackLifted> {
  const nothing = { ok: false, code: 'not-rolled-back', message: 'no accepted rollback is left to lift' } as const;
  try {
    // A crash leaves the entry, and with it calls as before the rollback, or neither.
    return await ledger.transact({ facts: [ROLLBACK_KEY] }, ({ values }): Composition<RollbackLifted> => {
      if ((values.get(ROLLBACK_KEY) ?? 0) === 0) return { result: nothing };
      return { writes: { entries: [draft(world, 'ledger.rollback-lifted', { reason, by })] }, result: { ok: true } };
    });
  } catch (error) {
    // Somebody else lifted it within the same batch.
    if (error instanceof LedgerError && error.code === 'conflict') return nothing;
    throw error;
  }
}
