import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  APPROVAL,
  answered,
  approved,
  denied,
  intent,
  newId,
  outcome,
  parked,
  refused,
  settled,
} from '../../test/ledger-drafts.ts';
import type { Entry } from './entry.ts';
import { encodeEntry, parseEntry } from './entry.ts';
import { fold } from './fold.ts';
import type { CallRow, CallState, Writes } from './ledger.ts';
import type { Step } from './step.ts';
import { readStep } from './step.ts';
import { createTables, foldLog } from './tables.ts';

const STATES: readonly (CallState | 'none')[] = [
  'none',
  'denied',
  'parked',
  'refused',
  'expired',
  'intent',
  'not-started',
  'succeeded',
  'failed',
  'unknown',
  'settled-executed',
  'settled-not-executed',
];

/** The whole relation: every entry that fits, by the state it finds and the state it leaves. All others do not. */
const LEGAL: Readonly<Record<string, CallState>> = {
  'none denied': 'denied',
  'none parked': 'parked',
  'not-started parked': 'parked',
  'settled-not-executed parked': 'parked',
  'parked approved': 'parked',
  'parked refused': 'refused',
  'parked intent': 'intent',
  'none intent': 'intent',
  'not-started intent': 'intent',
  'settled-not-executed intent': 'intent',
  'intent not-started': 'not-started',
  'intent succeeded': 'succeeded',
  'intent failed': 'failed',
  'intent unknown': 'unknown',
  'unknown executed': 'settled-executed',
  'unknown not-executed': 'settled-not-executed',
};

function stepOf(writes: Writes): Step {
  const [entry] = writes.entries;
  assert(entry !== undefined);
  const read = readStep(entry.type, entry.fields);
  assert(read.ok && read.step !== undefined);
  return read.step;
}

function rowIn(state: CallState): CallRow {
  const names = { id: 'c', principal: 'local', tool: 'files.write', state, attempt: 'a', instance: 'i' };
  const asked = state === 'parked' || state === 'refused' || state === 'expired' ? { approval: APPROVAL } : {};
  return {
    ...names,
    attempts: 1,
    deadline: 1,
    keys: ['h_1'],
    position: 0,
    reserved: {},
    slots: [],
    approvals: [],
    ...asked,
  };
}

function holding(...rows: readonly CallRow[]): ReturnType<typeof createTables> {
  return createTables({ rows, counters: [['parked/principal=local', 1]] });
}

test('of all entries in all states exactly the legal ones fit', () => {
  const steps: Readonly<Record<string, Step>> = {
    denied: stepOf(denied('c')),
    parked: stepOf(parked({ call: 'c', keys: ['h_1'] })),
    approved: stepOf(approved('c', 'ann')),
    refused: stepOf(refused('c')),
    intent: stepOf(intent({ call: 'c', attempt: 'b', keys: ['h_1'] })),
    'not-started': stepOf(outcome('not-started', 'c', 'a')),
    succeeded: stepOf(answered('succeeded', 'c', 'a')),
    failed: stepOf(answered('failed', 'c', 'a')),
    unknown: stepOf(outcome('unknown', 'c', 'a')),
    executed: stepOf(settled('executed', 'c', 'a')),
    'not-executed': stepOf(settled('not-executed', 'c', 'a')),
  };
  for (const state of STATES) {
    const tables = state === 'none' ? holding() : holding(rowIn(state));
    for (const [name, step] of Object.entries(steps)) {
      const folded = fold(step, { position: 7, at: 10 }, tables);
      const expected = LEGAL[`${state} ${name}`];
      assert.equal(folded.ok ? folded.row?.state : undefined, expected, `${name} in ${state}`);
      if (folded.ok) assert.equal(folded.row?.position, name === 'approved' ? 0 : 7);
      else assert.equal(folded.code, 'illegal');
    }
  }
});

test('an outcome or a settlement of another attempt does not fit', () => {
  for (const writes of [
    outcome('not-started', 'c', 'b'),
    outcome('unknown', 'c', 'b'),
    answered('succeeded', 'c', 'b'),
  ]) {
    assert.equal(fold(stepOf(writes), { position: 1, at: 10 }, holding(rowIn('intent'))).ok, false);
  }
  assert.equal(
    fold(stepOf(settled('executed', 'c', 'b')), { position: 1, at: 10 }, holding(rowIn('unknown'))).ok,
    false,
  );
});

test('a new attempt needs another attempt id, the same principal and tool, and all keys of the call', () => {
  const free = holding(rowIn('not-started'));
  const again = { call: 'c', attempt: 'b', keys: ['h_1'] };
  const folded = fold(stepOf(intent({ ...again, keys: ['h_2', 'h_1'] })), { position: 9, at: 10 }, free);
  assert(folded.ok);
  assert.deepEqual([folded.row?.attempts, folded.row?.keys, folded.keys], [2, ['h_2', 'h_1'], ['h_2']]);
  for (const wrong of [{ attempt: 'a' }, { keys: [] }, { keys: ['h_2'] }, { principal: 'other' }, { tool: 'other' }]) {
    assert.equal(
      fold(stepOf(intent({ ...again, ...wrong })), { position: 9, at: 10 }, free).ok,
      false,
      JSON.stringify(wrong),
    );
  }
});

test('what may have had its effect is only repeated by an intent that names the attempt, and one stands for both', () => {
  const key = 'budget/money/all@2026-11-20T00:00:00.000Z';
  for (const state of STATES) {
    if (state === 'none') continue;
    const before = { ...rowIn(state), reserved: { [key]: 3 }, ...(state === 'unknown' ? { intent: 0 } : {}) };
    const tables = createTables({
      rows: [before],
      counters: [
        ['parked/principal=local', 1],
        [key, 3],
      ],
    });
    const again = { call: 'c', attempt: 'b', keys: ['h_1'], reserved: { [key]: 4 } };
    const repeats = fold(stepOf(intent({ ...again, resends: 'a' })), { position: 9, at: 10 }, tables);
    const other = fold(stepOf(intent({ ...again, resends: 'z' })), { position: 9, at: 10 }, tables);
    const isRepeated = state === 'unknown' || state === 'failed';
    assert.equal(repeats.ok, isRepeated || LEGAL[`${state} intent`] !== undefined, state);
    assert.equal(other.ok, LEGAL[`${state} intent`] !== undefined, state);
    if (!repeats.ok || !isRepeated) continue;
    assert.deepEqual(repeats.counters, [[key, 4]]);
    assert.deepEqual([repeats.row?.state, repeats.row?.intent, repeats.row?.attempts], ['intent', undefined, 2]);
  }
});

test('a key of another call is taken unless that call was denied, refused, or expired', () => {
  for (const state of STATES) {
    if (state === 'none') continue;
    const folded = fold(
      stepOf(intent({ call: 'd', attempt: 'b', keys: ['h_1'] })),
      { position: 9, at: 10 },
      holding(rowIn(state)),
    );
    assert.equal(folded.ok, ['denied', 'refused', 'expired'].includes(state), state);
    if (!folded.ok) assert.equal(folded.code, 'key-taken');
  }
});

test('what no entry says is kept through a transition', () => {
  const salt = Uint8Array.of(1);
  const before: CallRow = { ...rowIn('intent'), salt, fingerprint: salt };
  const folded = fold(stepOf(answered('failed', 'c', 'a')), { position: 3, at: 10 }, holding(before));
  assert.deepEqual(folded, { ok: true, row: { ...before, state: 'failed', position: 3 }, keys: [], counters: [] });
});

test('an entry without the fields of its type is malformed', () => {
  const good = intent({ call: 'c', attempt: 'b' }).entries[0]?.fields ?? {};
  const wrong: readonly (readonly [string, unknown])[] = [
    ['call', ''],
    ['attempt', 1],
    ['instance', null],
    ['deadline', 'soon'],
    ['principal', 7],
    ['tool', 'files.write'],
    ['keys', ['h', 'h']],
    ['keys', [1]],
    ['keys', 'h'],
  ];
  for (const [name, value] of wrong) {
    const read = readStep('call.intent', { ...good, [name]: value as string });
    assert(!read.ok && read.message.includes(name), name);
  }
  assert.equal(readStep('call.settled', { call: 'c', attempt: 'a', as: 'done' }).ok, false);
  assert.equal(readStep('call.denied', { call: 'c', principal: 'p' }).ok, false);
  assert.equal(readStep('call.succeeded', { call: 'c' }).ok, false);
  assert.deepEqual(readStep('policy.loaded', {}), { ok: true });
});

function entryOf(writes: Writes): Entry {
  const [draft] = writes.entries;
  assert(draft !== undefined);
  const parsed = parseEntry(encodeEntry(draft, { log: 'log', at: 0 }));
  assert(parsed.ok);
  return parsed.value;
}

test('folding a log gives its tables, or the first entry that does not fit', () => {
  const [call, attempt] = [newId(), newId()];
  const log = [
    intent({ call, attempt, keys: ['h_1'] }),
    outcome('unknown', call, attempt),
    settled('executed', call, attempt),
  ];
  const folded = foldLog(log.map(entryOf));
  assert(folded.ok);
  assert.equal(folded.tables.holder('h_1')?.state, 'settled-executed');
  assert.equal(folded.tables.call(call)?.position, 2);
  const broken = foldLog([...log, ...log.slice(1)].map(entryOf));
  assert(!broken.ok);
  assert.equal(broken.position, 3);
});
