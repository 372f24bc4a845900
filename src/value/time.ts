/** Instants and durations as text and as milliseconds; nothing here reads a clock. */

import { ValueError } from './error.ts';

/** 0000-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z: what four digits of a year can say. */
const INSTANT_MIN = -62_167_219_200_000;
const INSTANT_MAX = 253_402_300_799_999;

const INSTANT = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;
/** From 1 January 0000 to 1 January 1970, less the leap day of year 0, which `daysBefore` counts with year -1. */
const DAYS_TO_1970 = 719_527;

const DURATION = /^(0|[1-9]\d{0,14})(ms|s|m|h|d)$/;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Milliseconds since the epoch as RFC 3339 in UTC with milliseconds and `Z`. Always 24 characters, so texts sort as
 * instants do. Throws `out-of-range` for a fraction of a millisecond or a year outside 0000 to 9999.
 */
export function formatInstant(ms: number): string {
  if (!Number.isInteger(ms) || ms < INSTANT_MIN || ms > INSTANT_MAX) {
    throw new ValueError('out-of-range', `expected whole milliseconds of the years 0000 to 9999, got ${ms}`);
  }
  return new Date(ms).toISOString();
}

/**
 * Milliseconds since the epoch of an RFC 3339 date-time, with any offset; digits below the millisecond are dropped.
 * Nothing when `text` is anything else, names a day or time that does not exist, or a leap second, which
 * milliseconds since the epoch cannot name.
 */
export function parseInstant(text: string): number | undefined {
  const match = INSTANT.exec(text);
  if (match === null) return undefined;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const [hour, minute, second] = [Number(match[4]), Number(match[5]), Number(match[6])];
  if (month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const [offsetHours, offsetMinutes] = [Number(match[9] ?? 0), Number(match[10] ?? 0)];
  if (offsetHours > 23 || offsetMinutes > 59) return undefined;
  const offset = (offsetHours * 60 + offsetMinutes) * (match[8] === '-' ? -1 : 1);
  const minutes = (daysBefore(year, month) + day - 1) * 1_440 + hour * 60 + minute - offset;
  const ms = minutes * 60_000 + second * 1_000 + Number((match[7] ?? '').slice(0, 3).padEnd(3, '0'));
  return ms < INSTANT_MIN || ms > INSTANT_MAX ? undefined : ms;
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function daysOf(year: number, month: number): number {
  return month === 2 ? (isLeap(year) ? 29 : 28) : 30 + ((month + (month > 7 ? 1 : 0)) % 2);
}

/** Days from the epoch to the first of the month (proleptic Gregorian). */
function daysBefore(year: number, month: number): number {
  const past = year - 1;
  let days = year * 365 + Math.floor(past / 4) - Math.floor(past / 100) + Math.floor(past / 400) - DAYS_TO_1970;
  for (let earlier = 1; earlier < month; earlier += 1) days += daysOf(year, earlier);
  return days;
}

/** Milliseconds of `500ms`, `20s`, `30m`, `24h` or `7d`: one whole number and one unit; nothing for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = DURATION.exec(text);
  const unit = UNIT_MS[match?.[2] ?? ''];
  if (match === null || unit === undefined) return undefined;
  const ms = Number(match[1]) * unit;
  return Number.isSafeInteger(ms) ? ms : undefined;
}
