/** An export: a directory in the layout of C2SP tlog-tiles, with the log's public key beside its checkpoint. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { errorCodeOf } from '../directory.ts';
import { LedgerError } from '../ledger.ts';

/** The signed note, replaced last: what it covers is what the export holds. */
export const CHECKPOINT_FILE: string = 'checkpoint';
/** The keys of the log, a line each in the form of C2SP signed-note: the first one, and those that came later. */
export const KEY_FILE = 'verifier-key';
export const TILE_DIRECTORY = 'tile';

/** The bytes of a file of the export, or nothing when there is none. Throws `cannot-open` when it cannot be read. */
export function readExportFile(directory: string, name: string): Uint8Array | undefined {
  try {
    return new Uint8Array(readFileSync(path.join(directory, name)));
  } catch (error) {
    const code = errorCodeOf(error);
    // What stands where a file should be, and is none, is a file that is missing.
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined;
    throw new LedgerError('cannot-open', `\`${name}\` of the export cannot be read (${code ?? 'no reason given'})`, {
      cause: error,
    });
  }
}
