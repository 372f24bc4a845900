import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { needleOf } from './search.ts';

const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 120 });

test('a search finds what the built-in one finds, forwards and backwards', () => {
  fc.assert(
    fc.property(text, text, fc.nat(130), (haystack, needle, from) => {
      const sought = needleOf(needle);
      assert.equal(sought.indexIn(haystack, from), haystack.indexOf(needle, from));
      assert.equal(sought.lastIndexIn(haystack, from), haystack.lastIndexOf(needle, from));
    }),
    { numRuns: 2000 },
  );
});

test('a long needle that is there is found at either end', () => {
  const needle = 'ab'.repeat(20);
  const haystack = `${'a'.repeat(50)}${needle}${'b'.repeat(50)}${needle}c`;
  assert.equal(needleOf(needle).indexIn(haystack, 0), haystack.indexOf(needle));
  assert.equal(needleOf(needle).lastIndexIn(haystack, Infinity), haystack.lastIndexOf(needle));
});

test('hostile text and needle are searched in linear time', () => {
  const half = 'a'.repeat(100_000);
  const started = process.hrtime.bigint();
  assert.equal(needleOf(`${half}b${half}`).indexIn('a'.repeat(1_000_000), 0), -1);
  assert.equal(needleOf(`${half}b${half}`).lastIndexIn('a'.repeat(1_000_000), Infinity), -1);
  // The product would take minutes.
  assert.ok(process.hrtime.bigint() - started < 5_000_000_000n);
});
