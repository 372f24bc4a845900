/** The laws of a comparison with earlier sessions: what was shown before is no departure, whatever it was. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type EntryDraft, encodeEntry } from '../ledger/entry.ts';
import type { LogEntry } from '../ledger/verify/verify.ts';
import type { JsonObject, JsonValue } from '../value/json.ts';
import { departures } from './drift.ts';
import { type Profile, profiles } from './profile.ts';

interface Call {
  readonly tool: string;
  readonly args: JsonObject;
  readonly effect: 'allow' | 'deny';
  readonly amount: number;
}

/** Each session's calls, one entry a decision and one an outcome. */
function logOf(sessions: Readonly<Record<string, readonly Call[]>>): LogEntry[] {
  const entries: LogEntry[] = [];
  const add = (type: EntryDraft['type'], fields: JsonObject): void => {
    const position = entries.length;
    const id = `01a1ff5b-dbfe-735b-9c3e-${String(position).padStart(12, '0')}`;
    entries.push({ position, leaf: encodeEntry({ id, type, fields }, { log: 'interlock/test', at: 1_000 }) });
  };
  for (const [session, calls] of Object.entries(sessions)) {
    for (const [n, { tool, args, effect, amount }] of calls.entries()) {
      const call = `${session}-${n}`;
      const policy = { effect, reserved: { [`budget/daily/everybody@${n}`]: amount } };
      const about = { call, principal: 'local', run: { id: session }, tool: { name: tool }, args };
      add(effect === 'deny' ? 'call.denied' : 'call.intent', { ...about, attempt: `a-${call}`, policy });
      if (effect === 'allow') add('call.succeeded', { call, attempt: `a-${call}` });
    }
  }
  return entries;
}

function profilesOf(sessions: Readonly<Record<string, readonly Call[]>>): Map<string, Profile> {
  const read = profiles(logOf(sessions), new Set(Object.keys(sessions)));
  assert.ok(read.ok);
  return new Map(read.bySession);
}

function kinds(session: readonly Call[], ...before: readonly (readonly Call[])[]): string[] {
  const found = profilesOf({ now: session, ...Object.fromEntries(before.map((calls, n) => [`before${n}`, calls])) });
  const now = found.get('now');
  const [first, ...rest] = before.flatMap((_, n) => found.get(`before${n}`) ?? []);
  assert.ok(now !== undefined && first !== undefined);
  return departures(now, [first, ...rest]).map(({ kind }) => kind);
}

const pay = (args: JsonObject = { amount: 1 }, more: Partial<Call> = {}): Call => ({
  tool: 'bank.pay',
  args,
  effect: 'allow',
  amount: 5,
  ...more,
});
const look = pay({}, { tool: 'bank.look', amount: 0 });

const value: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.string(),
  fc.array(fc.oneof(fc.integer(), fc.dictionary(fc.string(), fc.boolean()))),
  fc.constant({ $sealed: 'x' }),
);
const call: fc.Arbitrary<Call> = fc.record({
  tool: fc.constantFrom('bank.pay', 'bank.look', ''),
  args: fc.oneof(fc.dictionary(fc.constantFrom('a', 'b', '~/*'), value), fc.constant({ $body: 'x' })),
  effect: fc.constantFrom('allow', 'deny'),
  amount: fc.nat(9),
});

test('a session that is one of the earlier ones departs in nothing, whatever the others are', () => {
  const session = fc.array(call, { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(session, fc.array(session, { maxLength: 3 }), (now, others) => {
      assert.deepEqual(kinds(now, ...others, now), []);
    }),
  );
});

test('each departure is told, and a new tool alone where there is one', () => {
  const before = [pay(), look, pay()];
  assert.deepEqual(kinds([pay(), look, pay()], before), []);
  assert.deepEqual(kinds([pay(), look, pay(), pay({}, { tool: 'bank.close', amount: 0 })], before), ['tool', 'calls']);
  assert.deepEqual(kinds([look, pay(), pay()], before), ['order', 'order']);
  assert.deepEqual(kinds([pay({ amount: '1' }), look, pay()], before), ['argument']);
  assert.deepEqual(kinds([pay({ amount: 1, note: 'x' }), look, pay()], before), ['argument']);
  assert.deepEqual(kinds([pay({}), look, pay()], before), ['lacking']);
  assert.deepEqual(kinds([pay(), look, pay({ amount: 1 }, { effect: 'deny' })], before), ['denials', 'cost']);
  assert.deepEqual(kinds([pay(), look, pay({ amount: 1 }, { amount: 6 })], before), ['cost']);
  assert.deepEqual(kinds([pay(), look], before), ['calls', 'calls', 'cost']);
});

test('a figure between those of two sessions is within their range', () => {
  const [one, three] = [[pay()], [pay(), look, pay(), look, pay()]];
  assert.deepEqual(kinds([pay(), look, pay()], one, three), []);
});

test('what is sealed has a type of its own, and arguments that are sealed whole have no names', () => {
  const sealed = pay({ amount: { $sealed: 'x' } });
  assert.deepEqual(kinds([sealed], [pay()]), ['argument']);
  assert.deepEqual(kinds([sealed], [pay({ amount: { $sealed: 'y' } })]), []);
  assert.deepEqual(kinds([pay({ $body: 'x' })], [pay()]), []);
  assert.deepEqual(kinds([pay()], [pay({ $body: 'x' })]), []);
});

test('a call that is parked, tried again or not started counts once, and costs what it came to', () => {
  const entries: readonly (readonly [EntryDraft['type'], JsonObject])[] = [
    ['call.parked', {}],
    ['call.intent', { attempt: 'a1' }],
    ['call.not-started', { attempt: 'a1' }],
    ['call.intent', { attempt: 'a2' }],
    ['call.succeeded', { attempt: 'a2', charged: { 'budget/daily/everybody@0': 2 } }],
  ];
  const policy = { effect: 'allow', reserved: { 'budget/daily/everybody@0': 9, 'budget/daily/everybody@1': 9 } };
  const about = { call: 'c', principal: 'local', run: { id: 's' }, tool: { name: 'bank.pay' }, args: {}, policy };
  const log = entries.map(([type, fields], position) => {
    const id = `01a1ff5b-dbfe-735b-9c3e-${String(position).padStart(12, '0')}`;
    return { position, leaf: encodeEntry({ id, type, fields: { ...about, ...fields } }, { log: 'l', at: 0 }) };
  });
  const read = profiles(log, new Set(['s']));
  assert.ok(read.ok);
  const found = read.bySession.get('s');
  assert.deepEqual([found?.calls, found?.denied, [...(found?.costs ?? [])]], [1, 0, [['daily', 2]]]);
});

test('a session of endless different arguments is refused, not kept', () => {
  const many = Array.from({ length: 30 }, (_, n) =>
    pay(Object.fromEntries(Array.from({ length: 1_000 }, (__, k) => [`${n}-${k}`, 1]))),
  );
  assert.deepEqual(profiles(logOf({ many }), new Set(['many'])), { ok: false, tooVaried: 'many' });
});
