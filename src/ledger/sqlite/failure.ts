/** What SQLite means by its errors. */

/** Primary result codes by number (sqlite.org/rescode.html). */
const CODES: Readonly<Record<number, SqliteCode>> = {
  5: 'busy',
  8: 'read-only',
  11: 'corrupt',
  14: 'cannot-open',
  15: 'busy',
  26: 'not-a-database',
};

export type SqliteCode = 'busy' | 'read-only' | 'corrupt' | 'cannot-open' | 'not-a-database' | 'other';

/** The kind of an error that `node:sqlite` threw; nothing when it is another error. */
export function sqliteCodeOf(error: unknown): SqliteCode | undefined {
  const code: unknown = error instanceof Error && 'errcode' in error ? error.errcode : undefined;
  // The low byte of an extended code is the primary one.
  return typeof code === 'number' ? (CODES[code & 0xff] ?? 'other') : undefined;
}

/** Whether another connection holds the lock that was asked for; nothing was done. */
export function isBusy(error: unknown): boolean {
  return sqliteCodeOf(error) === 'busy';
}
