/** Compares the tables that a store keeps for speed with the fold of its entries. */

import { isDeepStrictEqual } from 'node:util';
import { type Entry, parseEntry } from '../ledger/entry.ts';
import type { CallRow } from '../ledger/ledger.ts';
import type { Reader } from '../ledger/sqlite/reader.ts';
import type { Tables } from '../ledger/tables.ts';
import { type DeepCode, type DeepProblem, told } from './problem.ts';

/** Differences that are looked at a second time. */
const CELLS_MAX = 1_000;

/** What was folded so far, and may be folded further. */
export interface FoldedLog {
  readonly tables: Tables;
  /** One more than the position of the last entry. */
  readonly size: number;
  take(entry: Entry, position: number): void;
}

/** One value of a table: as it is stored now, and as the entries give it. */
interface Cell {
  readonly code: DeepCode;
  readonly name: string;
  readonly stored: () => unknown;
  readonly folded: () => unknown;
  readonly entry?: number;
}

/**
 * Every table of `reader` that is not what `log` folds to. A gateway may write meanwhile: what seems to differ is read
 * again in one look with the size of the log then, up to which the log is folded first.
 */
export function compareTables(reader: Reader, log: FoldedLog): readonly DeepProblem[] {
  const suspects: Cell[] = [];
  for (const cell of cellsOf(reader, log.tables)) {
    if (!isDeepStrictEqual(cell.stored(), cell.folded())) suspects.push(cell);
    if (suspects.length === CELLS_MAX) break;
  }
  const now = reader.snapshot(() => {
    return { head: reader.head(), values: suspects.map((cell) => ({ cell, stored: cell.stored() })) };
  });
  const { size } = now.head.frontier;
  for (const { position, leaf } of reader.leaves(log.size)) {
    const parsed = position < size ? parseEntry(leaf) : undefined;
    if (parsed?.ok === true) log.take(parsed.value, position);
  }
  const problems = now.values.flatMap(({ cell, stored }) => problemOf(cell, stored));
  if (log.size === size) return problems;
  const message = `expected the head of the log to have ${log.size} entries, got ${size}`;
  return [...problems, { code: 'table-head', message }];
}

function problemOf({ code, name, folded, entry }: Cell, stored: unknown): readonly DeepProblem[] {
  const expected = folded();
  if (isDeepStrictEqual(stored, expected)) return [];
  const got = stored === undefined ? 'nothing' : shown(stored);
  const message = `expected ${told(name)} to be ${expected === undefined ? 'nothing' : shown(expected)}, got ${got}`;
  return [entry === undefined ? { code, message } : { code, message, entry }];
}

function shown(value: unknown): string {
  return told(JSON.stringify(value));
}

function* cellsOf(reader: Reader, tables: Tables): Generator<Cell, void> {
  yield* callCells(reader, tables);
  yield* keyCells(reader, tables);
  yield* counterCells(reader, tables);
  yield {
    code: 'table-kill',
    name: 'kills',
    stored: () => named(reader.kills(), 'target'),
    folded: () => named(tables.kills(), 'target'),
  };
  yield {
    code: 'table-trusted',
    name: 'trusted',
    stored: () => named(reader.trusted(), 'tool'),
    folded: () => named(tables.allTrusted(), 'tool'),
  };
  yield {
    code: 'table-lease',
    name: 'leases',
    stored: () => new Set(reader.leases().map((lease) => JSON.stringify(lease))),
    folded: () => new Set([...tables.leases()].map((lease) => JSON.stringify(lease))),
  };
}

function named<K extends string, T extends Readonly<Record<K, string>>>(all: Iterable<T>, key: K): Map<string, T> {
  return new Map([...all].map((one) => [one[key], one]));
}

function* callCells(reader: Reader, tables: Tables): Generator<Cell, void> {
  let stored = 0;
  const cell = (id: string, row: () => CallRow | undefined): Cell => {
    const position = tables.call(id)?.position;
    return {
      code: 'table-call',
      name: `calls/${id}`,
      stored: () => derived(row()),
      folded: () => derived(tables.call(id)),
      ...(position === undefined ? {} : { entry: position }),
    };
  };
  for (const row of reader.calls()) {
    stored += 1;
    if (!isDeepStrictEqual(derived(row), derived(tables.call(row.id)))) {
      yield cell(row.id, () => reader.call(row.id));
    }
  }
  if (stored === tables.size().calls) return;
  for (const { id } of tables.rows()) {
    if (reader.call(id) === undefined) yield cell(id, () => reader.call(id));
  }
}

/** But for the columns that no entry says. */
function derived(row: CallRow | undefined): unknown {
  if (row === undefined) return undefined;
  const { salt: _salt, fingerprint: _fingerprint, ...rest } = row;
  return rest;
}

function* keyCells(reader: Reader, tables: Tables): Generator<Cell, void> {
  const cell = (key: string): Cell => {
    return {
      code: 'table-key',
      name: `keys/${key}`,
      stored: () => reader.keyHolder(key),
      folded: () => tables.holder(key)?.id,
    };
  };
  let stored = 0;
  for (const [key, id] of reader.keys()) {
    stored += 1;
    if (tables.holder(key)?.id !== id) yield cell(key);
  }
  if (stored === tables.size().keys) return;
  for (const { id, keys } of tables.rows()) {
    for (const key of keys) if (tables.holder(key)?.id === id && reader.keyHolder(key) === undefined) yield cell(key);
  }
}

function* counterCells(reader: Reader, tables: Tables): Generator<Cell, void> {
  const cell = (key: string): Cell => {
    return {
      code: 'table-counter',
      name: `counters/${key}`,
      stored: () => reader.counter(key),
      folded: () => tables.counter(key),
    };
  };
  const seen = new Set<string>();
  for (const [key, value] of reader.counters()) {
    seen.add(key);
    if (tables.counter(key) !== value) yield cell(key);
  }
  for (const [key] of tables.counters()) if (!seen.has(key)) yield cell(key);
}
