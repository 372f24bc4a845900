/** Parts of timestamps, in UTC or a given zone, and of durations. */

import type { Frame } from './fault.ts';
import { burn, fail } from './fault.ts';
import type { Family, Run } from './function.ts';
import { noOverload, textOf } from './function.ts';
import { floorDivide } from './time-text.ts';
import type { CelValue } from './value.ts';
import { Duration, Timestamp } from './value.ts';

const MILLISECOND = 1_000_000n;
const SECOND = 1_000_000_000n;
const ZONE_PRICE = 200;
const OFFSET = /^([+-])?(\d{2}):(\d{2})$/;

/** Each zone costs a formatter; patterns of names come from arguments too, so only so many are kept. */
const formatters = new Map<string, Intl.DateTimeFormat>();
const FORMATTERS_MAX = 64;

/** The clock reading in `zone` (IANA name, or an offset such as `-02:30`) as a date whose UTC parts are the local ones. */
function localDate(frame: Frame, time: Timestamp, zone: CelValue): Date {
  const ms = Number(floorDivide(time.nanos, MILLISECOND));
  if (zone === null) return new Date(ms);
  const name = textOf(frame, 'timezone', zone);
  burn(frame, ZONE_PRICE);
  const offset = OFFSET.exec(name);
  if (offset !== null) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3]);
    return new Date(ms + (offset[1] === '-' ? -minutes : minutes) * 60_000);
  }
  const parts = new Map(
    formatterOf(frame, name)
      .formatToParts(ms)
      .map((part) => [part.type, Number(part.value)]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
  const local = new Date(0);
  local.setUTCFullYear(part('year'), part('month') - 1, part('day'));
  local.setUTCHours(part('hour'), part('minute'), part('second'), ((ms % 1000) + 1000) % 1000);
  return local;
}

function formatterOf(frame: Frame, zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone);
  if (known !== undefined) return known;
  const formatter = openFormatter(zone) ?? fail(frame, 'invalid-argument', 'there is no such time zone');
  const [oldest] = formatters.keys();
  if (oldest !== undefined && formatters.size >= FORMATTERS_MAX) formatters.delete(oldest);
  formatters.set(zone, formatter);
  return formatter;
}

function openFormatter(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function dayOfYear(date: Date): number {
  const start = new Date(0);
  start.setUTCFullYear(date.getUTCFullYear(), 0, 1);
  start.setUTCHours(0, 0, 0, 0);
  return Math.floor((date.getTime() - start.getTime()) / 86_400_000);
}

const PARTS: readonly (readonly [string, (date: Date) => number])[] = [
  ['getFullYear', (date) => date.getUTCFullYear()],
  ['getMonth', (date) => date.getUTCMonth()],
  ['getDate', (date) => date.getUTCDate()],
  ['getDayOfMonth', (date) => date.getUTCDate() - 1],
  ['getDayOfWeek', (date) => date.getUTCDay()],
  ['getDayOfYear', dayOfYear],
  ['getHours', (date) => date.getUTCHours()],
  ['getMinutes', (date) => date.getUTCMinutes()],
  ['getSeconds', (date) => date.getUTCSeconds()],
  ['getMilliseconds', (date) => date.getUTCMilliseconds()],
];

/** The whole of a duration in that unit; its milliseconds are those within the second. */
const DURATION_PARTS: ReadonlyMap<string, (nanos: bigint) => bigint> = new Map([
  ['getHours', (nanos) => nanos / (3600n * SECOND)],
  ['getMinutes', (nanos) => nanos / (60n * SECOND)],
  ['getSeconds', (nanos) => nanos / SECOND],
  ['getMilliseconds', (nanos) => (nanos % SECOND) / MILLISECOND],
]);

function partOf(name: string, read: (date: Date) => number): Run {
  const ofDuration = DURATION_PARTS.get(name);
  return (frame, value, zone) => {
    if (value instanceof Timestamp) return BigInt(read(localDate(frame, value, zone)));
    if (value instanceof Duration && zone === null && ofDuration !== undefined) return ofDuration(value.nanos);
    return noOverload(frame, name, value);
  };
}

export const TIME_FUNCTIONS: Family = {
  declared: [],
  functions: PARTS.flatMap(([name, read]) => {
    const run = partOf(name, read);
    return [
      [`.${name}/1`, run],
      [`.${name}/2`, run],
    ] as const;
  }),
};
