/** Words for everything that an entry can say. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ENTRY_TYPES } from '../../ledger/entry.ts';
import { eventName, meaningOf } from './meaning.ts';
import { head, jsonLine, jsonText, plain, span, toolName } from './say.ts';

test('every type of entry that is about no single call has a sentence, and an unknown one its own name', () => {
  const events = ENTRY_TYPES.filter((type) => !type.startsWith('call.') && !type.endsWith('.content'));
  assert.ok(events.length > 0);
  for (const type of events) assert.match(eventName(type), /^[A-Z].*\.$/u, type);
  assert.equal(eventName('later.kind'), 'later.kind');
  assert.equal(eventName('toString'), 'toString');
  assert.equal(meaningOf('constructor'), undefined);
});

test('text of others is one harmless line, and its end is told where it is left out', () => {
  assert.equal(plain('a\u202e\n\u001b[2Jb'), String.raw`a\u{202e}\u{a}\u{1b}[2Jb`);
  assert.equal(plain('x'.repeat(250)), `${'x'.repeat(240)}… (10 more characters)`);
  assert.equal(plain(`a${'\u0301'.repeat(50)}b`), `a${'\u0301'.repeat(4)}…b`);
  assert.equal(plain('\ud83d'), '\ufffd');
  assert.equal(head('abcdef', 4), 'abc…');
  assert.deepEqual([toolName(''), toolName('bank.pay')], ['(no tool)', 'bank.pay']);
});

test('values are JSON that parses again, whatever they hold', () => {
  const value = { 'a\u202e': ['\u0000', '\u2028', { b: 1.5 }], 'long enough for lines of its own': 'x'.repeat(60) };
  assert.deepEqual(JSON.parse(jsonText(value)), value);
  assert.doesNotMatch(jsonText(value).replaceAll('\n', ''), /[\p{Cc}\p{Cf}\u2028]/u);
  assert.equal(
    jsonLine({ a: { $sealed: 'x' }, b: 'sealed' }, 80, (one) => (isSealed(one) ? 'sealed' : undefined)),
    '{"a":sealed,"b":"sealed"}',
  );
});

function isSealed(value: unknown): boolean {
  return typeof value === 'object' && value !== null && '$sealed' in value;
}

test('times have two units at most', () => {
  assert.deepEqual([0, 999, 1_500, 61_000, 3_600_000, 90_061_000].map(span), [
    '0 ms',
    '999 ms',
    '1.50 s',
    '1 min 1 s',
    '1 h',
    '1 d 1 h',
  ]);
});
