/** What SQLite means by its errors. */

import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { constants } from 'node:os';

/** Primary result codes by number (sqlite.org/rescode.html). */
const CODES: Readonly<Record<number, SqliteCode>> = {
  5: 'busy',
  8: 'read-only',
  10: 'disk',
  11: 'corrupt',
  13: 'full',
  14: 'cannot-open',
  15: 'busy',
  26: 'not-a-database',
};

export type SqliteCode =
  | 'busy'
  | 'read-only'
  | 'disk'
  | 'corrupt'
  | 'full'
  | 'cannot-open'
  | 'not-a-database'
  | 'other';

/** SQLITE_IOERR_WRITE. */
const WRITE = 778;
/** SQLITE_IOERR_FSYNC and SQLITE_IOERR_DIR_FSYNC. */
const SYNCS: ReadonlySet<unknown> = new Set([1034, 1290]);

/** The kind of an error that `node:sqlite` threw; nothing when it is another error. */
export function sqliteCodeOf(error: unknown): SqliteCode | undefined {
  const code: unknown = error instanceof Error && 'errcode' in error ? error.errcode : undefined;
  // The low byte of an extended code is the primary one.
  return typeof code === 'number' ? (CODES[code & 0xff] ?? 'other') : undefined;
}

/** Why the disk did not do what it was told, and what to do about it. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  switch (sqliteCodeOf(error)) {
    case 'disk':
      return error instanceof Error && 'errcode' in error && SYNCS.has(error.errcode)
        ? 'an fsync failed, and what a disk does after that is not known: check the disk, then start again'
        : `the disk cannot be written or read (${message}): check whether it is full, read-only or failing, then start again`;
    case 'read-only':
      return `the database cannot be written any more (${message}): check its disk and its owner, then start again`;
    case 'full':
      return 'the disk is full: make room';
    default:
      return message;
  }
}

/** A page of SQLite: what no quota lets through any more lets nothing through. */
const TRIED_BYTES = 4_096;

/**
 * Whether there was no room for a write to `ledger`: SQLite undid the transaction, and the next one may find some. A
 * quota that is used up SQLite takes for a disk that fails, so that is tried with a file beside it.
 */
export function isFull(error: unknown, ledger: string): boolean {
  if (sqliteCodeOf(error) === 'full') return true;
  const isWrite = error instanceof Error && 'errcode' in error && error.errcode === WRITE;
  return isWrite && isOverQuota(`${ledger}-room`);
}

/** A crash in between leaves an empty or half written file, which means nothing. */
function isOverQuota(file: string): boolean {
  let fd: number | undefined;
  try {
    fd = openSync(file, 'w', 0o600);
    writeSync(fd, new Uint8Array(TRIED_BYTES), 0, TRIED_BYTES, 0);
    return false;
  } catch (error) {
    // By number: Node has no name for the first.
    const { EDQUOT, ENOSPC } = constants.errno;
    return error instanceof Error && 'errno' in error && (error.errno === -EDQUOT || error.errno === -ENOSPC);
  } finally {
    if (fd !== undefined) closeSync(fd);
    rmSync(file, { force: true });
  }
}

/** Whether another connection holds the lock that was asked for; nothing was done. */
export function isBusy(error: unknown): boolean {
  return sqliteCodeOf(error) === 'busy';
}
