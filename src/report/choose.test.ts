/** Which entries are on a page: the last calls, whole, with what happened around them; and the rest is counted. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry } from '../ledger/entry.ts';
import type { JsonObject } from '../value/json.ts';
import { Choice, type PageLimits } from './choose.ts';

function entry(type: string, fields: JsonObject = {}): Entry {
  return { v: 1, log: 'log', id: 'id', at: '2026-11-20T18:00:00.000Z', type, ...fields } as unknown as Entry;
}

function decision(call: string, session = 's', effect = 'allow', digest = 'sha256:p'): Entry {
  const type = { allow: 'call.intent', ask: 'call.parked', deny: 'call.denied' }[effect] ?? '';
  return entry(type, { call, run: { id: session }, policy: { effect, digest } });
}

const LARGE: PageLimits = { decisions: 100, events: 100, bytes: 100_000 };

/** The positions on the page, and what is left. */
function chosen(entries: readonly Entry[], of?: string, limits: Partial<PageLimits> = {}) {
  const choice = new Choice(of, { ...LARGE, ...limits });
  for (const [position, one] of entries.entries()) choice.look(one, position, 100);
  const positions = [...entries.keys()].filter((position) => {
    const one = entries[position];
    return one !== undefined && choice.isChosen(one, position);
  });
  return { positions, left: choice.leftBeside(positions.flatMap((position) => entries[position] ?? [])) };
}

const NONE = { decisions: { allow: 0, ask: 0, deny: 0 }, events: 0 };

test('the whole log is on the page when there is room', () => {
  const entries = [entry('ledger.opened'), decision('a'), entry('call.succeeded', { call: 'a' }), entry('kill.set')];
  assert.deepEqual(chosen(entries), { positions: [0, 1, 2, 3], left: NONE });
});

test('of many calls the last are on the page with all their entries, and the others are counted', () => {
  const entries = [
    decision('a'),
    decision('b', 's', 'ask'),
    decision('c', 's', 'deny'),
    entry('call.succeeded', { call: 'a' }),
    decision('b'),
    entry('call.succeeded', { call: 'b' }),
  ];
  const { positions, left } = chosen(entries, undefined, { decisions: 2 });
  // The question about b came long before its intent: a call is on the page whole.
  assert.deepEqual(positions, [1, 2, 4, 5]);
  assert.deepEqual(left, { decisions: { allow: 1, ask: 0, deny: 0 }, events: 0 });
});

test('large entries leave room for fewer', () => {
  const entries = Array.from({ length: 10 }, (_, i) => decision(`call ${i}`));
  const { positions, left } = chosen(entries, undefined, { bytes: 350 });
  assert.deepEqual(positions, [7, 8, 9]);
  assert.equal(left.decisions['allow'], 7);
});

test('a session has its own calls and what happened meanwhile, not what came before and after', () => {
  const entries = [
    entry('kill.set'),
    entry('policy.loaded'),
    decision('other', 't'),
    decision('a'),
    entry('kill.lifted'),
    entry('call.succeeded', { call: 'other' }),
    entry('call.succeeded', { call: 'a' }),
    entry('ledger.closed'),
    entry('erasure.executed'),
  ];
  assert.deepEqual(chosen(entries, 's'), { positions: [1, 3, 4, 6, 8], left: NONE });
  assert.deepEqual(chosen(entries, 'other').positions, [1, 2, 4, 5, 8]);
  assert.equal(new Choice('nobody').hasCalls, false);
});

test('of many events the last are on the page', () => {
  const entries = Array.from({ length: 10 }, () => entry('ledger.opened'));
  assert.deepEqual(chosen(entries, undefined, { events: 3 }), {
    positions: [7, 8, 9],
    left: { ...NONE, events: 7 },
  });
});

test('the policies that decided come along, and no other, as long as there is room', () => {
  const content = (digest: string): Entry => entry('policy.content', { content: digest });
  const entries = [content('sha256:p'), content('sha256:q'), content('sha256:p'), decision('a')];
  assert.deepEqual(chosen(entries).positions, [0, 2, 3]);
  assert.deepEqual(chosen(entries, undefined, { bytes: 150 }).positions, [3]);
});
