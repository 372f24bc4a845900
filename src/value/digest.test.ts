import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { digestOf, digestOfBytes, equalBytes, sha256 } from './digest.ts';
import { fromHex, toHex, utf8 } from './encoding.ts';
import * as portable from './portable-hash.ts';

test('SHA-256 of the examples of FIPS 180-4', () => {
  assert.equal(toHex(sha256()), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  assert.equal(toHex(sha256(utf8('abc'))), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

test('hashing parts is hashing their concatenation', () => {
  const parts = fc.array(
    fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.constantFrom(new Uint8Array(150).fill(6), new Uint8Array(70_000).fill(7)),
    ),
    {
      maxLength: 4,
    },
  );
  fc.assert(
    fc.property(parts, (chunks) => {
      const whole = Uint8Array.from(chunks.flatMap((chunk) => [...chunk]));
      assert.equal(toHex(sha256(...chunks)), createHash('sha256').update(whole).digest('hex'));
      assert.deepEqual(portable.sha256(...chunks), sha256(whole));
    }),
    { numRuns: 50 },
  );
});

test('the portable hash is that of the platform, at every length around a block', () => {
  for (let length = 0; length <= 200; length += 1) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 255);
    assert.deepEqual(portable.sha256(bytes), sha256(bytes), `${length} bytes`);
  }
});

test('a digest is of the canonical form and says its algorithm', () => {
  assert.equal(digestOf({ b: 1, a: [] }), digestOfBytes(utf8('{"a":[],"b":1}')));
  assert.match(digestOf(null), /^sha256:[0-9a-f]{64}$/);
});

for (const [where, equal] of [
  ['here', equalBytes],
  ['anywhere', portable.equalBytes],
] as const) {
  test(`bytes are equal ${where} when all of them are`, () => {
    const bytes = fromHex('00ff10') ?? assert.fail();
    assert.ok(equal(bytes, bytes.slice()));
    assert.ok(!equal(bytes, bytes.subarray(1)));
    assert.ok(!equal(bytes, Uint8Array.of(0, 0xff, 0x11)));
    assert.ok(equal(new Uint8Array(0), new Uint8Array(0)));
  });
}
