import assert from 'node:assert/strict';
import { test } from 'node:test';

import canonicalize from 'canonicalize';
import * as fc from 'fast-check';

import { readVectors } from '../../test/vectors/read.ts';
import { canonicalBytes, canonicalText } from './canonical.ts';
import { toHex } from './encoding.ts';
import { ValueError } from './error.ts';
import type { ValueErrorCode } from './error.ts';
import { parseJson } from './json.ts';
import type { JsonValue } from './json.ts';

function double(hex: string): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(`0x${hex}`));
  return view.getFloat64(0);
}

function assertRefused(value: unknown, code: ValueErrorCode): void {
  const isExpected = (error: unknown): boolean => error instanceof ValueError && error.code === code;
  assert.throws(() => canonicalText(value as JsonValue), isExpected);
  // Keys out of order take the other way through the printer.
  assert.throws(() => canonicalText({ b: [], a: value as JsonValue }), isExpected);
}

test('the documents of json-canonicalization print byte for byte', () => {
  const vectors = readVectors<{ id: string; input_utf8: string; expected_hex: string }>('jcs.jsonl');
  assert.equal(vectors.length, 6);
  for (const { id, input_utf8, expected_hex } of vectors) {
    const parsed = parseJson(input_utf8);
    assert.ok(parsed.ok, id);
    assert.equal(toHex(canonicalBytes(parsed.value)), expected_hex, id);
  }
});

test('ten thousand doubles print as ECMAScript prints them', () => {
  const vectors = readVectors<{ id: string; ieee754_hex: string; expected: string }>('jcs-numbers-10000.jsonl');
  assert.equal(vectors.length, 10_000);
  for (const { id, ieee754_hex, expected } of vectors) assert.equal(canonicalText(double(ieee754_hex)), expected, id);
});

test('the numbers of RFC 8785, appendix B print or are refused', () => {
  const vectors = readVectors<{ ieee754_hex: string; expected: string; must_reject: boolean }>(
    'rfc8785-appendix-b.jsonl',
  );
  for (const { ieee754_hex, expected, must_reject } of vectors) {
    if (must_reject) assertRefused(double(ieee754_hex), 'non-finite');
    else assert.equal(canonicalText(double(ieee754_hex)), expected);
  }
});

test('any JSON value prints as the reference implementation prints it', () => {
  const key = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('10', '9', '__proto__', '', 'é', '\ufb33', '😀', 'toJSON'),
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.jsonValue({ maxDepth: 1 }),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(key, tie('tree'), { maxKeys: 5 }),
    ),
  }));
  fc.assert(
    fc.property(tree, (value) => {
      assert.equal(canonicalText(value as JsonValue), canonicalize(value));
    }),
    { numRuns: 2_000 },
  );
});

test('the order of keys in the value makes no difference', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
      const turned = Object.fromEntries(Object.entries(value).reverse());
      assert.equal(canonicalText(value as JsonValue), canonicalText(turned as JsonValue));
    }),
  );
});

test('keys are sorted by UTF-16 code units, not by code points', () => {
  assert.equal(
    canonicalText({ '\ufb33': 1, '😀': 2, b: 3, a: 4, '10': 5, '9': 6 }),
    '{"10":5,"9":6,"a":4,"b":3,"😀":2,"\ufb33":1}',
  );
});

test('strings are escaped only as JSON demands', () => {
  assert.equal(
    canonicalText('\u0000\b\t\n\u000b\f\r\u001f"\\/\u007f\u2028é😀'),
    '"\\u0000\\b\\t\\n\\u000b\\f\\r\\u001f\\"\\\\/\u007f\u2028é😀"',
  );
});

test('what has no canonical form is refused, never dropped or converted', () => {
  assertRefused('a\ud800', 'lone-surrogate');
  assertRefused({ '\udc00': 1 }, 'lone-surrogate');
  assertRefused([NaN], 'non-finite');
  assertRefused(undefined, 'not-json');
  assertRefused({ a: undefined }, 'not-json');
  assertRefused([1, , 2], 'not-json'); // oxlint-disable-line no-sparse-arrays -- a hole is what is tested
  assertRefused(1n, 'not-json');
  assertRefused(() => 1, 'not-json');
  assertRefused(new Date(0), 'not-json');
  assertRefused(new Map(), 'not-json');
  assertRefused({ toJSON: () => 1 }, 'not-json');
});

test('a toJSON method of an array is not called', () => {
  assert.equal(canonicalText(Object.assign([1], { toJSON: () => 2 })), '[1]');
});

test('a cycle is refused before it exhausts the stack', () => {
  const cycle: JsonValue[] = [];
  cycle.push(cycle);
  assertRefused(cycle, 'too-deep');
});
