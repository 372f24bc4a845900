/** Secret files of the data directory: created whole or not at all, and readable by their owner only. */

import { closeSync, fsyncSync, fstatSync, linkSync, openSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCodeOf, syncDirectory } from './directory.ts';
import { LedgerError } from './ledger.ts';

/** POSIX modes and owners mean nothing on Windows; there the directory's access list protects. */
const HAS_MODES = process.platform !== 'win32';

/**
 * The bytes of the file, or nothing when there is none. Throws `cannot-open` when others than the owner could read
 * or change it, or it is not this user's.
 */
export function readSecretFile(path: string): Uint8Array | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return undefined;
    throw new LedgerError('cannot-open', `\`${path}\` cannot be read by this user`, { cause: error });
  }
  try {
    const { mode, uid } = fstatSync(fd);
    const wider = mode & 0o177;
    if (HAS_MODES && wider !== 0) {
      const shown = (mode & 0o777).toString(8).padStart(4, '0');
      throw new LedgerError('cannot-open', `\`${path}\` has mode ${shown}, expected 0600: run chmod 600 on it`);
    }
    if (HAS_MODES && uid !== process.geteuid?.()) {
      throw new LedgerError('cannot-open', `\`${path}\` belongs to user ${uid}: run as that user, or chown it`);
    }
    return new Uint8Array(readFileSync(fd));
  } finally {
    closeSync(fd);
  }
}

/**
 * The bytes of the file; if there is none, `make()` becomes it, unless another process is faster. `unique` tells this
 * attempt from others that run at the same time.
 */
export function openSecretFile(path: string, unique: string, make: () => Uint8Array): Uint8Array {
  const existing = readSecretFile(path);
  if (existing !== undefined) return existing;
  const draft = `${path}.${unique}.tmp`;
  const fd = openSync(draft, 'wx', 0o600);
  try {
    // A crash from here to the unlink leaves the draft, which nothing ever reads.
    writeFileSync(fd, make());
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  try {
    // A link appears whole and never replaces. A crash before the directory is synced leaves the file or no file.
    linkSync(draft, path);
  } catch (error) {
    if (errorCodeOf(error) !== 'EEXIST') {
      throw new LedgerError('cannot-open', `\`${path}\` cannot be created`, { cause: error });
    }
  } finally {
    unlinkSync(draft);
  }
  syncDirectory(dirname(path));
  const created = readSecretFile(path);
  if (created === undefined) throw new LedgerError('cannot-open', `\`${path}\` was removed while it was created`);
  return created;
}
