/** Turns what dead instances left between intent and outcome into `unknown`. */

import { type Ledger, LedgerError } from '../ledger/ledger.ts';
import type { World } from '../world/world.ts';
import { draft } from './draft.ts';

/** Resolves with how many calls became `unknown` now. A crash between two of them leaves the rest to the next who looks. */
export async function recoverCalls(ledger: Ledger, world: World): Promise<number> {
  let recovered = 0;
  for (const row of await ledger.orphans()) {
    const fields = { call: row.id, attempt: row.attempt, reason: 'the process that ran it died before the outcome' };
    try {
      await ledger.append({ entries: [draft(world, 'call.unknown', fields)] });
      recovered += 1;
    } catch (error) {
      // A sibling recovered it first: its state is what we wanted.
      if (!(error instanceof LedgerError && error.code === 'conflict')) throw error;
    }
  }
  return recovered;
}
