/** Where the tests of ledgers keep a log, whatever keeps it, and how they look at it. */

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Entry } from '../src/ledger/entry.ts';
import { parseEntry } from '../src/ledger/entry.ts';
import type { CallRow, Facts, Ledger, Reads } from '../src/ledger/ledger.ts';
import { LedgerError } from '../src/ledger/ledger.ts';
import { isReleased } from '../src/ledger/fold.ts';
import { type Known, foldLog } from '../src/ledger/tables.ts';
import type { Vault } from '../src/ledger/vault.ts';
import { EMPTY_FRONTIER, appendLeaf, leafHash } from '../src/tlog/tree.ts';
import type { Frontier } from '../src/tlog/tree.ts';
import type { ManualWorld } from './manual-world.ts';

/** Everything that is stored now. */
export interface Stored {
  leaves(): Uint8Array[];
  rows(): CallRow[];
  tables(): Omit<Known, 'rows'>;
}

/** Where a ledger of one kind keeps its log between two openings. */
export interface Place extends Stored {
  readonly vault: Vault;
  open(world: ManualWorld): Promise<Ledger>;
}

export type MakePlace = (world: ManualWorld) => Place;

export interface Opened {
  readonly place: Place;
  readonly world: ManualWorld;
  readonly ledger: Ledger;
}

export function isCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof LedgerError && error.code === code;
}

export function entriesOf(place: Stored): Entry[] {
  return place.leaves().map((leaf) => {
    const parsed = parseEntry(leaf);
    assert(parsed.ok, 'expected every leaf to be an entry');
    return parsed.value;
  });
}

export function frontierOf(leaves: readonly Uint8Array[]): Frontier {
  let frontier = EMPTY_FRONTIER;
  for (const leaf of leaves) frontier = appendLeaf(frontier, leafHash(leaf));
  return frontier;
}

/** The rows without what no entry says. */
export function derived(rows: Iterable<CallRow>): CallRow[] {
  const bare = [...rows].map(({ salt: _salt, fingerprint: _fingerprint, ...row }) => row);
  return bare.sort((left, right) => (left.id < right.id ? -1 : 1));
}

/** The tables are what folding the entries gives. */
export function assertFolded(place: Stored): void {
  const folded = foldLog(entriesOf(place));
  assert(folded.ok, folded.ok ? undefined : `entry ${folded.position}: ${folded.message}`);
  const rows = place.rows();
  assert.deepEqual(derived(folded.tables.rows()), derived(rows));
  for (const row of rows) {
    if (isReleased(row)) continue;
    for (const key of row.keys) assert.equal(folded.tables.holder(key)?.id, row.id);
  }
  const { counters, leases, kills, trusted } = place.tables();
  assert.deepEqual(new Map(folded.tables.counters()), new Map(counters));
  assert.deepEqual(new Set(folded.tables.leases()), new Set(leases));
  assert.deepEqual(new Set(folded.tables.kills()), new Set(kills));
  assert.deepEqual(new Set(folded.tables.allTrusted()), new Set(trusted));
  assert(counters.every(([, value]) => value > 0));
}

/** Asks under the write lock, and writes nothing. */
export function look(ledger: Ledger, reads: Reads): Promise<Facts> {
  return ledger.transact(reads, (facts) => ({ result: facts }));
}

/** Opens a ledger at a new place; it is closed after the test. */
export type Open = (t: TestContext) => Promise<Opened>;
