/** The log of a data directory as replay, comparison and learning read it: its entries, and the sealed values beside them. */

import type { Recording } from '../audit/recording.ts';
import type { Configuration } from '../policy/document/configuration.ts';
import { LedgerError } from '../ledger/ledger.ts';
import { RUN_FOLDER } from '../ledger/run.ts';
import { openReader } from '../ledger/sqlite/reader.ts';
import { type Vault, readVault } from '../ledger/vault.ts';
import { systemWorld } from '../world/system.ts';
import { type CommonOptions, type Usable, loadConfiguration } from './configuration.ts';
import { CliError } from './exit.ts';
import { forbidUse, showIssues } from './issues.ts';
import { withProgress } from './progress.ts';
import { typePolicy } from './schemas.ts';
import type { Terminal } from './terminal.ts';

/** A log that is read front to back once each time `recording` is asked for. */
export interface RecordedLog extends Disposable {
  recording(): Recording;
  /** Whether a run of a program has this id. */
  isRun(id: string): boolean;
}

/** Throws `cannot-open` when there is no ledger, and at the first sealed value without the vault's key. */
export function openRecordedLog(terminal: Terminal, directory: string): RecordedLog {
  const reader = openReader(directory);
  let vault: Vault | undefined;
  return {
    recording: () => {
      const total = reader.head().frontier.size;
      return {
        entries: withProgress(reader.leaves(), total, terminal, systemWorld),
        open: (call, role, position, commitment) => {
          const body = reader.bodyAt(call, role, position);
          if (body === undefined) return undefined;
          vault ??= readVault(directory, systemWorld);
          return vault.open(body, commitment);
        },
        salt: (call) => reader.call(call)?.salt,
        vault: () => (vault ??= vaultOf(directory)),
      };
    },
    isRun: (id) => reader.counter(RUN_FOLDER + id) !== 0,
    [Symbol.dispose]: () => reader[Symbol.dispose](),
  };
}

/** Nothing without its key. */
function vaultOf(directory: string): Vault | undefined {
  try {
    return readVault(directory, systemWorld);
  } catch (error) {
    if (error instanceof LedgerError && error.code === 'cannot-open') return undefined;
    throw error;
  }
}

/**
 * A configuration to decide recorded calls under. No server is started: what it says of tools is typed over those that
 * were recorded. Throws a `CliError` once its problems are shown, when it cannot be used.
 */
export async function policyFile(
  terminal: Terminal,
  options: CommonOptions,
  config: string,
): Promise<Usable & { readonly configuration: Configuration }> {
  const loaded = await loadConfiguration(terminal, { ...options, config });
  const { configuration, shown, source } = loaded;
  const { issues } = await typePolicy(terminal, loaded, { ...options, offline: true });
  if (configuration !== undefined && !forbidUse(issues)) return { ...loaded, configuration };
  showIssues(terminal, issues, shown, source);
  throw new CliError('usage', `the policy \`${shown}\` does not load`);
}
