/** Rotates the key that wraps all others: a new epoch, everything wrapped anew, the old key destroyed. */

import { LedgerError } from '../ledger/ledger.ts';
import { type Keyring, epochInForce } from '../ledger/keyring.ts';
import type { RewrapFrom } from '../ledger/sqlite/vault-table.ts';
import type { StoredLedger } from '../ledger/sqlite/stored-ledger.ts';
import { EPOCH_KEY, EPOCH_SINCE_KEY } from '../ledger/vault-step.ts';
import { parseInstant } from '../value/time.ts';
import type { World } from '../world/world.ts';
import { draft } from './draft.ts';

/** How long an epoch lasts when nothing else is configured, milliseconds. */
export const EPOCH_MS: number = 30 * 86_400_000;
const DAY_MS = 86_400_000;
/** Whoever has just read a record of the old epoch gets the time to open it. */
const READERS_MS = 1_000;

export interface Epoch {
  readonly number: number;
  /** Milliseconds since the epoch of time. */
  readonly since: number;
}

/** Throws `LedgerError`. */
export async function epochOf(ledger: StoredLedger, ring: Keyring): Promise<Epoch> {
  const counters = await ledger.counters('key/');
  const number = epochInForce(ring, counters.get(EPOCH_KEY) ?? 0);
  const since = counters.get(EPOCH_SINCE_KEY) ?? parseInstant((await ledger.entry(0))?.at ?? '') ?? 0;
  return { number, since };
}

/** In how many days, rounded up, the key of this epoch is destroyed where epochs last `epochMs`. */
export function daysLeft({ since }: Epoch, now: number, epochMs: number): number {
  return Math.max(0, Math.ceil((since + epochMs - now) / DAY_MS));
}

export interface Rotated {
  readonly epoch: number;
  /** The epochs whose keys were destroyed. */
  readonly destroyed: readonly number[];
}

/**
 * Begins a new epoch, wraps all keys by its key, and destroys the keys of the epochs before; where one was begun and not
 * finished, finishes that. A crash leaves both keys, and what is wrapped by either opens. Throws `LedgerError`.
 */
export async function rotateKey(ledger: StoredLedger, world: World, ring: Keyring, by: string): Promise<Rotated> {
  const before = await epochOf(ledger, ring);
  const isBegun = ring.epochs().some((epoch) => epoch < before.number);
  const epoch = isBegun ? before.number : await begin(ledger, world, ring, before.number + 1, by);
  let from: RewrapFrom | undefined = { subjects: 0, bodies: 0 };
  while (from !== undefined) from = await ledger.rewrap(epoch, from);
  const old = ring.epochs().filter((one) => one < epoch);
  if (old.length > 0) await world.sleep(READERS_MS);
  for (const one of old) {
    ring.destroy(one);
    await ledger.append({ entries: [draft(world, 'key.destroyed', { epoch: one, by })] });
  }
  return { epoch, destroyed: old };
}

/** The key is there before anything says that it is used. */
async function begin(ledger: StoredLedger, world: World, ring: Keyring, epoch: number, by: string): Promise<number> {
  ring.make(epoch);
  try {
    await ledger.append({ entries: [draft(world, 'key.rotated', { epoch, by })] });
  } catch (error) {
    // Another process began it in the same moment.
    if (!(error instanceof LedgerError) || error.code !== 'conflict') throw error;
  }
  return epoch;
}
