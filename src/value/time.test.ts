import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { ValueError } from './error.ts';
import { formatInstant, parseDuration, parseInstant } from './time.ts';

const MIN = -62_167_219_200_000;
const MAX = 253_402_300_799_999;

test('an instant comes back from its text, and texts sort as instants do', () => {
  const instant = fc.integer({ min: MIN, max: MAX });
  fc.assert(
    fc.property(instant, instant, (a, b) => {
      assert.equal(parseInstant(formatInstant(a)), a);
      assert.equal(formatInstant(a).length, 24);
      assert.equal(a < b, formatInstant(a) < formatInstant(b));
    }),
    { numRuns: 2_000 },
  );
  assert.equal(parseInstant(formatInstant(MIN)), MIN);
  assert.equal(parseInstant(formatInstant(MAX)), MAX);
});

test('an instant prints in UTC with milliseconds', () => {
  assert.equal(formatInstant(0), '1970-01-01T00:00:00.000Z');
  assert.equal(formatInstant(1_795_197_600_123), '2026-11-20T18:00:00.123Z');
});

test('offsets, fractions and lower case of RFC 3339 are read', () => {
  assert.equal(parseInstant('1985-04-12T23:20:50.52Z'), Date.UTC(1985, 3, 12, 23, 20, 50, 520));
  assert.equal(parseInstant('1996-12-19T16:39:57-08:00'), Date.UTC(1996, 11, 20, 0, 39, 57));
  assert.equal(parseInstant('1937-01-01t12:00:27.87+00:20'), Date.UTC(1937, 0, 1, 11, 40, 27, 870));
  assert.equal(parseInstant('2000-02-29T00:00:00.1239999z'), Date.UTC(2000, 1, 29, 0, 0, 0, 123));
  assert.equal(parseInstant('2024-01-01T00:00:00-00:00'), Date.UTC(2024, 0, 1));
});

test('what is no instant is nothing', () => {
  const days = ['2026-02-29', '1900-02-29', '2026-04-31', '2026-13-01', '2026-00-10', '2026-01-00'].map(
    (day) => `${day}T00:00:00Z`,
  );
  const times = [
    '24:00:00Z',
    '23:60:00Z',
    '23:59:60Z',
    '12:00Z',
    '12:00:00',
    '12:00:00.Z',
    '12:00:00+24:00',
    '12:00:00+01:60',
    '12:00:00 Z',
  ];
  const forms = [
    '',
    '2026-01-01',
    '2026-01-01 00:00:00Z',
    '26-01-01T00:00:00Z',
    ' 2026-01-01T00:00:00Z',
    '2026-01-01T00:00:00Z\n',
  ];
  for (const text of [...days, ...times.map((time) => `2026-01-01T${time}`), ...forms])
    assert.equal(parseInstant(text), undefined, text);
  assert.equal(parseInstant('0000-01-01T00:00:00+00:01'), undefined);
  assert.equal(parseInstant('9999-12-31T23:59:59-00:01'), undefined);
});

test('milliseconds that four digits of a year cannot say are refused', () => {
  for (const ms of [MIN - 1, MAX + 1, 0.5, NaN, Infinity]) {
    assert.throws(
      () => formatInstant(ms),
      (error) => error instanceof ValueError && error.code === 'out-of-range',
    );
  }
});

test('a duration is one whole number and one unit', () => {
  const durations = { '500ms': 500, '20s': 20_000, '30m': 1_800_000, '24h': 86_400_000, '7d': 604_800_000, '0s': 0 };
  for (const [text, ms] of Object.entries(durations)) assert.equal(parseDuration(text), ms, text);
  for (const text of [
    '',
    's',
    '1',
    '1.5h',
    '-1s',
    '+1s',
    '1 s',
    '1h30m',
    '01s',
    '1S',
    '1w',
    '999999999999999d',
    '1s\n',
  ]) {
    assert.equal(parseDuration(text), undefined, text);
  }
});
