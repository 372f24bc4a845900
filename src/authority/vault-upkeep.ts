/** What a gateway does for the vault by itself: finishes erasures that readers kept from it, and rotates the key. */

import type { Keyring } from '../ledger/keyring.ts';
import type { StoredLedger } from '../ledger/sqlite/stored-ledger.ts';
import type { World } from '../world/world.ts';
import { finishErasures } from './erase.ts';
import { EPOCH_MS, daysLeft, epochOf, rotateKey } from './rotate.ts';

const GATEWAY = 'gateway';

/** Once; what is to be done again is found again. Answers with what was done, for people. Throws `LedgerError`. */
export async function keepVault(
  ledger: StoredLedger,
  world: World,
  ring: Keyring,
  epochMs: number = EPOCH_MS,
): Promise<readonly string[]> {
  // Forgets what others have destroyed.
  ring.epochs();
  const epoch = await epochOf(ledger, ring);
  const erased = await finishErasures(ledger, world, daysLeft(epoch, world.now(), epochMs));
  const told = erased > 0 ? ['an erasure that a reader had kept from its end is executed'] : [];
  if (world.now() < epoch.since + epochMs) return told;
  const { epoch: begun } = await rotateKey(ledger, world, ring, GATEWAY);
  return [...told, `epoch ${begun} of the vault has begun, and the key before it is destroyed`];
}
