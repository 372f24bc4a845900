/** Where calls that have ended go while a long log is folded: a database of this process alone, gone with it. */

import { DatabaseSync } from 'node:sqlite';
import type { Spill } from '../call-table.ts';
import type { CallRow } from '../ledger.ts';
import { text } from './row.ts';

/** SQLite makes a file of its own for it, which nobody else sees, and deletes it with the connection. */
const TEMPORARY = '';

const CACHE_KIB = 32_768;

/** An empty one. Nothing in it needs to survive: it is neither journaled nor flushed. */
export function openSpill(): Spill {
  const database = new DatabaseSync(TEMPORARY);
  database.exec(`PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -${CACHE_KIB};
    CREATE TABLE calls(id TEXT PRIMARY KEY, row TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE keys(key TEXT PRIMARY KEY, call TEXT NOT NULL) STRICT, WITHOUT ROWID`);
  const put = database.prepare('INSERT OR REPLACE INTO calls(id, row) VALUES (?, ?)');
  const take = database.prepare('INSERT OR REPLACE INTO keys(key, call) VALUES (?, ?)');
  const one = database.prepare('SELECT row FROM calls WHERE id = ?');
  const holder = database.prepare('SELECT call FROM keys WHERE key = ?');
  const all = database.prepare('SELECT row FROM calls ORDER BY id');
  return {
    add: (rows) => {
      database.exec('BEGIN');
      for (const [row, keys] of rows) {
        put.run(row.id, JSON.stringify(row));
        for (const key of keys) take.run(key, row.id);
      }
      database.exec('COMMIT');
    },
    call: (id) => {
      const found = one.get(id);
      return found === undefined ? undefined : (JSON.parse(text(found, 'row')) as CallRow);
    },
    holder: (key) => {
      const found = holder.get(key);
      return found === undefined ? undefined : text(found, 'call');
    },
    rows: function* () {
      for (const row of all.iterate()) yield JSON.parse(text(row, 'row')) as CallRow;
    },
  };
}
