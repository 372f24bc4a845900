/** Opens a data directory for a command that writes to it. */

import { existsSync } from 'node:fs';
import { dataFiles, errorCodeOf } from '../ledger/directory.ts';
import { type Ledger, LedgerError } from '../ledger/ledger.ts';
import { openReader } from '../ledger/sqlite/reader.ts';
import { openLedger } from '../ledger/sqlite/store.ts';
import { type Vault, openVault } from '../ledger/vault.ts';
import { systemWorld } from '../world/system.ts';

export interface OpenData extends AsyncDisposable {
  readonly ledger: Ledger;
  readonly vault: Vault;
}

/**
 * With `create: false` a directory without a ledger is refused instead of made. Throws `cannot-open`, `tampered` and
 * whatever else keeps the ledger from being opened as a `LedgerError`.
 */
export async function openData(directory: string, options: { readonly create: boolean }): Promise<OpenData> {
  const files = dataFiles(directory);
  try {
    // A database that is none of ours is told by its own error, and nothing is made beside it.
    const isStrange = existsSync(files.ledger) && !existsSync(files.vaultKey);
    if (!options.create || isStrange) openReader(directory)[Symbol.dispose]();
    const vault = openVault(directory, systemWorld);
    const ledger = await openLedger({ dataDirectory: directory, world: systemWorld, vault });
    return { ledger, vault, [Symbol.asyncDispose]: () => ledger[Symbol.asyncDispose]() };
  } catch (error) {
    const code = errorCodeOf(error);
    if (error instanceof LedgerError || code === undefined) throw error;
    const message = `\`${directory}\` cannot be used as data directory: the system says ${code}`;
    throw new LedgerError('cannot-open', message, { cause: error });
  }
}
