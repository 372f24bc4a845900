/** JSON values as YAML that a person can review: block style, one way to write each value, nothing that drives a terminal. */

import { isJsonObject } from '../../value/json.ts';
import type { JsonObject, JsonValue } from '../../value/json.ts';

const STEP = '  ';
const PLAIN_KEY = /^[A-Za-z][A-Za-z0-9_.-]*$/u;
/** What YAML 1.2 (core schema) would read as something else than text. */
const NOT_TEXT = /^(?:null|true|false)$/iu;
/** A longer key must be announced with `? ` (YAML 1.2, 8.2.2). */
const IMPLICIT_KEY_MAX = 1_000;
const UNPRINTABLE = /[\u007f-\u009f\u2028\u2029\ufffe\uffff\p{Cf}]/gu;

/**
 * The lines of `value` as a YAML document in the order of its members; parsing them gives `value` again. Throws
 * nothing; numbers are those that `parseJson` accepts.
 */
export function yamlText(value: JsonValue): string {
  return isEmpty(value) ? `${scalar(value)}\n` : block(value, '');
}

/** Text in double quotes, as YAML and JSON both read it. */
export function quoted(text: string): string {
  return JSON.stringify(text).replaceAll(UNPRINTABLE, (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16);
    return code.length > 4 ? `\\U${code.padStart(8, '0')}` : `\\u${code.padStart(4, '0')}`;
  });
}

/** A key of a map, in quotes where YAML would read it as something else. */
export function keyText(key: string): string {
  return PLAIN_KEY.test(key) && !NOT_TEXT.test(key) && key.length <= IMPLICIT_KEY_MAX ? key : quoted(key);
}

function block(value: JsonValue, indent: string): string {
  if (isJsonObject(value)) {
    return Object.entries(value)
      .map(([key, inner]) => `${indent}${keyOf(key, indent)}${after(inner, indent)}`)
      .join('');
  }
  return (value as readonly JsonValue[]).map((inner) => `${indent}-${after(inner, indent)}`).join('');
}

function keyOf(key: string, indent: string): string {
  const text = keyText(key);
  return text.length <= IMPLICIT_KEY_MAX ? `${text}:` : `? ${text}\n${indent}:`;
}

function after(value: JsonValue, indent: string): string {
  return isEmpty(value) ? ` ${scalar(value)}\n` : `\n${block(value, indent + STEP)}`;
}

/** Whether the value stands on one line: a scalar, or a container of nothing. */
function isEmpty(value: JsonValue): boolean {
  return typeof value !== 'object' || value === null || Object.keys(value).length === 0;
}

function scalar(value: JsonValue): string {
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return '[]';
  return isJsonObject(value) ? '{}' : JSON.stringify(value);
}

/** `entries` as an object whose members stand in the order of their code units; `__proto__` is an ordinary one. */
export function sorted(entries: Iterable<readonly [string, JsonValue]>): JsonObject {
  return Object.fromEntries([...entries].toSorted(([a], [b]) => (a < b ? -1 : Number(a > b))));
}
