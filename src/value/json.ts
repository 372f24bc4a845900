/** JSON values and the strict parser; the parser refuses whatever two readers could understand differently. */

import { fromUtf8, utf8 } from './encoding.ts';
import { ValueError } from './error.ts';
import type { Issue, Parsed } from './issue.ts';
import { placeAt } from './issue.ts';
import { DEPTH_CEILING, JSON_LIMITS } from './limits.ts';
import type { JsonLimits } from './limits.ts';

export type { JsonLimits } from './limits.ts';

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

/** An object parsed from JSON. Keys are data: read them with `Object.hasOwn`, `__proto__` is an ordinary one. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** Why a document is not strict JSON; `json-syntax` is everything that RFC 8259 itself refuses. */
export type JsonIssueCode =
  | 'json-bom'
  | 'json-depth'
  | 'json-duplicate-key'
  | 'json-lone-surrogate'
  | 'json-nodes'
  | 'json-number-range'
  | 'json-size'
  | 'json-syntax'
  | 'json-trailing'
  | 'json-unsafe-integer'
  | 'json-utf8';

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The value of `input`, or the one issue that stopped the parser. RFC 8259 without what RFC 7493 (I-JSON) warns of:
 * no duplicate keys, no lone surrogates, no invalid UTF-8, no byte order mark, no integer beyond ±(2^53−1), no number
 * that overflows. A number with a fraction or an exponent is the nearest IEEE 754 double, and refused only when that
 * double is an integer which canonical JSON would print with all its digits and this parser would then refuse:
 * whatever parses, prints and parses again to itself. -0 is 0. Columns of bytes that are not UTF-8 count what precedes them.
 *
 * Throws `out-of-range` when `limits.depthMax` is above `DEPTH_CEILING`.
 */
export function parseJson(input: string | Uint8Array, limits: Partial<JsonLimits> = {}): Parsed<JsonValue> {
  const { depthMax, bytesMax, nodesMax } = { ...JSON_LIMITS, ...limits };
  if (depthMax > DEPTH_CEILING) {
    throw new ValueError('out-of-range', `expected depthMax of at most ${DEPTH_CEILING}, got ${depthMax}`);
  }
  if (exceeds(input, bytesMax)) return refused('', 0, 'json-size', `expected at most ${bytesMax} bytes, got more`);
  const text = typeof input === 'string' ? input : fromUtf8(input);
  if (text === undefined) return refusedBytes(input);
  if (!text.isWellFormed()) return refusedSurrogate(text);
  const scan: Scan = { text, at: 0, depth: 0, nodes: 0, depthMax, nodesMax, failure: undefined };
  const value = readDocument(scan);
  if (value !== undefined) return { ok: true, value, issues: [] };
  const { offset, code, message, hint } = scan.failure ?? UNEXPLAINED;
  return refused(text, offset, code, message, hint);
}

function exceeds(input: string | Uint8Array, bytesMax: number): boolean {
  // A UTF-16 code unit is one to three bytes of UTF-8, so most texts need no counting.
  if (input.length > bytesMax) return true;
  return typeof input === 'string' && input.length * 3 > bytesMax && utf8(input).length > bytesMax;
}

interface Failure {
  readonly offset: number;
  readonly code: JsonIssueCode;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** Where the parser stands. A reader that fails sets `failure` and returns `undefined`, which is no JSON value. */
interface Scan {
  readonly text: string;
  readonly depthMax: number;
  readonly nodesMax: number;
  at: number;
  depth: number;
  nodes: number;
  failure: Failure | undefined;
}

const UNEXPLAINED: Failure = { offset: 0, code: 'json-syntax', message: 'expected a JSON value' };

function refused(text: string, offset: number, code: JsonIssueCode, message: string, hint?: string): Parsed<JsonValue> {
  const issue: Issue = { code, severity: 'error', message, ...placeAt(text, offset) };
  return { ok: false, issues: [hint === undefined ? issue : { ...issue, hint }] };
}

function refusedBytes(input: string | Uint8Array): Parsed<JsonValue> {
  const bytes = typeof input === 'string' ? utf8(input) : input;
  // The longest prefix that a decoder still takes ends where the first bad sequence begins.
  let taken = 0;
  for (let low = 0, high = bytes.length; low <= high;) {
    const middle = (low + high) >> 1;
    if (decodedPrefix(bytes, middle) === undefined) high = middle - 1;
    else low = (taken = middle) + 1;
  }
  const text = decodedPrefix(bytes, taken) ?? '';
  return refused(text, text.length, 'json-utf8', 'expected UTF-8, got bytes that are not');
}

/** The whole characters in the first `length` bytes; one that is cut off at the end is left out. */
function decodedPrefix(bytes: Uint8Array, length: number): string | undefined {
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    return decoder.decode(bytes.subarray(0, length), { stream: true });
  } catch {
    return undefined;
  }
}

function refusedSurrogate(text: string): Parsed<JsonValue> {
  const offset = /\p{Surrogate}/u.exec(text)?.index ?? 0;
  return refused(text, offset, 'json-lone-surrogate', `expected well-formed Unicode, got ${describe(text, offset)}`);
}

function fail(scan: Scan, code: JsonIssueCode, offset: number, message: string, hint?: string): undefined {
  scan.failure ??= { offset, code, message, hint };
}

function expected(scan: Scan, what: string, hint?: string): undefined {
  fail(scan, 'json-syntax', scan.at, `expected ${what}, got ${describe(scan.text, scan.at)}`, hint ?? hintAt(scan));
}

/** What stands at `offset`, for a message: a word, a character, or its number when it cannot be shown. */
function describe(text: string, offset: number): string {
  const point = text.codePointAt(offset);
  if (point === undefined) return 'the end of the input';
  const word = /^[\p{L}\p{N}_$]{1,24}/u.exec(text.slice(offset, offset + 48))?.[0];
  const shown = word ?? String.fromCodePoint(point);
  if (/^[^\p{C}\p{Z}`]+$/u.test(shown)) return `\`${shown}\``;
  return `U+${point.toString(16).toUpperCase().padStart(4, '0')}`;
}

const HINTS: readonly (readonly [RegExp, string])[] = [
  [/^'/, 'strings stand in double quotes'],
  [/^\//, 'JSON has no comments'],
  [/^[+-]?(NaN|Infinity|inf)\b/i, 'JSON has no such number; leave it out or write `null`'],
  [/^(true|false|null)\b/i, 'write `true`, `false` and `null` in lower case'],
  [/^(None|nil|undefined)\b/, 'write `null`'],
  [/^\+/, 'a number has no leading `+`'],
  [/^\./, 'a number needs a digit before the point'],
];

function hintAt({ text, at }: Scan): string | undefined {
  const rest = text.slice(at, at + 16);
  return HINTS.find(([pattern]) => pattern.test(rest))?.[1];
}

const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** The code unit after any white space; NaN at the end. */
function peek(scan: Scan): number {
  let unit = scan.text.charCodeAt(scan.at);
  while (unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09) unit = scan.text.charCodeAt(++scan.at);
  return unit;
}

function readDocument(scan: Scan): JsonValue | undefined {
  if (scan.text.startsWith('\ufeff')) {
    return fail(scan, 'json-bom', 0, 'expected a value, got a byte order mark', 'save the file as UTF-8 without one');
  }
  const value = readValue(scan);
  if (value === undefined || Number.isNaN(peek(scan))) return value;
  const got = describe(scan.text, scan.at);
  return fail(scan, 'json-trailing', scan.at, `expected the end of the input, got ${got}`, 'one document is one value');
}

function readValue(scan: Scan): JsonValue | undefined {
  const unit = peek(scan);
  scan.nodes += 1;
  if (scan.nodes > scan.nodesMax) {
    return fail(scan, 'json-nodes', scan.at, `expected at most ${scan.nodesMax} values, got more`);
  }
  if (unit === QUOTE) return readString(scan);
  if (unit === OPEN_OBJECT || unit === OPEN_ARRAY) {
    if (scan.depth >= scan.depthMax) {
      return fail(scan, 'json-depth', scan.at, `expected at most ${scan.depthMax} nested arrays and objects, got more`);
    }
    scan.depth += 1;
    scan.at += 1;
    const value = unit === OPEN_OBJECT ? readObject(scan) : readArray(scan);
    scan.depth -= 1;
    return value;
  }
  if (unit === MINUS || (unit >= ZERO && unit <= NINE)) return readNumber(scan);
  const rest = scan.text.slice(scan.at, scan.at + 5);
  if (rest.startsWith('true')) return readWord(scan, 4, true);
  if (rest.startsWith('false')) return readWord(scan, 5, false);
  if (rest.startsWith('null')) return readWord(scan, 4, null);
  return expected(scan, 'a value');
}

function readWord<T extends JsonValue>(scan: Scan, length: number, value: T): T {
  scan.at += length;
  return value;
}

function readArray(scan: Scan): JsonValue | undefined {
  const items: JsonValue[] = [];
  if (peek(scan) === CLOSE_ARRAY) return readWord(scan, 1, items);
  for (;;) {
    const item = readValue(scan);
    if (item === undefined) return undefined;
    items.push(item);
    const unit = peek(scan);
    if (unit === CLOSE_ARRAY) return readWord(scan, 1, items);
    if (unit !== COMMA) return expected(scan, '`,` or `]`');
    scan.at += 1;
    if (peek(scan) === CLOSE_ARRAY) return expected(scan, 'a value', 'remove the comma before it');
  }
}

function readObject(scan: Scan): JsonValue | undefined {
  const members: Record<string, JsonValue> = {};
  if (peek(scan) === CLOSE_OBJECT) return readWord(scan, 1, members);
  for (;;) {
    const keyAt = scan.at;
    if (scan.text.charCodeAt(keyAt) !== QUOTE) return expected(scan, 'a key', 'keys stand in double quotes');
    const key = readString(scan);
    if (key === undefined) return undefined;
    // The first look is cheap and settles nearly all keys; only names of `Object.prototype` need the second.
    if (members[key] !== undefined && Object.hasOwn(members, key)) {
      const shown = describe(JSON.stringify(key).slice(1, -1), 0);
      return fail(scan, 'json-duplicate-key', keyAt, `expected each key once, got ${shown} again`);
    }
    if (peek(scan) !== COLON) return expected(scan, '`:`');
    scan.at += 1;
    const value = readValue(scan);
    if (value === undefined) return undefined;
    if (key === '__proto__') {
      Object.defineProperty(members, key, { value, writable: true, enumerable: true, configurable: true });
    } else {
      members[key] = value;
    }
    const unit = peek(scan);
    if (unit === CLOSE_OBJECT) return readWord(scan, 1, members);
    if (unit !== COMMA) return expected(scan, '`,` or `}`');
    scan.at += 1;
    if (peek(scan) === CLOSE_OBJECT) return expected(scan, 'a key', 'remove the comma before it');
  }
}

function readString(scan: Scan): string | undefined {
  const { text } = scan;
  const openAt = scan.at;
  let whole = '';
  let from = openAt + 1;
  for (let at = from; ; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) {
      scan.at = at + 1;
      return whole === '' ? text.slice(from, at) : whole + text.slice(from, at);
    }
    if (unit === BACKSLASH) {
      whole += text.slice(from, at);
      scan.at = at;
      const escaped = readEscape(scan);
      if (escaped === undefined) return undefined;
      whole += escaped;
      from = scan.at;
      at = from - 1;
    } else if (!(unit >= 0x20)) {
      scan.at = at;
      if (Number.isNaN(unit))
        return fail(scan, 'json-syntax', openAt, 'expected `"` to end this string, got the end of the input');
      return expected(scan, 'a character of a string', 'control characters are written as escapes, such as `\\n`');
    }
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};
const UNICODE_ESCAPE = /\\u([0-9a-fA-F]{4})/y;

/** The character that the escape at `scan.at` stands for: one code unit, or two of a surrogate pair. */
function readEscape(scan: Scan): string | undefined {
  const at = scan.at;
  const simple = ESCAPES[scan.text.charAt(at + 1)];
  if (simple !== undefined) {
    scan.at = at + 2;
    return simple;
  }
  const unit = unicodeEscapeAt(scan.text, at);
  if (unit === undefined) {
    scan.at = at + 1;
    return expected(scan, 'an escape after `\\`', 'one of `"\\/bfnrt`, or `u` and four hexadecimal digits');
  }
  scan.at = at + 6;
  if (unit < 0xd800 || unit > 0xdfff) return String.fromCharCode(unit);
  const next = unit < 0xdc00 ? unicodeEscapeAt(scan.text, scan.at) : undefined;
  if (next === undefined || next < 0xdc00 || next > 0xdfff) {
    return fail(
      scan,
      'json-lone-surrogate',
      at,
      `expected a surrogate pair, got \`${scan.text.slice(at, at + 6)}\` alone`,
    );
  }
  scan.at += 6;
  return String.fromCharCode(unit, next);
}

function unicodeEscapeAt(text: string, at: number): number | undefined {
  UNICODE_ESCAPE.lastIndex = at;
  const digits = UNICODE_ESCAPE.exec(text)?.[1];
  return digits === undefined ? undefined : Number.parseInt(digits, 16);
}

/** Moves past digits; whether there was one. */
function skipDigits(scan: Scan): boolean {
  const from = scan.at;
  let unit = scan.text.charCodeAt(from);
  while (unit >= ZERO && unit <= NINE) unit = scan.text.charCodeAt(++scan.at);
  return scan.at > from;
}

function readNumber(scan: Scan): number | undefined {
  const { text, at: from } = scan;
  if (text.charCodeAt(from) === MINUS) scan.at += 1;
  const leadingZero = text.charCodeAt(scan.at) === ZERO;
  const digitsAt = scan.at;
  if (!skipDigits(scan)) return expected(scan, 'a digit');
  if (leadingZero && scan.at > digitsAt + 1) {
    return fail(
      scan,
      'json-syntax',
      digitsAt,
      'expected a number, got one with leading zeros',
      'remove the zeros, or make it a string',
    );
  }
  const integer = scan.at;
  if (text.charCodeAt(scan.at) === POINT) {
    scan.at += 1;
    if (!skipDigits(scan)) return expected(scan, 'a digit after the point');
  }
  if ((text.charCodeAt(scan.at) | 0x20) === 0x65) {
    const sign = text.charCodeAt(++scan.at);
    if (sign === PLUS || sign === MINUS) scan.at += 1;
    if (!skipDigits(scan)) return expected(scan, 'a digit of the exponent');
  }
  const literal = text.slice(from, scan.at);
  // Adding 0 turns -0 into 0, which is how RFC 8785 prints it.
  return survives(scan, from, literal, Number(literal) + 0, scan.at === integer);
}

/** From here on canonical JSON prints integers with an exponent (ECMA-262, Number::toString). */
const EXPONENT_FROM = 1e21;

function survives(scan: Scan, from: number, literal: string, value: number, isInteger: boolean): number | undefined {
  if (Number.isSafeInteger(value)) return value;
  const shown = literal.length > 40 ? `${literal.slice(0, 40)}…` : literal;
  if (isInteger || (Number.isInteger(value) && Math.abs(value) < EXPONENT_FROM)) {
    const message = `expected an integer within ±9007199254740991, got \`${shown}\``;
    return fail(scan, 'json-unsafe-integer', from, message, 'write it as a string');
  }
  if (Number.isFinite(value)) return value;
  return fail(scan, 'json-number-range', from, `expected a number that fits a double, got \`${shown}\``);
}
