/** The database file: opening it durable, its tables, and telling it from files that are none of ours. */

import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { errorCodeOf } from '../directory.ts';
import { LedgerError } from '../ledger.ts';
import { isBusy, reasonOf, sqliteCodeOf } from './failure.ts';

/** `ILK1` in the header of the file (PRAGMA application_id). */
const APPLICATION_ID = 0x49_4c_4b_31;
const SCHEMA_VERSION = 5;
/** Before it, a WAL reset could lose commits when a checkpoint ran beside a writer. */
const SQLITE_VERSION_MIN = [3, 51, 3] as const;
const WAL_AUTOCHECKPOINT_PAGES = 4000;
const FULL = 2;

/**
 * `entries` is the log, and the contract of this file: exactly the leaf bytes, by position. The rest can be told from
 * it (`head`, `calls` but for salt and fingerprint, `keys`, `counters`, `leases`, `kills`, `trusted`), is signed (`checkpoints`) or
 * committed to (`bodies`, with `shares` and `subjects`, which hold what opens them). In `subjects` records are only ever
 * overwritten in place, so that no page keeps a copy of a key that was destroyed.
 */
const SCHEMA = `
  CREATE TABLE entries(position INTEGER PRIMARY KEY, leaf BLOB NOT NULL) STRICT;
  CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE head(one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL, frontier BLOB NOT NULL,
    at INTEGER NOT NULL) STRICT;
  CREATE TABLE checkpoints(size INTEGER PRIMARY KEY, note TEXT NOT NULL, frontier BLOB NOT NULL,
    at INTEGER NOT NULL) STRICT;
  CREATE TABLE calls(id TEXT PRIMARY KEY, principal TEXT NOT NULL, tool TEXT NOT NULL, state TEXT NOT NULL,
    attempt TEXT NOT NULL, attempts INTEGER NOT NULL, instance TEXT NOT NULL, deadline INTEGER NOT NULL,
    keys TEXT NOT NULL, position INTEGER NOT NULL, more TEXT, salt BLOB, fingerprint BLOB) STRICT, WITHOUT ROWID;
  CREATE INDEX calls_open ON calls(principal, tool) WHERE state IN ('intent', 'unknown', 'parked');
  CREATE TABLE keys(key TEXT PRIMARY KEY, call TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE counters(key TEXT PRIMARY KEY, value INTEGER NOT NULL CHECK (value > 0)) STRICT, WITHOUT ROWID;
  CREATE TABLE leases(key TEXT NOT NULL, attempt TEXT NOT NULL, until INTEGER, PRIMARY KEY (key, attempt))
    STRICT, WITHOUT ROWID;
  CREATE TABLE kills(target TEXT PRIMARY KEY, reason TEXT NOT NULL, by TEXT NOT NULL, at INTEGER NOT NULL)
    STRICT, WITHOUT ROWID;
  CREATE TABLE trusted(tool TEXT PRIMARY KEY, digest TEXT NOT NULL, position INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE bodies(call TEXT NOT NULL, role TEXT NOT NULL, position INTEGER NOT NULL, ciphertext BLOB NOT NULL,
    wrapped_key BLOB NOT NULL, PRIMARY KEY (call, role, position)) STRICT;
  CREATE INDEX bodies_live ON bodies(position) WHERE role = 'live';
  CREATE TABLE shares(call TEXT NOT NULL, role TEXT NOT NULL, position INTEGER NOT NULL, subject TEXT NOT NULL,
    wrapped BLOB NOT NULL, PRIMARY KEY (call, role, position, subject)) STRICT, WITHOUT ROWID;
  CREATE INDEX shares_subject ON shares(subject);
  CREATE TABLE subjects(id INTEGER PRIMARY KEY, subject TEXT NOT NULL UNIQUE, record BLOB NOT NULL) STRICT;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/**
 * The connection that writes: WAL, every commit on disk before it returns, deleted content overwritten. It waits up to
 * `busyMs` for the locks of other processes.
 * Throws `cannot-open` when the file or this SQLite cannot be used.
 */
export function openDatabase(path: string, busyMs: number): DatabaseSync {
  requireVersion(process.versions.sqlite ?? '0.0.0');
  createPrivate(path);
  let database: DatabaseSync;
  try {
    database = new DatabaseSync(path, { timeout: busyMs });
  } catch (error) {
    throw cannotOpen(path, error);
  }
  try {
    requireOurs(path, database);
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
      PRAGMA wal_autocheckpoint = ${WAL_AUTOCHECKPOINT_PAGES}`);
    // A SQLite built with other defaults, or a file system without shared memory, would ignore the request silently.
    requirePragma(path, database, 'journal_mode', 'wal');
    requirePragma(path, database, 'synchronous', FULL);
    requirePragma(path, database, 'secure_delete', 1);
    return database;
  } catch (error) {
    database.close();
    throw cannotOpen(path, error);
  }
}

/** A connection that cannot write. Throws `cannot-open` when there is no ledger at `path` that this version can read. */
export function openReadOnly(path: string, busyMs: number): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true, timeout: busyMs });
    if (!requireOurs(path, database)) {
      throw new LedgerError('cannot-open', `\`${path}\` is empty: no ledger was created in it yet`);
    }
    return database;
  } catch (error) {
    database?.close();
    throw cannotOpen(path, error);
  }
}

/** Whether the file has our tables; false when it has none at all. Inside a transaction this is the truth. */
export function hasTables(database: DatabaseSync): boolean {
  return pragma(database, 'user_version') !== 0;
}

/** Creates the tables, inside the caller's transaction: a crash before its commit leaves an empty database. */
export function createSchema(database: DatabaseSync): void {
  database.exec(SCHEMA);
}

/** A new file, and with it the -wal and -shm files SQLite makes alike, is for its owner only. */
function createPrivate(path: string): void {
  try {
    // Only a file that is not there may be opened by other means than SQLite: closing any descriptor of a database
    // file drops the locks this process has on it (fcntl, POSIX). A crash here leaves an empty file, a new database.
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (errorCodeOf(error) !== 'EEXIST') throw cannotOpen(path, error);
  }
}

function requireVersion(version: string): void {
  const parts = version.split('.').map(Number);
  for (const [index, least] of SQLITE_VERSION_MIN.entries()) {
    const part = parts[index] ?? 0;
    if (part > least) return;
    if (part < least) {
      const wanted = SQLITE_VERSION_MIN.join('.');
      throw new LedgerError('cannot-open', `this Node has SQLite ${version}, expected ${wanted} or later: update Node`);
    }
  }
}

/** Whether the database is ours; false when it is empty. Another process may be creating its tables. */
function requireOurs(path: string, database: DatabaseSync): boolean {
  const { version, application, objects } = lookAt(database);
  if (application === APPLICATION_ID) {
    if (version === SCHEMA_VERSION) return true;
    const found = `\`${path}\` has version ${version}, expected version ${SCHEMA_VERSION} of its tables`;
    // Earlier versions were never released, so there is nothing to bring along.
    const isEarlier = typeof version === 'number' && version < SCHEMA_VERSION;
    const hint = isEarlier
      ? 'it is from before the first release, name a new directory with --data'
      : 'update Interlock';
    throw new LedgerError('cannot-open', `${found}: ${hint}`);
  }
  if (version === 0 && objects === 0) return false;
  const hint = 'name another data directory with --data';
  throw new LedgerError('cannot-open', `\`${path}\` is a database of another program: ${hint}`);
}

/** In one look: between two the tables could come to be. */
function lookAt(database: DatabaseSync): {
  readonly version: string | number;
  readonly application: string | number;
  readonly objects: unknown;
} {
  database.exec('BEGIN');
  try {
    const version = pragma(database, 'user_version');
    const application = pragma(database, 'application_id');
    return { version, application, objects: database.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n'] };
  } finally {
    // An error may have ended it.
    if (database.isTransaction) database.exec('COMMIT');
  }
}

function requirePragma(path: string, database: DatabaseSync, name: string, expected: string | number): void {
  const actual = pragma(database, name);
  if (actual === expected) return;
  throw new LedgerError(
    'cannot-open',
    `\`${path}\` opened with ${name} ${actual}, expected ${expected}: use a local disk`,
  );
}

function pragma(database: DatabaseSync, name: string): string | number {
  const value = database.prepare(`PRAGMA ${name}`).get()?.[name];
  return typeof value === 'string' || typeof value === 'number' ? value : '';
}

/** `error` as the operating error that says what to do about it. */
export function cannotOpen(path: string, error: unknown): Error {
  if (error instanceof LedgerError) return error;
  const message = ((): string => {
    if (isBusy(error)) return `\`${path}\` is locked by another program: close that and start again`;
    switch (sqliteCodeOf(error)) {
      case 'corrupt':
      case 'not-a-database':
        return `\`${path}\` is damaged or no SQLite database: restore it, or name another directory with --data`;
      case 'cannot-open':
      case 'read-only':
        return `\`${path}\` cannot be opened by this user: change its owner, or name another directory with --data`;
      case 'full':
        return `\`${path}\` cannot be opened, its disk is full: make room and start again`;
      case 'disk':
        return `\`${path}\` cannot be opened: ${reasonOf(error)}`;
      default:
        return `\`${path}\` cannot be opened (${error instanceof Error ? error.message : 'unknown reason'})`;
    }
  })();
  return new LedgerError('cannot-open', message, { cause: error });
}
