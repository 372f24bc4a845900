/** The real world: the machine's clocks and its random source. */

import { randomBytes } from 'node:crypto';
import type { World } from './world.ts';

export const systemWorld: World = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
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
