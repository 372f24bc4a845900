/** Members of entries, read without trusting their form: the page shows logs that somebody tampered with, too. Pure. */

import type { JsonValue } from '../../value/json.ts';

export type Fields = Readonly<Record<string, JsonValue>>;

export function isFields(value: JsonValue | undefined): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function memberOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isFields(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** A text as it is, and nothing for what is none. */
export function textIn(value: JsonValue | undefined, name: string): string | undefined {
  const member = memberOf(value, name);
  return typeof member === 'string' ? member : undefined;
}

export function numberIn(value: JsonValue | undefined, name: string): number | undefined {
  const member = memberOf(value, name);
  return typeof member === 'number' ? member : undefined;
}

/** The texts of a list, and none of what is no list. */
export function textsIn(value: JsonValue | undefined, name: string): readonly string[] {
  const member = memberOf(value, name);
  return Array.isArray(member) ? member.filter((one) => typeof one === 'string') : [];
}

/** The whole numbers of an object by key, such as facts and charges. */
export function numbersIn(value: JsonValue | undefined, name: string): ReadonlyMap<string, number> {
  const member = memberOf(value, name);
  const found = new Map<string, number>();
  if (isFields(member)) for (const [key, n] of Object.entries(member)) if (typeof n === 'number') found.set(key, n);
  return found;
}

/** An instant in milliseconds since the epoch; 0 for what is none. */
export function instantIn(value: JsonValue | undefined, name: string): number {
  const at = Date.parse(textIn(value, name) ?? '');
  return Number.isNaN(at) ? 0 : at;
}
