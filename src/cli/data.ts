/** Opens a data directory for a command that writes to it, and for one that only reads calls. */

import { existsSync } from 'node:fs';
import { dataFiles, errorCodeOf } from '../ledger/directory.ts';
import { type Ledger, LedgerError } from '../ledger/ledger.ts';
import { openReader } from '../ledger/sqlite/reader.ts';
import { openLedger } from '../ledger/sqlite/store.ts';
import { storedEntry } from '../ledger/stored-entry.ts';
import type { FactValues } from '../policy/decide.ts';
import { type Vault, openVault, readVault } from '../ledger/vault.ts';
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

/** What is stored of calls, read without the lock and without leave to write: beside a gateway however busy it is. */
export interface ReadData extends Pick<Ledger, 'log' | 'entry' | 'body' | 'parked' | 'counters'>, Disposable {
  /** The facts under these keys, as a decision at `at` would read them; milliseconds since the epoch. */
  values(keys: readonly string[], at: number): FactValues;
}

/** Throws `cannot-open` when there is no ledger, and without the vault's key at the first value that is sealed. */
export function readData(directory: string): ReadData {
  const reader = openReader(directory);
  let vault: Vault | undefined;
  return {
    log: reader.log,
    entry: async (position) => storedEntry(reader.leaf(position), position),
    body: async (call, role) => {
      const stored = reader.body(call, role);
      if (stored === undefined) return undefined;
      vault ??= readVault(directory, systemWorld);
      return vault.open(stored.body, stored.commitment);
    },
    parked: async (principal) => reader.parked(principal),
    counters: async (folder) => reader.countersOf(folder),
    values: (keys, at) => reader.values(keys, at),
    [Symbol.dispose]: () => reader[Symbol.dispose](),
  };
}
