/** Where the tests of ledgers keep a log, whatever keeps it, and how they look at it. */

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Entry } from '../src/ledger/entry.ts';
import { parseEntry } from '../src/ledger/entry.ts';
import type { CallRow, Facts, Ledger, Reads } from '../src/ledger/ledger.ts';
import { LedgerError } from '../src/ledger/ledger.ts';
import type { Known } from '../src/ledger/tables.ts';
import type { Vault } from '../src/ledger/vault.ts';
import { EMPTY_FRONTIER, appendLeaf, leafHash } from '../src/tlog/tree.ts';
import type { Frontier } from '../src/tlog/tree.ts';
import type { ManualWorld } from './manual-world.ts';

/** Where a ledger of one kind keeps its log between two openings. */
export interface Place {
  readonly vault: Vault;
  open(world: ManualWorld): Promise<Ledger>;
  /** Everything stored now. */
  leaves(): Uint8Array[];
  rows(): CallRow[];
  tables(): Omit<Known, 'rows'>;
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

export function entriesOf(place: Place): Entry[] {
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

/** Asks under the write lock, and writes nothing. */
export function look(ledger: Ledger, reads: Reads): Promise<Facts> {
  return ledger.transact(reads, (facts) => ({ result: facts }));
}

/** Opens a ledger at a new place; it is closed after the test. */
export type Open = (t: TestContext) => Promise<Opened>;
