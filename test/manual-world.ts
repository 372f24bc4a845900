/** A world whose clock stands still until a test moves it. Randomness is the machine's. */

import { systemWorld } from '../src/world/system.ts';
import type { World } from '../src/world/world.ts';

export interface ManualWorld extends World {
  /** Moves both clocks and wakes every sleeper whose time has come. */
  advance(ms: number): void;
  /** Sets the wall clock, backwards too, and leaves the monotonic one. */
  setWall(ms: number): void;
  /** How long until the next sleeper wakes, milliseconds; nothing when nobody sleeps. */
  untilWake(): number | undefined;
  /** The machine sleeps: the monotonic clock stands still, the others go on. */
  suspend(ms: number): void;
}

/** 2026-11-20T18:00:00Z. */
export const START_MS = 1_795_197_600_000;

export function createManualWorld(startMs: number = START_MS): ManualWorld {
  let wall = startMs;
  let monotonic = 0;
  let suspended = 0;
  const sleepers = new Set<{ readonly until: number; readonly wake: () => void }>();
  return {
    now: () => wall,
    monotonic: () => monotonic,
    uptime: () => monotonic + suspended,
    random: (length) => systemWorld.random(length),
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) return resolve();
        const sleeper = { until: monotonic + ms, wake: resolve };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', () => {
          sleepers.delete(sleeper);
          resolve();
        });
      }),
    advance: (ms) => {
      wall += ms;
      monotonic += ms;
      for (const sleeper of sleepers) {
        if (sleeper.until > monotonic) continue;
        sleepers.delete(sleeper);
        sleeper.wake();
      }
    },
    suspend: (ms) => {
      wall += ms;
      suspended += ms;
    },
    untilWake: () => {
      const [first] = [...sleepers].map(({ until }) => until).toSorted((one, other) => one - other);
      return first === undefined ? undefined : first - monotonic;
    },
    setWall: (ms) => {
      wall = ms;
    },
  };
}
