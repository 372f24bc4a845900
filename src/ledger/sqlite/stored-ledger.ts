/** What an open ledger of a data directory is made with, and what it can do beside what every ledger can. */

import type { NoteSignature } from '../../tlog/note.ts';
import type { DieAt } from '../../world/fault-point.ts';
import type { World } from '../../world/world.ts';
import type { Ledger, Writes } from '../ledger.ts';
import type { OutsidePlace } from '../outside.ts';
import type { Vault } from '../vault.ts';
import type { OutsideState, RollbackAcceptance } from './message.ts';
import type { Reader } from './reader.ts';
import type { ErasedCount, RewrapFrom } from './vault-table.ts';
import type { WitnessedLog } from './witnessed-log.ts';

export interface LedgerOptions {
  readonly dataDirectory: string;
  readonly world: World;
  /** `openVault` of the same directory. */
  readonly vault: Vault;
  /** How long a write waits for other processes before it is `busy`, milliseconds; 5,000 if not given. */
  readonly lockWaitMs?: number;
  /** How many writes may wait before further ones are `busy`; 4,096 if not given. */
  readonly queueMax?: number;
  /** Where a checkpoint is kept outside of the data directory; nowhere if not given. */
  readonly outside?: OutsidePlace;
  /** Opens a log that is an older copy of itself, and records who wants that and why. */
  readonly acceptRollback?: RollbackAcceptance;
  /** Is told, in one line, what weakens the ledger and does not stop it. */
  readonly warn?: (message: string) => void;
  /** Where its thread ends the process: for tests of crashes. */
  readonly dieAt?: DieAt;
}

/** What this opening has written: each transaction was one commit, and each commit one fsync of the WAL. */
export interface LedgerStats {
  readonly transactions: number;
  readonly entries: number;
}

export interface StoredLedger extends Ledger {
  /** The key it was created with, in the one-line form of C2SP signed-note; keys that came later follow from it. */
  readonly key: string;
  /** What the checkpoint outside said of the log when it was opened; absent without one. */
  readonly outside: OutsideState['state'] | undefined;
  stats(): LedgerStats;
  /**
   * Writes `writes` and, in the same transaction, destroys the key of `subject` and everything that it is needed for.
   * Rejects with `conflict` when it, or a call of it, is on hold, and when these are not `values` sealed values (any more).
   */
  erase(subject: string, values: number, writes: Writes): Promise<ErasedCount>;
  /** Empties the WAL, in which pages lie as they once were; `busy` while a reader or writer needs it. */
  emptyWal(): Promise<'done' | 'busy'>;
  /** Wraps some more keys of earlier epochs by that of `epoch`; resolves with where to go on, nothing at the end. */
  rewrap(epoch: number, from: RewrapFrom): Promise<RewrapFrom | undefined>;
  /** Adds what witnesses signed to the checkpoint of `size`; nothing where there is none, or it has their lines. */
  cosign(size: number, signatures: readonly NoteSignature[]): Promise<void>;
  /** The log as witnesses are shown it. */
  readonly witnessed: WitnessedLog;
  /** What is stored of subjects. */
  readonly persons: Pick<Reader, 'callsOf' | 'holds' | 'kept' | 'subjects'>;
}
