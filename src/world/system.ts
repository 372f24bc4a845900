/** The real world: the machine's clocks and its random source. */

import { randomBytes, randomFillSync } from 'node:crypto';
import os from 'node:os';
import type { World } from './world.ts';

const POOL_BYTES = 4_096;
const pool = new Uint8Array(POOL_BYTES);
let drawn = POOL_BYTES;

/** Drawn from the system in advance: a few bytes cost as much there as thousands. Nothing stays of what was given out. */
function random(length: number): Uint8Array {
  if (length > POOL_BYTES) return new Uint8Array(randomBytes(length));
  if (drawn + length > POOL_BYTES) {
    randomFillSync(pool);
    drawn = 0;
  }
  const bytes = pool.slice(drawn, drawn + length);
  pool.fill(0, drawn, (drawn += length));
  return bytes;
}

export const systemWorld: World = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  uptime: () => {
    try {
      return os.uptime() * 1_000;
    } catch {
      // A system that does not tell: then a suspension looks like a leap of the wall clock.
      return performance.now();
    }
  },
  random,
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener('abort', done, { once: true });
    }),
};
