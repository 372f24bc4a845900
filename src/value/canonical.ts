/** Canonical JSON (RFC 8785): the one byte string that stands for a value when it is hashed, signed or compared. */

import { utf8 } from './encoding.ts';
import { ValueError } from './error.ts';
import type { JsonValue } from './json.ts';
import { DEPTH_CEILING } from './limits.ts';

/** Printable ASCII without `"` and `\`: such a string is its own JSON form. */
const PLAIN = /^[ !#-[\]-~]*$/;

/**
 * `value` as RFC 8785 writes it: no spaces, keys sorted by UTF-16 code units, numbers as ECMAScript prints them
 * (-0 as 0), only the escapes JSON demands. `toJSON` methods are not called, nothing is dropped or replaced.
 * Throws a `ValueError` for a lone surrogate, a number that is not finite, anything that is not JSON, or a cycle.
 */
export function canonicalText(value: JsonValue): string {
  return isInOrder(value, 0) ? JSON.stringify(value) : textOf(value, 0);
}

/** `canonicalText` in UTF-8. */
export function canonicalBytes(value: JsonValue): Uint8Array {
  return utf8(canonicalText(value));
}

/**
 * Whether `value` is JSON whose keys already stand in canonical order, so that `JSON.stringify` prints its canonical
 * form, three times as fast. Anything doubtful is false, and `textOf` judges it.
 */
function isInOrder(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object') return typeof value === 'boolean';
  if (value === null) return true;
  if (depth === DEPTH_CEILING) return false;
  // `JSON.stringify` would call a method of that name; a member of that name is none, or its function is refused below.
  if (Array.isArray(value)) return !('toJSON' in value) && areInOrder(value, depth + 1);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  const members = value as Readonly<Record<string, unknown>>;
  let last = '';
  for (const key of Object.keys(members)) {
    if (key < last || !key.isWellFormed() || !isInOrder(members[key], depth + 1)) return false;
    last = key;
  }
  return true;
}

function areInOrder(values: readonly unknown[], depth: number): boolean {
  for (let i = 0; i < values.length; i += 1) if (!isInOrder(values[i], depth)) return false;
  return true;
}

function textOf(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return textOfString(value);
    case 'number':
      if (!Number.isFinite(value)) throw new ValueError('non-finite', `expected a finite number, got ${value}`);
      return String(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      if (depth === DEPTH_CEILING) {
        throw new ValueError('too-deep', `expected at most ${DEPTH_CEILING} nested arrays and objects`);
      }
      return Array.isArray(value) ? textOfArray(value, depth + 1) : textOfObject(value, depth + 1);
    default:
      throw new ValueError('not-json', `expected a JSON value, got ${typeof value}`);
  }
}

function textOfString(value: string): string {
  if (PLAIN.test(value)) return `"${value}"`;
  if (!value.isWellFormed())
    throw new ValueError('lone-surrogate', 'expected well-formed Unicode, got a lone surrogate');
  // JSON.stringify escapes exactly what RFC 8785, section 3.2.2.2 asks for, in the form it asks for.
  return JSON.stringify(value);
}

function textOfArray(value: readonly unknown[], depth: number): string {
  let text = '[';
  for (let i = 0; i < value.length; i += 1) text += (i === 0 ? '' : ',') + textOf(value[i], depth);
  return `${text}]`;
}

function textOfObject(value: object, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new ValueError('not-json', 'expected a JSON value, got an instance of a class');
  }
  const members = value as Readonly<Record<string, unknown>>;
  let text = '{';
  // The default order of `sort` is by UTF-16 code units, as RFC 8785, section 3.2.3 wants.
  for (const key of Object.keys(members).sort()) {
    text += `${(text.length === 1 ? '' : ',') + textOfString(key)}:${textOf(members[key], depth)}`;
  }
  return `${text}}`;
}
