/** The one door to time, randomness and sleep; everything that needs them takes a `World`. */

import type { FaultPoint } from './fault-point.ts';

export interface World {
  /** Wall clock, milliseconds since 1970-01-01T00:00:00Z. It may jump. */
  now(): number;
  /** Monotonic clock, milliseconds from an arbitrary start. It never goes back. */
  monotonic(): number;
  /**
   * Monotonic clock that counts the time in which the machine was suspended as well, milliseconds from an arbitrary
   * start, to a second or better. Slower to read than `monotonic`.
   */
  uptime(): number;
  /** `length` bytes from a cryptographically secure source. */
  random(length: number): Uint8Array;
  /** Resolves after `ms` milliseconds, or at once when `signal` aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Told where a call is; there only in a test that kills the process at that point (docs/ledger.md, Crash windows). */
  readonly passing?: (point: FaultPoint) => void;
}
