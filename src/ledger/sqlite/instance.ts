/** Instances: who holds the data directory open, told by locks that the kernel frees at death and only then. */

import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isUuid } from '../../value/id.ts';
import { LedgerError } from '../ledger.ts';

const ENDING = '.lock';
/** A file that is about to be held can be looked at by another process for a moment. */
const HOLD_WAIT_MS = 2_000;

/** An instance that lives; `release` ends it. */
export interface HeldInstance {
  release(): void;
}

function lockFile(instances: string, id: string): string {
  return join(instances, `${id}${ENDING}`);
}

/**
 * Makes the lock file of `id` in the folder `instances` and holds it. The lock belongs to the open file, not to a
 * process number. A crash at any point leaves a file that nobody holds, which `removeDead` removes.
 * Throws `cannot-open`.
 */
export function holdInstance(instances: string, id: string): HeldInstance {
  const path = lockFile(instances, id);
  try {
    const database = new DatabaseSync(path, { timeout: HOLD_WAIT_MS });
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    // Between making and holding it, another process may have taken it for dead.
    if (!existsSync(path)) {
      database.close();
      return holdInstance(instances, id);
    }
    return {
      release: () => {
        // In this order, so that nobody meets the file unheld and takes it for a crash.
        rmSync(path, { force: true });
        database.close();
      },
    };
  } catch (error) {
    throw new LedgerError('cannot-open', `\`${path}\` cannot be locked: use a local disk`, { cause: error });
  }
}

/**
 * Whether the instance still lives. It looks without taking the lock for itself, so that two who look do not see each
 * other. When in doubt it lives: then nothing is taken from it.
 */
export function isHeld(instances: string, id: string): boolean {
  const path = lockFile(instances, id);
  // Never open this file by other means than SQLite: closing it would drop the lock of this process (fcntl, POSIX).
  if (!isUuid(id) || !existsSync(path)) return false;
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true });
    database.prepare('SELECT count(*) FROM sqlite_schema').get();
    return false;
  } catch {
    return existsSync(path);
  } finally {
    database?.close();
  }
}

/** The ids with a lock file, held or not, other than `own`. */
export function otherInstances(instances: string, own: string): string[] {
  return readdirSync(instances)
    .filter((name) => name.endsWith(ENDING))
    .map((name) => name.slice(0, -ENDING.length))
    .filter((id) => id !== own && isUuid(id));
}

/** Removes the lock files of instances that died. */
export function removeDead(instances: string, own: string): void {
  for (const id of otherInstances(instances, own)) {
    const path = lockFile(instances, id);
    let database: DatabaseSync | undefined;
    try {
      database = new DatabaseSync(path);
      // Held while it is removed, so that a process that is just making it notices.
      database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
      rmSync(path, { force: true });
    } catch {
      // Held, so it lives; or it cannot be removed, and tells nobody anything false.
    } finally {
      database?.close();
    }
  }
}
