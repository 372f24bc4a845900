/** The statements that change the log, its tree and its tables. */

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { CALL_COLUMNS } from './row.ts';

/** But for those of the vault, which it prepares itself. */
export interface WriterStatements {
  readonly begin: StatementSync;
  readonly commit: StatementSync;
  readonly rollback: StatementSync;
  readonly dataVersion: StatementSync;
  readonly entry: StatementSync;
  readonly head: StatementSync;
  readonly checkpoint: StatementSync;
  readonly call: StatementSync;
  readonly key: StatementSync;
  readonly counter: StatementSync;
  readonly noCounter: StatementSync;
  readonly lease: StatementSync;
  readonly noLease: StatementSync;
  readonly checkpointWal: StatementSync;
  readonly cosigned: StatementSync;
  readonly kill: StatementSync;
  readonly noKill: StatementSync;
  readonly trusted: StatementSync;
}

export function prepareWriter(database: DatabaseSync): WriterStatements {
  const updates = CALL_COLUMNS.slice(1).map((column) => `${column} = excluded.${column}`);
  return {
    begin: database.prepare('BEGIN IMMEDIATE'),
    commit: database.prepare('COMMIT'),
    rollback: database.prepare('ROLLBACK'),
    dataVersion: database.prepare('PRAGMA data_version'),
    entry: database.prepare('INSERT INTO entries(position, leaf) VALUES (?, ?)'),
    head: database.prepare('UPDATE head SET size = ?, frontier = ?, at = ?'),
    cosigned: database.prepare('UPDATE checkpoints SET note = ? WHERE size = ?'),
    checkpoint: database.prepare('INSERT INTO checkpoints(size, note, frontier, at) VALUES (?, ?, ?, ?)'),
    call: database.prepare(
      `INSERT INTO calls(${CALL_COLUMNS.join(', ')}) VALUES (${CALL_COLUMNS.map(() => '?').join(', ')})
       ON CONFLICT(id) DO UPDATE SET ${updates.join(', ')}`,
    ),
    key: database.prepare(
      'INSERT INTO keys(key, call) VALUES (?, ?) ON CONFLICT(key) DO UPDATE SET call = excluded.call',
    ),
    counter: database.prepare(
      'INSERT INTO counters(key, value) VALUES (?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value',
    ),
    noCounter: database.prepare('DELETE FROM counters WHERE key = ?'),
    lease: database.prepare('INSERT INTO leases(key, attempt, until) VALUES (?, ?, ?)'),
    noLease: database.prepare('DELETE FROM leases WHERE key = ? AND attempt = ?'),
    checkpointWal: database.prepare('PRAGMA wal_checkpoint(TRUNCATE)'),
    kill: database.prepare(
      `INSERT INTO kills(target, reason, by, at) VALUES (?, ?, ?, ?)
       ON CONFLICT(target) DO UPDATE SET reason = excluded.reason, by = excluded.by, at = excluded.at`,
    ),
    noKill: database.prepare('DELETE FROM kills WHERE target = ?'),
    trusted: database.prepare('INSERT INTO trusted(tool, digest, position) VALUES (?, ?, ?)'),
  };
}
