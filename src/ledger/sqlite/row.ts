/** Rows of the tables as values, and the statements that read them. */

import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { Frontier } from '../../tlog/tree.ts';
import { frontierFromBytes } from '../../tlog/tree.ts';
import type { CallRow, CallState, Charges, Kill, TrustedTool } from '../ledger.ts';
import { LedgerError } from '../ledger.ts';
import type { Lease } from '../tables.ts';

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
  readonly inState: StatementSync;
  readonly parkedOf: StatementSync;
  readonly counter: StatementSync;
  readonly countersOf: StatementSync;
  readonly leases: StatementSync;
  readonly kill: StatementSync;
  readonly kills: StatementSync;
  readonly trusted: StatementSync;
  readonly allTrusted: StatementSync;
  readonly head: StatementSync;
  readonly lastCheckpoint: StatementSync;
  readonly checkpointUpTo: StatementSync;
  readonly leaf: StatementSync;
  readonly leaves: StatementSync;
  readonly meta: StatementSync;
}

/** In the words of the index `calls_open`, so that SQLite uses it. */
const OPEN = "state IN ('intent', 'unknown', 'parked')";

export function prepareQueries(database: DatabaseSync): Queries {
  return {
    call: database.prepare('SELECT * FROM calls WHERE id = ?'),
    holder: database.prepare('SELECT calls.* FROM keys JOIN calls ON calls.id = keys.call WHERE keys.key = ?'),
    open: database.prepare(`SELECT * FROM calls WHERE principal = ? AND tool = ? AND ${OPEN} ORDER BY id`),
    allOpen: database.prepare(`SELECT * FROM calls WHERE ${OPEN} ORDER BY principal, tool, id`),
    inState: database.prepare(`SELECT * FROM calls WHERE ${OPEN} AND state = ? ORDER BY id`),
    parkedOf: database.prepare(`SELECT * FROM calls WHERE principal = ? AND ${OPEN} AND state = 'parked' ORDER BY id`),
    counter: database.prepare('SELECT value FROM counters WHERE key = ?'),
    countersOf: database.prepare('SELECT key, value FROM counters WHERE key >= ? AND key < ? ORDER BY key'),
    leases: database.prepare(
      'SELECT key, attempt, until FROM leases WHERE key = ? AND (until IS NULL OR until > ?) ORDER BY attempt',
    ),
    kill: database.prepare('SELECT target, reason, by, at FROM kills WHERE target = ?'),
    kills: database.prepare('SELECT target, reason, by, at FROM kills ORDER BY target'),
    trusted: database.prepare('SELECT tool, digest, position FROM trusted WHERE tool = ?'),
    allTrusted: database.prepare('SELECT tool, digest, position FROM trusted ORDER BY tool'),
    head: database.prepare('SELECT frontier, at FROM head'),
    lastCheckpoint: database.prepare('SELECT note, frontier, at FROM checkpoints ORDER BY size DESC LIMIT 1'),
    checkpointUpTo: database.prepare(
      'SELECT note, frontier, at FROM checkpoints WHERE size <= ? ORDER BY size DESC LIMIT 1',
    ),
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
    ...moreOf(row),
    ...(salt instanceof Uint8Array ? { salt } : {}),
    ...(fingerprint instanceof Uint8Array ? { fingerprint } : {}),
  };
}

/** The columns of `row` in the order of `CALL_COLUMNS`; what is empty is nothing, so that a plain call stays small. */
export function callColumns(row: CallRow): SQLInputValue[] {
  const { id, principal, tool, state, attempt, attempts, instance, deadline, keys, position } = row;
  return [
    id,
    principal,
    tool,
    state,
    attempt,
    attempts,
    instance,
    deadline,
    JSON.stringify(keys),
    position,
    moreText(row),
    row.salt ?? null,
    row.fingerprint ?? null,
  ];
}

export const CALL_COLUMNS: readonly string[] =
  'id principal tool state attempt attempts instance deadline keys position more salt fingerprint'.split(' ');

/** What only calls with facts or approvals have: one column, so that the others cost nothing. */
type More = Pick<
  CallRow,
  'reserved' | 'slots' | 'slotsUntil' | 'effectTimeoutMs' | 'intent' | 'approval' | 'approvals'
>;

const NO_MORE: More = { reserved: {}, slots: [], approvals: [] };

function moreText(row: CallRow): string | null {
  const { reserved, slots, slotsUntil, effectTimeoutMs, intent, approval, approvals } = row;
  const isNone = isEmpty(reserved) && slots.length === 0 && approvals.length === 0;
  if (isNone && effectTimeoutMs === undefined && approval === undefined && intent === undefined) return null;
  return JSON.stringify({ reserved, slots, slotsUntil, effectTimeoutMs, intent, approval, approvals });
}

function moreOf(row: Row): More {
  if (row['more'] === null) return NO_MORE;
  try {
    return { ...NO_MORE, ...(JSON.parse(text(row, 'more')) as More) };
  } catch {
    throw damaged('more');
  }
}

function isEmpty(charges: Charges): boolean {
  for (const _key in charges) return false;
  return true;
}

export function leaseOf(row: Row): Lease {
  const until = row['until'];
  const lease = { key: text(row, 'key'), attempt: text(row, 'attempt') };
  return typeof until === 'number' ? { ...lease, until } : lease;
}

export function killOf(row: Row): Kill {
  const names = { target: text(row, 'target'), reason: text(row, 'reason'), by: text(row, 'by') };
  return { ...names, at: integer(row, 'at') };
}

export function trustedOf(row: Row): TrustedTool {
  return { tool: text(row, 'tool'), digest: text(row, 'digest'), position: integer(row, 'position') };
}

export function counterOf(row: Row): readonly [key: string, value: number] {
  return [text(row, 'key'), integer(row, 'value')];
}

/** What comes after all keys that begin with `prefix`, whose last character is ASCII. */
export function endOf(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCodePoint((prefix.codePointAt(prefix.length - 1) ?? 0) + 1);
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
