/** The data directory: where its files are, and making it. */

import { accessSync, closeSync, constants, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { LedgerError } from './ledger.ts';
import { networkOf } from './network.ts';

/** The files of a data directory by what they hold. */
export interface DataFiles {
  readonly ledger: string;
  readonly signer: string;
  /** The key that will sign, until the log has its entry and it becomes `signer`. */
  readonly nextSigner: string;
  readonly vaultKey: string;
  /** A directory: a key for each epoch. */
  readonly epochs: string;
  readonly instances: string;
}

export function dataFiles(dataDirectory: string): DataFiles {
  return {
    ledger: join(dataDirectory, 'ledger.db'),
    signer: join(dataDirectory, 'signer.key'),
    nextSigner: join(dataDirectory, 'signer.next'),
    vaultKey: join(dataDirectory, 'vault.key'),
    epochs: join(dataDirectory, 'epochs'),
    instances: join(dataDirectory, 'instances'),
  };
}

/** Makes the directory (mode 0700) and what it needs inside, if missing. Throws `cannot-open` with what is in the way. */
export function prepareDirectory(dataDirectory: string): DataFiles {
  const files = dataFiles(dataDirectory);
  try {
    // A crash in between leaves an empty directory, which the next start uses.
    mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
    requireLocal(dataDirectory);
    mkdirSync(files.instances, { recursive: true, mode: 0o700 });
    // A file system that is read-only says so here, and not first by a lock that cannot be made.
    accessSync(files.instances, constants.W_OK);
  } catch (error) {
    throw error instanceof LedgerError ? error : unusable(dataDirectory, error);
  }
  return files;
}

/** The files of a data directory that must be there already, to be read. Throws `cannot-open` when it is not. */
export function existingDirectory(dataDirectory: string): DataFiles {
  const files = dataFiles(dataDirectory);
  try {
    statSync(dataDirectory);
    statSync(files.ledger);
  } catch (error) {
    throw unusable(dataDirectory, error);
  }
  return files;
}

/** Reading is let be: whoever looks at a copy of a log trusts no lock. */
function requireLocal(dataDirectory: string): void {
  const network = networkOf(dataDirectory);
  if (network === undefined) return;
  const why = `\`${dataDirectory}\` is on a network file system (${network}), where a lock may not hold`;
  const hint = 'name a directory on a local disk with --data, one for each machine';
  throw new LedgerError('cannot-open', `${why}: ${hint}`);
}

function unusable(dataDirectory: string, error: unknown): LedgerError {
  const message = ((): string => {
    switch (errorCodeOf(error)) {
      case 'EEXIST':
      case 'ENOTDIR':
        return `\`${dataDirectory}\` is a file, expected a directory: name another with --data`;
      case 'EACCES':
      case 'EPERM':
        return `\`${dataDirectory}\` cannot be used by this user: change its owner, or name another with --data`;
      case 'EROFS':
        return `\`${dataDirectory}\` is on a file system that cannot be written: name another with --data`;
      case 'ENOENT':
        return `\`${dataDirectory}\` holds no ledger: is this the right directory? name it with --data`;
      default:
        return `\`${dataDirectory}\` cannot be used as data directory`;
    }
  })();
  return new LedgerError('cannot-open', message, { cause: error });
}

/** The `code` of a system error, `ENOENT` for one. */
export function errorCodeOf(error: unknown): string | undefined {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** Bytes that this user may still write on the disk of an existing directory; nothing where that is not told. */
export async function freeBytes(directory: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

/** Makes the names in a directory durable. Windows has no such call and needs none. */
export function syncDirectory(path: string): void {
  if (process.platform === 'win32') return;
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
