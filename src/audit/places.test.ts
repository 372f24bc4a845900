/** What the places of recorded arguments tell: every name and form, and nothing of a value. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { JsonValue } from '../value/json.ts';
import { placesIn } from './places.ts';

const told = (recorded: JsonValue): string[] => placesIn(recorded).map(({ pattern, type }) => `${pattern} ${type}`);

test('every place is told once, and lists by one pattern', () => {
  const recorded = { a: [1, 'x', { b: null }], 'c/~': true, d: {} };
  assert.deepEqual(told(recorded), [
    ' object',
    '/a array',
    '/a/* number',
    '/a/* string',
    '/a/* object',
    '/a/*/b null',
    '/c~1~0 boolean',
    '/d object',
  ]);
  assert.equal(placesIn(recorded).at(5)?.pointer, '/a/2/b');
});

test('what only an entry says is told as such, and what a caller wrote like it is an object', () => {
  const recorded = {
    name: { $sealed: 'c' },
    key: { $secret: 'github' },
    forged: { $lit: { $sealed: 'c', $secret: { $secret: 'github' } } },
    both: { $lit: { $secret: 'x' } },
  };
  assert.deepEqual(told(recorded).slice(1), [
    '/name sealed',
    '/key secret',
    '/forged object',
    '/forged/$sealed string',
    '/forged/$secret secret',
    '/both object',
    '/both/$secret string',
  ]);
  assert.deepEqual(told({ $body: 'c' }), [' sealed']);
  assert.deepEqual(told({ $secret: 'unknown' }), [' secret']);
});

test('no value makes a difference, only its form', () => {
  const form = fc.letrec<{ value: JsonValue }>((tie) => ({
    value: fc.oneof(fc.integer(), fc.string(), fc.array(tie('value')), fc.dictionary(fc.string(), tie('value'))),
  })).value;
  const blank = (value: JsonValue): JsonValue => {
    if (typeof value === 'string') return '';
    if (typeof value !== 'object' || value === null) return 0;
    if (Array.isArray(value)) return (value as readonly JsonValue[]).map(blank);
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, blank(inner)]));
  };
  fc.assert(
    fc.property(form, (value) => {
      assert.deepEqual(told(value).length > 0 && told(blank(value)), told(value));
    }),
  );
});
