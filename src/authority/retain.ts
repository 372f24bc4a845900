/** Lets go of results in small steps once they were kept for as long as the policy says. */

import type { Ledger } from '../ledger/ledger.ts';
import type { World } from '../world/world.ts';

/** Steps in a row, before calls that wait have their turn for longer. */
const STEPS_MAX = 8;
/** How long after it has looked at all calls it begins anew, milliseconds. */
const REST_MS = 60_000;

/** Goes some steps further through the calls; `keptMs` is how long a result is kept. Resolves with how many lost theirs. */
export type Retain = (keptMs: number) => Promise<number>;

/**
 * A wall clock that jumps forward while this process runs must not destroy what is to be kept, so that time passes here
 * no faster than on the monotonic clock. A crash between two steps leaves the rest to the next process.
 */
export function retaining(ledger: Ledger, world: World): Retain {
  const started = { wall: world.now(), monotonic: world.monotonic() };
  let from = '';
  let restUntil = Number.NEGATIVE_INFINITY;
  return async (keptMs) => {
    const monotonic = world.monotonic();
    if (monotonic < restUntil) return 0;
    const now = Math.min(world.now(), started.wall + (monotonic - started.monotonic));
    let calls = 0;
    for (let step = 0; step < STEPS_MAX; step += 1) {
      const expired = await ledger.expire(Math.floor(now) - keptMs, from);
      calls += expired.calls;
      from = expired.next ?? '';
      if (expired.next === undefined) {
        restUntil = monotonic + REST_MS;
        break;
      }
    }
    return calls;
  };
}
