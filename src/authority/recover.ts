/** Turns what was left between intent and outcome into `unknown`: by a dead process, or past its deadline. */

import { type CallRow, type Ledger, LedgerError } from '../ledger/ledger.ts';
import type { World } from '../world/world.ts';
import { draft } from './draft.ts';

/** How long past its deadline a call is left to a process that lives, milliseconds: it ends its calls itself. */
export const OVERDUE_GRACE_MS = 5_000;

const DIED = 'the process that ran it died before the outcome';
const OVERDUE = 'its deadline passed, and the process that runs it has recorded no outcome';

/** When this process first saw an intent of a living one: on both clocks, since one of them may jump. */
interface Sighting {
  readonly wall: number;
  readonly monotonic: number;
}

/** Looks once at all calls that run; resolves with how many became `unknown` now. */
export type Recover = () => Promise<number>;

/**
 * `isOurs` says whether a call runs in this process, whose transport then ends it. A call of a living process is
 * overdue only when its deadline and the grace have passed on the wall clock and, since it was first seen here, on the
 * monotonic clock: a jump of the wall clock alone declares nothing.
 */
export function recovery(ledger: Ledger, world: World, isOurs: (call: string) => boolean): Recover {
  let seen = new Map<string, Sighting>();
  return async () => {
    const still = new Map<string, Sighting>();
    const alive = new Map<string, boolean>();
    let recovered = 0;
    for (const row of await ledger.unsettled('intent')) {
      if (row.instance === ledger.instance && isOurs(row.id)) continue;
      if (!alive.has(row.instance)) alive.set(row.instance, await ledger.isAlive(row.instance));
      if (alive.get(row.instance) === false) {
        recovered += await declareUnknown(ledger, world, row, DIED);
        continue;
      }
      const first = seen.get(row.attempt) ?? { wall: world.now(), monotonic: world.monotonic() };
      if (isOverdue(row, first, world)) recovered += await declareUnknown(ledger, world, row, OVERDUE);
      else still.set(row.attempt, first);
    }
    seen = still;
    return recovered;
  };
}

function isOverdue({ deadline }: CallRow, first: Sighting, world: World): boolean {
  const left = Math.max(0, deadline - first.wall) + OVERDUE_GRACE_MS;
  return world.now() >= deadline + OVERDUE_GRACE_MS && world.monotonic() - first.monotonic >= left;
}

/** A crash between two of them leaves the rest to whoever looks next. */
async function declareUnknown(ledger: Ledger, world: World, row: CallRow, reason: string): Promise<0 | 1> {
  const fields = { call: row.id, attempt: row.attempt, reason };
  try {
    await ledger.append({ entries: [draft(world, 'call.unknown', fields)] });
    return 1;
  } catch (error) {
    // It has ended meanwhile, or a sibling was faster: its state is what we wanted.
    if (error instanceof LedgerError && error.code === 'conflict') return 0;
    throw error;
  }
}
