import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { readVectors } from '../../test/vectors/read.ts';
import { canonicalText } from './canonical.ts';
import { fromBase64 } from './encoding.ts';
import { ValueError } from './error.ts';
import type { Issue } from './issue.ts';
import { isJsonObject, parseJson } from './json.ts';
import type { JsonLimits, JsonValue } from './json.ts';

function accepted(input: string | Uint8Array, limits?: Partial<JsonLimits>): JsonValue {
  const parsed = parseJson(input, limits);
  if (!parsed.ok) assert.fail(JSON.stringify(parsed.issues));
  return parsed.value;
}

function refused(input: string | Uint8Array, limits?: Partial<JsonLimits>): Issue {
  const parsed = parseJson(input, limits);
  const [issue, ...more] = parsed.issues;
  if (parsed.ok || issue === undefined) assert.fail(`accepted ${JSON.stringify(parsed)}`);
  assert.deepEqual(more, []);
  assert.equal(issue.severity, 'error');
  assert.doesNotMatch(issue.message, /[\n\p{Cc}]/u);
  return issue;
}

function assertRefused(input: string | Uint8Array, code: string, line: number, column: number): void {
  const issue = refused(input);
  assert.deepEqual([issue.code, issue.line, issue.column], [code, line, column], issue.message);
}

interface SuiteCase {
  readonly id: string;
  readonly expect?: 'must-accept' | 'must-reject' | 'either';
  readonly bytes_b64: string;
}

/** Cases that RFC 8259 accepts and a parser that hashes must not: a key twice. */
const STRICTER = new Set(['nst-y_object_duplicated_key.json', 'nst-y_object_duplicated_key_and_value.json']);

function bytesOf({ id, bytes_b64 }: SuiteCase): Uint8Array {
  return fromBase64(bytes_b64) ?? assert.fail(`vector ${id} is not base64`);
}

test('the parser does what JSONTestSuite labels, but for duplicate keys', () => {
  const counts = { 'must-accept': 0, 'must-reject': 0, either: 0 };
  for (const vector of readVectors<SuiteCase>('jsontestsuite-parsing.jsonl')) {
    const { id, expect = 'either' } = vector;
    const parsed = parseJson(bytesOf(vector));
    counts[expect] += 1;
    if (STRICTER.has(id)) assert.equal(parsed.issues[0]?.code, 'json-duplicate-key', id);
    else if (expect !== 'either') assert.equal(parsed.ok, expect === 'must-accept', `${id} ${JSON.stringify(parsed)}`);
    // Compared as text, because JSON.parse keeps -0.
    if (parsed.ok)
      assert.equal(
        JSON.stringify(parsed.value),
        JSON.stringify(JSON.parse(new TextDecoder().decode(bytesOf(vector)))),
        id,
      );
  }
  assert.ok(counts['must-accept'] > 90 && counts['must-reject'] > 180, JSON.stringify(counts));
});

test('of the cases without one right answer, those where readers differ are refused and the others are stable', () => {
  const codes: Record<string, number> = {};
  for (const vector of readVectors<SuiteCase>('jsontestsuite-transform.jsonl')) {
    const parsed = parseJson(bytesOf(vector));
    if (parsed.ok) assert.deepEqual(accepted(canonicalText(parsed.value)), parsed.value, vector.id);
    const code = parsed.issues[0]?.code ?? 'accepted';
    codes[code] = (codes[code] ?? 0) + 1;
  }
  // Accepted are six numbers and strings that doubles and UTF-16 hold, and keys that differ only in normalisation.
  const expected = { 'json-unsafe-integer': 5, 'json-duplicate-key': 3, 'json-lone-surrogate': 3, 'json-utf8': 3 };
  assert.deepEqual(codes, { ...expected, accepted: 8 });
});

test('what is printed parses to what was printed', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), (generated) => {
      const parsed = parseJson(JSON.stringify(generated));
      // Generated numbers may be integers beyond 2^53, which are refused on purpose.
      if (!parsed.ok) return parsed.issues[0]?.code === 'json-unsafe-integer';
      const text = canonicalText(parsed.value);
      assert.deepEqual(accepted(text), parsed.value);
      assert.equal(canonicalText(accepted(text)), text);
      return true;
    }),
    { numRuns: 2_000 },
  );
});

test('every double is read back from its canonical text, or refused as an unsafe integer', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (double) => {
      const parsed = parseJson(`[${double},${double.toExponential()}]`);
      const isUnsafe = Number.isInteger(double) && !Number.isSafeInteger(double) && Math.abs(double) < 1e21;
      assert.equal(parsed.ok, !isUnsafe);
      if (parsed.ok) assert.deepEqual(parsed.value, [double + 0, double + 0]);
    }),
    { numRuns: 2_000 },
  );
});

test('what the parser takes, JSON.parse takes alike; no input makes it throw', () => {
  const token = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\',
    '"a"',
    '1',
    '-',
    '.5',
    'e',
    'true',
    'null',
    ' ',
    '\n',
    '\\ud800',
    '\u0000',
    'é',
    '😀',
  );
  fc.assert(
    fc.property(fc.array(token, { maxLength: 12 }), (tokens) => {
      const text = tokens.join('');
      const parsed = parseJson(text);
      if (parsed.ok) assert.deepEqual(parsed.value, JSON.parse(text));
    }),
    { numRuns: 5_000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      parseJson(bytes);
    }),
  );
});

test('a duplicate key is refused where it stands, however it is spelt', () => {
  assertRefused('{"a":1,\n "a":2}', 'json-duplicate-key', 2, 2);
  assertRefused('{"a":1,"\\u0061":2}', 'json-duplicate-key', 1, 8);
  assertRefused('{"__proto__":1,"__proto__":2}', 'json-duplicate-key', 1, 16);
  assertRefused('{"toString":1,"toString":2}', 'json-duplicate-key', 1, 15);
  assertRefused('[{"1":null,"1":null}]', 'json-duplicate-key', 1, 12);
});

test('names of Object.prototype are ordinary keys', () => {
  const value = accepted('{"__proto__":{"admin":true},"constructor":1,"hasOwnProperty":2}');
  assert.ok(isJsonObject(value));
  assert.deepEqual(Object.keys(value), ['__proto__', 'constructor', 'hasOwnProperty']);
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
  assert.equal('admin' in value, false);
});

test('a lone surrogate is refused, raw or escaped; a pair is one character', () => {
  assertRefused('["\ud800"]', 'json-lone-surrogate', 1, 3);
  assertRefused('["ab\\ud800"]', 'json-lone-surrogate', 1, 5);
  assertRefused('["\\udc00\\ud800"]', 'json-lone-surrogate', 1, 3);
  assertRefused('["\\ud800\\u0041"]', 'json-lone-surrogate', 1, 3);
  assertRefused('{"\\ud800":1}', 'json-lone-surrogate', 1, 3);
  assert.equal(accepted('"\\ud83d\\uDE00"'), '😀');
});

test('bytes that are not UTF-8 are refused where they begin', () => {
  assertRefused(Uint8Array.of(0x22, 0x61, 0xff, 0x22), 'json-utf8', 1, 3);
  assertRefused(Uint8Array.of(0x0a, 0x22, 0xed, 0xa0, 0x80, 0x22), 'json-utf8', 2, 2);
  assertRefused(Uint8Array.of(0x22, 0xc0, 0xaf, 0x22), 'json-utf8', 1, 2);
  assertRefused(Uint8Array.of(0x22, 0xef, 0xbf, 0xbd, 0xf0, 0x9f, 0x98), 'json-utf8', 1, 3);
});

test('a byte order mark is refused', () => {
  assertRefused(Uint8Array.of(0xef, 0xbb, 0xbf, 0x31), 'json-bom', 1, 1);
  assertRefused('\ufeff1', 'json-bom', 1, 1);
});

test('an integer survives or is refused', () => {
  assert.deepEqual(accepted('[9007199254740991,-9007199254740991,0]'), [2 ** 53 - 1, -(2 ** 53 - 1), 0]);
  assertRefused('[9007199254740992]', 'json-unsafe-integer', 1, 2);
  assertRefused('[1,\n  -9007199254740993]', 'json-unsafe-integer', 2, 3);
  assertRefused('12345678901234567890123', 'json-unsafe-integer', 1, 1);
  assertRefused(`1${'0'.repeat(400)}`, 'json-unsafe-integer', 1, 1);
});

test('a number with a fraction or an exponent is a double, unless it would print as an unsafe integer', () => {
  assert.deepEqual(
    accepted('[1.5,1E2,1e21,1e-400,0.1,12345678901234567e-10]'),
    [1.5, 100, 1e21, 0, 0.1, 1234567.8901234567],
  );
  assertRefused('1e20', 'json-unsafe-integer', 1, 1);
  assertRefused('9007199254740993.0', 'json-unsafe-integer', 1, 1);
  assertRefused('[-1e400]', 'json-number-range', 1, 2);
});

test('-0 is 0', () => {
  assert.ok(Object.is(accepted('-0'), 0));
  assert.ok(Object.is(accepted('-0.0e5'), 0));
  assert.ok(Object.is(accepted('-1e-999'), 0));
});

test('limits of depth, size and nodes are exact', () => {
  assert.deepEqual(accepted('[[1]]', { depthMax: 2 }), [[1]]);
  assert.equal(refused('[[[1]]]', { depthMax: 2 }).code, 'json-depth');
  assert.equal(refused('[{"a":{}}]', { depthMax: 2 }).column, 7);
  assert.equal(accepted('"é"', { bytesMax: 4 }), 'é');
  assert.equal(refused('"éé"', { bytesMax: 5 }).code, 'json-size');
  assert.equal(refused(Uint8Array.of(0x31, 0x31), { bytesMax: 1 }).code, 'json-size');
  assert.deepEqual(accepted('[1,{"a":2}]', { nodesMax: 4 }), [1, { a: 2 }]);
  assert.equal(refused('[1,{"a":2}]', { nodesMax: 3 }).code, 'json-nodes');
  assert.equal(refused('['.repeat(1_000_000)).code, 'json-depth');
});

test("a limit that could exhaust the stack is the caller's error", () => {
  assert.throws(
    () => parseJson('1', { depthMax: 1_001 }),
    (error) => error instanceof ValueError && error.code === 'out-of-range',
  );
  assert.equal(refused('['.repeat(1_001), { depthMax: 1_000 }).code, 'json-depth');
});

test('a syntax error says what was expected, what came, and where', () => {
  const cases: readonly (readonly [string, number, number, string, string | undefined])[] = [
    ['', 1, 1, 'expected a value, got the end of the input', undefined],
    ['{"a":1,}', 1, 8, 'expected a key, got `}`', 'remove the comma before it'],
    ['[1,]', 1, 4, 'expected a value, got `]`', 'remove the comma before it'],
    ['[1 2]', 1, 4, 'expected `,` or `]`, got `2`', undefined],
    ['{"a" 1}', 1, 6, 'expected `:`, got `1`', undefined],
    ['{a:1}', 1, 2, 'expected a key, got `a`', 'keys stand in double quotes'],
    ["{'a':1}", 1, 2, "expected a key, got `'`", 'keys stand in double quotes'],
    ['{"😀é":\n\t NaN}', 2, 3, 'expected a value, got `NaN`', 'JSON has no such number; leave it out or write `null`'],
    ['True', 1, 1, 'expected a value, got `True`', 'write `true`, `false` and `null` in lower case'],
    ['// x', 1, 1, 'expected a value, got `/`', 'JSON has no comments'],
    [
      '"a\nb"',
      1,
      3,
      'expected a character of a string, got U+000A',
      'control characters are written as escapes, such as `\\n`',
    ],
    ['["abc', 1, 2, 'expected `"` to end this string, got the end of the input', undefined],
    [
      '"\\x41"',
      1,
      3,
      'expected an escape after `\\`, got `x41`',
      'one of `"\\/bfnrt`, or `u` and four hexadecimal digits',
    ],
    ['[01]', 1, 2, 'expected a number, got one with leading zeros', 'remove the zeros, or make it a string'],
    ['[1.]', 1, 4, 'expected a digit after the point, got `]`', undefined],
    ['-', 1, 2, 'expected a digit, got the end of the input', undefined],
    ['\u00a01', 1, 1, 'expected a value, got U+00A0', undefined],
  ];
  for (const [text, line, column, message, hint] of cases) {
    const issue = refused(text);
    assert.deepEqual(
      [issue.code, issue.line, issue.column, issue.message, issue.hint],
      ['json-syntax', line, column, message, hint],
      text,
    );
  }
  assertRefused('{} \n {}', 'json-trailing', 2, 2);
  assertRefused('nullx', 'json-trailing', 1, 5);
});

test('a hostile document is refused in time and memory in proportion to its size', () => {
  const replacement = new TextEncoder().encode('\ufffd'.repeat(300_000));
  const broken = new Uint8Array(replacement.length + 1).fill(0xff);
  broken.set(replacement);
  assert.equal(refused(broken).column, 300_001);
  assert.equal(refused(`"${'\\n'.repeat(1_000_000)}`).code, 'json-syntax');
  assert.equal(refused(`[${'{"a":[],"b":'.repeat(100)}`).code, 'json-syntax');
});
