/** Rows of the tables as values, and the statements that read them. */

import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { Frontier } from '../../tlog/tree.ts';
import { frontierFromBytes } from '../../tlog/tree.ts';
import type { CallRow, CallState } from '../ledger.ts';
import { LedgerError } from '../ledger.ts';

type Row = Record<string, SQLOutputValue>;

/** The end of the log: its tree and the time of its last entry, milliseconds since the epoch. */
export interface Head {
  readonly frontier: Frontier;
  readonly at: number;
}

/** A signed note over the tree of `frontier`. */
export interface StoredCheckpoint extends Head {
  readonly note: string;
}

/** Point queries, prepared once a connection. */
export interface Queries {
  readonly call: StatementSync;
  readonly holder: StatementSync;
  readonly open: StatementSync;
  readonly allOpen: StatementSync;
  readonly head: StatementSync;
  readonly lastCheckpoint: StatementSync;
  readonly leaf: StatementSync;
  readonly leaves: StatementSync;
  readonly meta: StatementSync;
}

export function prepareQueries(database: DatabaseSync): Queries {
  return {
    call: database.prepare('SELECT * FROM calls WHERE id = ?'),
    holder: database.prepare('SELECT calls.* FROM keys JOIN calls ON calls.id = keys.call WHERE keys.key = ?'),
    open: database.prepare(
      "SELECT * FROM calls WHERE principal = ? AND tool = ? AND state IN ('intent', 'unknown') ORDER BY id",
    ),
    allOpen: database.prepare("SELECT * FROM calls WHERE state IN ('intent', 'unknown') ORDER BY principal, tool, id"),
    head: database.prepare('SELECT frontier, at FROM head'),
    lastCheckpoint: database.prepare('SELECT note, frontier, at FROM checkpoints ORDER BY size DESC LIMIT 1'),
    leaf: database.prepare('SELECT position, leaf FROM entries WHERE position = ?'),
    leaves: database.prepare('SELECT position, leaf FROM entries WHERE position >= ? ORDER BY position LIMIT ?'),
    meta: database.prepare('SELECT value FROM meta WHERE name = ?'),
  };
}

export function callRow(row: Row): CallRow {
  const { salt, fingerprint } = row;
  return {
    id: text(row, 'id'),
    principal: text(row, 'principal'),
    tool: text(row, 'tool'),
    state: text(row, 'state') as CallState,
    attempt: text(row, 'attempt'),
    attempts: integer(row, 'attempts'),
    instance: text(row, 'instance'),
    deadline: integer(row, 'deadline'),
    keys: keyList(text(row, 'keys')),
    position: integer(row, 'position'),
    ...(salt instanceof Uint8Array ? { salt } : {}),
    ...(fingerprint instanceof Uint8Array ? { fingerprint } : {}),
  };
}

export function headOf(row: Row): Head {
  const frontier = frontierFromBytes(bytes(row, 'frontier'));
  if (frontier === undefined) throw damaged('frontier');
  return { frontier, at: integer(row, 'at') };
}

export function checkpointOf(row: Row): StoredCheckpoint {
  return { ...headOf(row), note: text(row, 'note') };
}

function keyList(json: string): readonly string[] {
  const keys: unknown = JSON.parse(json);
  if (Array.isArray(keys) && keys.every((key) => typeof key === 'string')) return keys;
  throw damaged('keys');
}

export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value === 'string') return value;
  throw damaged(column);
}

export function integer(row: Row, column: string): number {
  const value = row[column];
  if (typeof value === 'number') return value;
  throw damaged(column);
}

export function bytes(row: Row, column: string): Uint8Array {
  const value = row[column];
  if (value instanceof Uint8Array) return value;
  throw damaged(column);
}

function damaged(column: string): LedgerError {
  return new LedgerError('tampered', `the database holds a value that is none in column \`${column}\``);
}
