import assert from 'node:assert/strict';
import { test } from 'node:test';
import { uuidV7 } from '../../value/id.ts';
import type { CallRow } from '../ledger.ts';
import { type Tables, createTables } from '../tables.ts';
import { openSpill } from './spill.ts';

/** More than are kept in memory. */
const CALLS = 61_000;

function rowOf(index: number, state: CallRow['state'], keys: readonly string[]): CallRow {
  const id = uuidV7(index, new Uint8Array(10).fill(index % 251));
  const none = { attempt: `a${index}`, attempts: 1, instance: 'i', deadline: 0, slots: [], approvals: [] } as const;
  return {
    id,
    principal: 'local',
    tool: 'bank.pay',
    state,
    keys,
    position: index,
    reserved: { 'budget/x': 1 },
    ...none,
  };
}

function applyAll(tables: Tables, rows: readonly CallRow[]): void {
  for (const row of rows) tables.apply({ row, counters: [] });
}

test('tables that let go of ended calls answer as those that keep them all', () => {
  const rows = Array.from({ length: CALLS }, (_, index) =>
    rowOf(index, index % 1_000 === 0 ? 'parked' : index % 3 === 0 ? 'denied' : 'succeeded', [`h_${index % 50_000}`]),
  );
  // Calls that go on, or are told again, after they were let go of.
  const later = [rows[1], rows[2], rows[3_000]].flatMap((row) =>
    row === undefined ? [] : [{ ...row, state: 'failed', position: CALLS } as const],
  );
  const [kept, spilled] = [createTables(), createTables({}, openSpill)];
  for (const tables of [kept, spilled]) applyAll(tables, [...rows, ...later]);

  assert.deepEqual(spilled.size(), kept.size());
  for (let index = 0; index < CALLS; index += 97) {
    const id = rows[index]?.id ?? '';
    assert.deepEqual(spilled.call(id), kept.call(id));
    assert.deepEqual(spilled.holder(`h_${index}`), kept.holder(`h_${index}`));
  }
  assert.equal(spilled.call('nobody'), undefined);
  assert.deepEqual(new Set(spilled.open()), new Set(kept.open()));
  const byId = (tables: Tables): readonly CallRow[] => [...tables.rows()].sort((a, b) => (a.id < b.id ? -1 : 1));
  assert.deepEqual(byId(spilled), byId(kept));
});
