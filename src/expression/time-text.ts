/** Timestamps and durations as text: RFC 3339 and the durations of Go and CEL, both to the nanosecond. */

const SECOND = 1_000_000_000n;

/** 0001-01-01T00:00:00Z and the last nanosecond of 9999, in nanoseconds since 1970: the range of CEL. */
export const TIMESTAMP_MIN: bigint = -62_135_596_800n * SECOND;
export const TIMESTAMP_MAX: bigint = 253_402_300_800n * SECOND - 1n;

/** A duration is a signed 64-bit count of nanoseconds, as in the reference implementation. */
export const DURATION_MAX: bigint = 2n ** 63n - 1n;

const TIMESTAMP = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;

/** Nanoseconds since 1970 of an RFC 3339 date and time with zone; nothing when it is not one, or out of CEL's range. */
export function parseTimestamp(text: string): bigint | undefined {
  const match = TIMESTAMP.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  const zoneHour = Number(match[9] ?? 0);
  const zoneMinute = Number(match[10] ?? 0);
  if (hour > 23 || minute > 59 || second > 59 || zoneHour > 23 || zoneMinute > 59) return undefined;
  const date = new Date(0);
  // Not Date.UTC, which takes the years 0 to 99 for 1900 to 1999.
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const zone = (match[8] === '-' ? -1 : 1) * (zoneHour * 3600 + zoneMinute * 60);
  const seconds = date.getTime() / 1000 + hour * 3600 + minute * 60 + second - zone;
  const nanos = BigInt(seconds) * SECOND + BigInt((match[7] ?? '').padEnd(9, '0'));
  return nanos < TIMESTAMP_MIN || nanos > TIMESTAMP_MAX ? undefined : nanos;
}

/** RFC 3339 in UTC with as many decimals as needed, in groups of three: `2009-02-13T23:31:30.123Z`. */
export function formatTimestamp(nanos: bigint): string {
  const seconds = floorDivide(nanos, SECOND);
  const iso = new Date(Number(seconds) * 1000).toISOString();
  return `${iso.slice(0, 19)}${decimals(nanos - seconds * SECOND)}Z`;
}

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: SECOND,
  m: 60n * SECOND,
  h: 3600n * SECOND,
};
const DURATION = /^[+-]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;
const DURATION_PART = /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/g;
const DURATION_LENGTH_MAX = 64;

/** Nanoseconds of `1h30m`, `-1.5s`, `250ms`; nothing when it is not a duration or does not fit 64 bits. */
export function parseDuration(text: string): bigint | undefined {
  if (text.length > DURATION_LENGTH_MAX || !DURATION.test(text)) return undefined;
  let total = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of text.matchAll(DURATION_PART)) {
    const scale = UNITS[unit] ?? 0n;
    total += BigInt(whole || '0') * scale + (BigInt(fraction || '0') * scale) / 10n ** BigInt(fraction.length);
  }
  if (text.startsWith('-')) total = -total;
  return total > DURATION_MAX || total < -DURATION_MAX - 1n ? undefined : total;
}

/** Seconds with as many decimals as needed and the unit: `1.5s`, `-0.25s`. */
export function formatDuration(nanos: bigint): string {
  const size = nanos < 0n ? -nanos : nanos;
  const fraction = (size % SECOND).toString().padStart(9, '0').replace(/0+$/, '');
  return `${nanos < 0n ? '-' : ''}${size / SECOND}${fraction === '' ? '' : `.${fraction}`}s`;
}

function decimals(nanos: bigint): string {
  if (nanos === 0n) return '';
  return `.${nanos
    .toString()
    .padStart(9, '0')
    .replace(/(?:000){1,2}$/, '')}`;
}

/** Division that rounds down, so that instants before 1970 fall into the right second. */
export function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}
