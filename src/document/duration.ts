/** Durations in the configuration: `500ms`, `20s`, `30m`, `24h`, `7d`, never zero and never beyond ten years. */

import { parseDuration } from '../value/time.ts';
import { readText, refuse, shown } from './reader.ts';
import type { Entry, Reader } from './reader.ts';

/** Ten years: what is added to a date of our time stays a date that four digits can say. */
export const DURATION_MS_MAX: number = 3_650 * 86_400_000;

const HINT = 'write `500ms`, `20s`, `30m`, `24h` or `7d`';

/** Milliseconds from 1 to `DURATION_MS_MAX`, or `undefined` with an error. */
export function readDuration(reader: Reader, entry: Entry, what: string): number | undefined {
  const text = readText(reader, entry.value, entry.place, what);
  if (text === undefined) return undefined;
  const ms = parseDuration(text.text);
  if (ms !== undefined && ms > 0 && ms <= DURATION_MS_MAX) return ms;
  const range = ms === undefined ? '' : ms === 0 ? ' longer than nothing' : ' of at most ten years';
  const message = `expected ${what} to be a duration${range}, got \`${shown(text.text)}\``;
  return refuse(reader, entry.place, 'wrong-value', message, HINT);
}
