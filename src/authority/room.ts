/** Keeps room on the disk of the ledger for how calls end: where there is less, no further call is decided. */

import { type Ledger, LedgerError } from '../ledger/ledger.ts';
import type { World } from '../world/world.ts';

/** How long a look at the disk counts, milliseconds; what a ledger writes meanwhile is far less than any reserve. */
const LOOK_EVERY_MS = 100;
const MIB = 2 ** 20;

export interface RoomWatch {
  /** Throws `disk-full` when less than `reserve` bytes are free: then nothing is decided, and nothing recorded. */
  check(reserve: number): Promise<void>;
}

export function watchRoom(ledger: Pick<Ledger, 'free'>, world: World): RoomWatch {
  let looked = { at: Number.NEGATIVE_INFINITY, free: Promise.resolve<number | undefined>(undefined) };
  return {
    check: async (reserve) => {
      const now = world.monotonic();
      if (now - looked.at >= LOOK_EVERY_MS) looked = { at: now, free: ledger.free() };
      const free = await looked.free;
      // Where nobody tells, a write that finds no room tells.
      if (free === undefined || free >= reserve) return;
      const left = `the disk of the ledger has ${Math.floor(free / MIB)} MiB left`;
      const kept = `${Math.ceil(reserve / MIB)} MiB are kept for how calls end (\`disk.reserve\`)`;
      throw new LedgerError('disk-full', `${left}, and ${kept}: make room`);
    },
  };
}
