/** What the log says of the wall clock it was written by: gaps at openings, leaps that were noticed, and their acceptance. Pure. */

import type { JsonObject } from '../value/json.ts';

interface AboutClock {
  /** None: it is about no call. */
  readonly call?: never;
}

/** What folding reads of `ledger.opened`, `clock.jumped` and `clock.accepted`. */
export type ClockStep =
  | (AboutClock & { readonly kind: 'opened'; readonly gapMs: number })
  | (AboutClock & { readonly kind: 'clock-jumped' })
  | (AboutClock & { readonly kind: 'clock-accepted'; readonly behindMs: number });

type Read = { readonly ok: true; readonly step?: ClockStep } | { readonly ok: false; readonly message: string };

type Folded =
  | { readonly ok: true; readonly keys: readonly never[]; readonly counters: readonly (readonly [string, number])[] }
  | { readonly ok: false; readonly code: 'illegal'; readonly message: string };

/** 1 from the moment a leap is noticed until a person accepts it. */
export const CLOCK_JUMP = 'clock/jump';
/** The longest time between an opening of the log and the entry before it since the last acceptance, milliseconds. */
export const CLOCK_GAP = 'clock/gap';
/** How far the wall clock was behind the log when a person accepted it, milliseconds. */
export const CLOCK_BEHIND = 'clock/behind';

/** The fields of `ledger.opened`: the first opening of a log, which `lastAt` knows nothing before, says no gap. */
export function openedFields(instance: string, now: number, lastAt: number | undefined): JsonObject {
  return lastAt === undefined ? { instance } : { instance, gapMs: Math.max(0, Math.trunc(now - lastAt)) };
}

/** An opening that says no gap changes nothing. */
export function readOpened({ gapMs }: JsonObject): Read {
  if (gapMs === undefined) return { ok: true };
  return isSpan(gapMs) ? { ok: true, step: { kind: 'opened', gapMs } } : missing('gapMs');
}

export function readJumped({ since, byMs }: JsonObject): Read {
  if (since !== 'start' && since !== 'last-entry') return missing('since');
  if (!Number.isSafeInteger(byMs) || byMs === 0) return missing('byMs');
  return { ok: true, step: { kind: 'clock-jumped' } };
}

export function readAccepted({ reason, by, behindMs }: JsonObject): Read {
  if (typeof reason !== 'string' || reason === '') return missing('reason');
  if (typeof by !== 'string' || by === '') return missing('by');
  return isSpan(behindMs) ? { ok: true, step: { kind: 'clock-accepted', behindMs } } : missing('behindMs');
}

export function isClockStep(step: { readonly kind: string }): step is ClockStep {
  return step.kind === 'opened' || step.kind === 'clock-jumped' || step.kind === 'clock-accepted';
}

/** The counters that folding `step` looks at. */
export function clockReads(step: ClockStep): readonly string[] {
  switch (step.kind) {
    case 'opened':
      return [CLOCK_GAP];
    case 'clock-jumped':
      return [];
    case 'clock-accepted':
      return [CLOCK_JUMP];
  }
}

export function foldClock(step: ClockStep, counter: (key: string) => number): Folded {
  switch (step.kind) {
    case 'opened':
      return counted(step.gapMs > counter(CLOCK_GAP) ? [[CLOCK_GAP, step.gapMs]] : []);
    case 'clock-jumped':
      return counted([[CLOCK_JUMP, 1]]);
    case 'clock-accepted': {
      if (counter(CLOCK_JUMP) === 0) {
        return { ok: false, code: 'illegal', message: 'the clock did not jump, so `clock.accepted` does not fit' };
      }
      return counted([
        [CLOCK_JUMP, 0],
        [CLOCK_GAP, 0],
        [CLOCK_BEHIND, step.behindMs],
      ]);
    }
  }
}

function counted(counters: readonly (readonly [string, number])[]): Folded {
  return { ok: true, keys: [], counters };
}

function isSpan(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function missing(field: string): Read {
  return { ok: false, message: `the entry lacks a usable \`${field}\`` };
}
