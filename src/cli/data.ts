/** Opens a data directory for a command that writes to it. */

import { existingDirectory } from '../ledger/directory.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { openLedger } from '../ledger/sqlite/store.ts';
import { type Vault, openVault } from '../ledger/vault.ts';
import { systemWorld } from '../world/system.ts';

export interface OpenData extends AsyncDisposable {
  readonly ledger: Ledger;
  readonly vault: Vault;
}

/** With `create: false` a directory without a ledger is refused (`cannot-open`) instead of made. */
export async function openData(directory: string, options: { readonly create: boolean }): Promise<OpenData> {
  if (!options.create) existingDirectory(directory);
  const vault = openVault(directory, systemWorld);
  const ledger = await openLedger({ dataDirectory: directory, world: systemWorld, vault });
  return { ledger, vault, [Symbol.asyncDispose]: () => ledger[Symbol.asyncDispose]() };
}
