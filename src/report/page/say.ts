/** Times, numbers and values of a log as the page says them: the same everywhere, in UTC, and harmless. Pure. */

import { inert } from '../../value/inert.ts';
import type { JsonValue } from '../../value/json.ts';
import { type Element, el } from './element.ts';

/** What of a text is shown; all of it is in the evidence. */
const TEXT_MAX = 240;
const JSON_MAX = 4_000;
/** A value that is longer gets lines of its own. */
const INLINE_MAX = 72;

const MS_PER_S = 1_000;
const MS_PER_MIN = 60 * MS_PER_S;
const MS_PER_H = 60 * MS_PER_MIN;
const MS_PER_DAY = 24 * MS_PER_H;

/** Text from a log on one line, its control characters made visible and its end left out where it is long. */
export function plain(text: string, max: number = TEXT_MAX): string {
  return inert(flat(cut(text, max)));
}

/** The beginning of a text, for a link. */
export function head(text: string, max: number): string {
  return inert(flat(text.length <= max ? text : `${text.slice(0, max - 1).toWellFormed()}…`));
}

/** The name of a tool; a message that was no call names none. */
export function toolName(name: string, max: number = TEXT_MAX): string {
  return name === '' ? '(no tool)' : head(name, max);
}

/** Marks that are piled on one letter would reach into other lines; no script needs more than these. */
function flat(text: string): string {
  return text.replaceAll(/(\p{M}{4})\p{M}+/gu, '$1…');
}

function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  return `${text.slice(0, max).toWellFormed()}… (${count(text.length - max)} more characters)`;
}

/** A value as JSON, in which nothing can pass for anything else. */
export function jsonText(value: JsonValue): string {
  const short = escaped(JSON.stringify(value));
  const whole = short.length <= INLINE_MAX ? short : escaped(JSON.stringify(value, undefined, 2));
  return cut(whole, JSON_MAX);
}

/** The same on one line, at most `max` characters long; `inPlace` says what stands in the place of some values. */
export function jsonLine(
  value: JsonValue,
  max: number,
  inPlace: (value: JsonValue) => string | undefined = () => undefined,
): string {
  const line = escaped(lineOf(value, inPlace));
  return line.length <= max ? line : `${line.slice(0, max - 1).toWellFormed()}…`;
}

function lineOf(value: JsonValue, inPlace: (value: JsonValue) => string | undefined): string {
  const other = inPlace(value);
  if (other !== undefined) return other;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${(value as readonly JsonValue[]).map((one) => lineOf(one, inPlace)).join(',')}]`;
  const members = Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}:${lineOf(member, inPlace)}`);
  return `{${members.join(',')}}`;
}

function escaped(json: string): string {
  return flat(json).replaceAll(/[\u007f-\u009f\p{Cf}\u2028\u2029]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}

/** 12345 as `12,345`. */
export function count(n: number): string {
  return String(n).replaceAll(/\B(?=(?:\d{3})+$)/gu, ',');
}

/** `1 call`, `2 calls`. */
export function counted(n: number, noun: string): string {
  return `${count(n)} ${n === 1 ? noun : `${noun.endsWith('y') ? `${noun.slice(0, -1)}ie` : noun}s`}`;
}

/** An instant, milliseconds since the epoch: `2026-11-20 18:00:00.123`. */
export function instant(at: number): string {
  return new Date(at).toISOString().slice(0, -1).replace('T', ' ');
}

/** A moment of the log as an element that says its date to machines. */
export function timeOf(at: number, form: 'date-and-time' | 'time' = 'date-and-time'): Element {
  const text = instant(at);
  return el(
    'time',
    { datetime: new Date(at).toISOString() },
    form === 'time' ? text.slice('2026-11-20 '.length) : text,
  );
}

/** How long something took, with two units at most. */
export function span(ms: number): string {
  if (ms < MS_PER_S) return `${count(ms)} ms`;
  if (ms < MS_PER_MIN) return `${(ms / MS_PER_S).toFixed(ms < 10 * MS_PER_S ? 2 : 1)} s`;
  const parts: readonly (readonly [number, string])[] = [
    [MS_PER_DAY, 'd'],
    [MS_PER_H, 'h'],
    [MS_PER_MIN, 'min'],
    [MS_PER_S, 's'],
  ];
  const first = parts.findIndex(([size]) => ms >= size);
  return parts
    .slice(first, first + 2)
    .map(([size, unit], nth) => `${count(Math.floor((nth === 0 ? ms : ms % (parts[first]?.[0] ?? 1)) / size))} ${unit}`)
    .filter((part) => !part.startsWith('0 '))
    .join(' ');
}

/** The end of an id or digest, which is what tells two of them apart at a glance. */
export function tail(id: string): string {
  return plain(id.length > 8 ? `…${id.slice(-8)}` : id);
}
