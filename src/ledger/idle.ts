/** Signs the last entries of a log that nobody writes to for a while. */

import type { World } from '../world/world.ts';

export interface IdleTimer {
  /** Runs `due` after the delay, unless one is already under way. */
  arm(): void;
  /** Nothing runs any more. */
  end(): void;
}

export function createIdleTimer(world: World, delayMs: number, due: () => void): IdleTimer {
  const ending = new AbortController();
  let armed = false;
  const wait = async (): Promise<void> => {
    await world.sleep(delayMs, ending.signal);
    armed = false;
    if (!ending.signal.aborted) due();
  };
  return {
    arm: () => {
      if (armed || ending.signal.aborted) return;
      armed = true;
      void wait();
    },
    end: () => ending.abort(),
  };
}
