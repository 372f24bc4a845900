/** The clock gate's eyes: where the wall clock cannot be trusted that is put into the log, and every process obeys it. */

import { CLOCK_BEHIND, CLOCK_GAP, CLOCK_JUMP } from '../ledger/clock.ts';
import { type Composition, type Ledger, LedgerError } from '../ledger/ledger.ts';
import { formatInstant } from '../value/time.ts';
import type { World } from '../world/world.ts';
import { draft } from './draft.ts';

/** How far the wall clock may leave the monotonic one, or be behind the log at the start, milliseconds. */
const LEAP_MS_MAX = 300_000;

/** One process's watch over the wall clock, from its making on. */
export interface ClockWatch {
  /**
   * Resolves once every leap that can be noticed now is in the log: at its first invocation a start more than `gapMs`
   * after the last entry or far before it, at each a wall clock that left the monotonic one. Cheap when there is
   * nothing to record. Throws `LedgerError`: then nothing may be decided, and the next invocation tries again.
   */
  check(gapMs: number): Promise<void>;
}

export function watchClock(ledger: Ledger, world: World): ClockWatch {
  const drift = driftOf(world);
  let started = false;
  let recording: Promise<void> | undefined;
  const record = async (gapMs: number): Promise<void> => {
    if (!started) await recordStart(ledger, world, gapMs);
    started = true;
    const byMs = drift.now();
    if (byMs === 0) return;
    await recordLeap(ledger, world, byMs);
    drift.forget(byMs);
  };
  return {
    check: async (gapMs) => {
      if (started && drift.now() === 0) return;
      recording ??= record(gapMs).finally(() => {
        recording = undefined;
      });
      await recording;
    },
  };
}

interface Drift {
  /** How far the wall clock leapt, forwards or backwards, milliseconds; 0 while it is within bounds. */
  now(): number;
  /** From now on a leap of `byMs` is none. */
  forget(byMs: number): void;
}

/**
 * Against the monotonic clock, which is cheap to read and stands still while the machine is suspended; only where that
 * one disagrees, against the clock that does not. So a machine that sleeps does not leap.
 */
function driftOf(world: World): Drift {
  let awake = world.now() - world.monotonic();
  let up = world.now() - world.uptime();
  return {
    now: () => {
      const now = world.now();
      const seen = now - world.monotonic() - awake;
      if (Math.abs(seen) <= LEAP_MS_MAX) return 0;
      const byMs = Math.round(now - world.uptime() - up);
      awake += seen - byMs;
      return Math.abs(byMs) <= LEAP_MS_MAX ? 0 : byMs;
    },
    forget: (byMs) => {
      awake += byMs;
      up += byMs;
    },
  };
}

function recordStart(ledger: Ledger, world: World, gapMs: number): Promise<void> {
  const now = world.now();
  return ledger.transact({ facts: [CLOCK_JUMP, CLOCK_GAP, CLOCK_BEHIND] }, ({ at, values }): Composition<void> => {
    const gap = values.get(CLOCK_GAP) ?? 0;
    const behind = Math.round(at - now);
    const byMs = gap > gapMs ? gap : behind > LEAP_MS_MAX + (values.get(CLOCK_BEHIND) ?? 0) ? -behind : 0;
    if (byMs === 0 || values.has(CLOCK_JUMP)) return { result: undefined };
    return jumped(world, now, { since: 'last-entry', byMs });
  });
}

function recordLeap(ledger: Ledger, world: World, byMs: number): Promise<void> {
  const now = world.now();
  return ledger.transact({ facts: [CLOCK_JUMP] }, ({ values }): Composition<void> => {
    // A sibling saw it first.
    if (values.has(CLOCK_JUMP)) return { result: undefined };
    return jumped(world, now, { since: 'start', byMs });
  });
}

/** A crash leaves the entry, and with it the gate shut, or neither; nothing was decided by that clock yet. */
function jumped(
  world: World,
  now: number,
  leap: { readonly since: 'start' | 'last-entry'; readonly byMs: number },
): Composition<void> {
  const entry = draft(world, 'clock.jumped', { ...leap, wall: formatInstant(now) });
  return { writes: { entries: [entry] }, result: undefined };
}

export interface ClockAcceptance {
  readonly reason: string;
  /** Who says so, recorded as a claim. */
  readonly by: string;
}

export type Accepted =
  | { readonly ok: true }
  | { readonly ok: false; readonly code: 'not-jumped'; readonly message: string };

/** Takes the wall clock as it is now for right, in every process on the data directory. Throws `LedgerError`. */
export async function acceptClock(ledger: Ledger, world: World, { reason, by }: ClockAcceptance): Promise<Accepted> {
  const notJumped = { ok: false, code: 'not-jumped', message: 'no jump of the clock waits to be accepted' } as const;
  const now = world.now();
  try {
    // A crash leaves the entry, and with it the gate open, or neither.
    return await ledger.transact({ facts: [CLOCK_JUMP] }, ({ at, values }): Composition<Accepted> => {
      if (!values.has(CLOCK_JUMP)) return { result: notJumped };
      const behind = Math.round(at - now);
      const behindMs = behind > LEAP_MS_MAX ? behind : 0;
      return { writes: { entries: [draft(world, 'clock.accepted', { reason, by, behindMs })] }, result: { ok: true } };
    });
  } catch (error) {
    // Somebody else accepted it within the same batch.
    if (error instanceof LedgerError && error.code === 'conflict') return notJumped;
    throw error;
  }
}
