import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import {
  DURATION_MAX,
  formatDuration,
  formatTimestamp,
  parseDuration,
  parseTimestamp,
  TIMESTAMP_MAX,
  TIMESTAMP_MIN,
} from './time-text.ts';

test('a timestamp reads back as it was written, to the nanosecond', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: TIMESTAMP_MIN, max: TIMESTAMP_MAX }), (nanos) => {
      assert.equal(parseTimestamp(formatTimestamp(nanos)), nanos);
    }),
  );
});

test('a duration reads back as it was written, to the nanosecond', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -DURATION_MAX, max: DURATION_MAX }), (nanos) => {
      assert.equal(parseDuration(formatDuration(nanos)), nanos);
    }),
  );
});

test('timestamps are RFC 3339 with a zone, of days that exist', () => {
  assert.equal(parseTimestamp('2009-02-13T23:31:30Z'), 1_234_567_890_000_000_000n);
  assert.equal(parseTimestamp('2009-02-14T01:31:30.5+02:00'), 1_234_567_890_500_000_000n);
  for (const bad of [
    '2009-02-13',
    '2009-02-13T23:31:30',
    '2009-02-30T00:00:00Z',
    '2009-02-13T24:00:00Z',
    '2009-02-13T23:31:60Z',
    '0000-01-01T00:00:00Z',
    '10000-01-01T00:00:00Z',
    ' 2009-02-13T23:31:30Z',
  ]) {
    assert.equal(parseTimestamp(bad), undefined, bad);
  }
});

test('durations take several units and fractions, and nothing else', () => {
  assert.equal(parseDuration('1h30m'), 5_400_000_000_000n);
  assert.equal(parseDuration('-1.5s'), -1_500_000_000n);
  assert.equal(parseDuration('0'), 0n);
  for (const bad of ['', '1', 's', '1d', '1h ', '1h-3m', '320000000000s', '9'.repeat(100)]) {
    assert.equal(parseDuration(bad), undefined, bad);
  }
});
