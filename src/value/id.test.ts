import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { fromHex } from './encoding.ts';
import { ValueError } from './error.ts';
import { isUuid, uuidV7 } from './id.ts';

const random = fc.uint8Array({ minLength: 10, maxLength: 10 });
const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });

test('the example of RFC 9562, appendix A.6', () => {
  assert.equal(
    uuidV7(0x017f22e279b0, fromHex('0cc318c4dc0c0c07398f') ?? assert.fail()),
    '017f22e2-79b0-7cc3-98c4-dc0c0c07398f',
  );
});

test('an id has version 7, the variant of RFC 9562, and its time in front', () => {
  fc.assert(
    fc.property(time, random, (ms, bytes) => {
      const id = uuidV7(ms, bytes);
      assert.ok(isUuid(id));
      assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab]/);
      assert.equal(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16), ms);
    }),
  );
});

test('ids of later milliseconds sort later', () => {
  fc.assert(
    fc.property(time, time, random, random, (a, b, left, right) => {
      if (a !== b) assert.equal(a < b, uuidV7(a, left) < uuidV7(b, right));
    }),
  );
});

test('times and randomness that do not fit are refused', () => {
  const isOutOfRange = (error: unknown): boolean => error instanceof ValueError && error.code === 'out-of-range';
  for (const ms of [-1, 0.5, 2 ** 48, NaN]) assert.throws(() => uuidV7(ms, new Uint8Array(10)), isOutOfRange);
  assert.throws(() => uuidV7(0, new Uint8Array(9)), isOutOfRange);
});

test('only the lower-case form with a known version is an id', () => {
  assert.ok(isUuid('017f22e2-79b0-7cc3-98c4-dc0c0c07398f'));
  assert.ok(isUuid('2ed6657d-e927-468b-95e1-2665a8aea6a2'));
  const others = [
    '',
    '017F22E2-79B0-7CC3-98C4-DC0C0C07398F',
    '017f22e279b07cc398c4dc0c0c07398f',
    '{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}',
  ];
  const malformed = [
    '017f22e2-79b0-0cc3-98c4-dc0c0c07398f',
    '017f22e2-79b0-7cc3-c8c4-dc0c0c07398f',
    '017f22e2-79b0-7cc3-98c4-dc0c0c07398f\n',
  ];
  for (const text of [...others, ...malformed]) assert.equal(isUuid(text), false, text);
});
