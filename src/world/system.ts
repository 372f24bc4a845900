/** The real world: the machine's clocks and its random source. */

import { randomBytes } from 'node:crypto';
import os from 'node:os';
import type { World } from './world.ts';

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
  random: (length) => randomBytes(length),
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
