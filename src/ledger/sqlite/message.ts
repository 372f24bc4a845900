/** What the main thread and the thread that writes say to each other. */

import type { NoteSignature } from '../../tlog/note.ts';
import type { Composed } from '../batch.ts';
import type { EndedCall } from '../ended.ts';
import type { LedgerErrorCode, Reads } from '../ledger.ts';
import type { OutsidePlace } from '../outside.ts';
import type { DieAt } from '../../world/fault-point.ts';
import type { EncodedWrites } from '../prepare.ts';
import type { Known } from '../tables.ts';
import type { ErasedCount, RewrapFrom } from './vault-table.ts';

/** Given to the writing thread at its start. */
export interface WorkerSettings {
  readonly dataDirectory: string;
  readonly instance: string;
  /** Wall clock of the opening, milliseconds since the epoch. */
  readonly now: number;
  /** How long a job may wait for other processes' locks before it is `busy`. */
  readonly lockWaitMs: number;
  /** Where a checkpoint is kept outside; absent: nowhere. */
  readonly outside?: OutsidePlace;
  /** A log that is an older copy of itself opens, and says so. */
  readonly acceptRollback?: RollbackAcceptance;
  /** For tests of crashes. */
  readonly dieAt?: DieAt;
}

/** Who takes an older copy of the log for the log from now on, and why. */
export interface RollbackAcceptance {
  readonly by: string;
  readonly reason: string;
}

/**
 * The checkpoint outside at the opening. `new` — so is the log; `missing` — the log is not new, and nothing says that
 * it is whole; `accepted` — it says that the log is an older copy, which a person accepted.
 */
export interface OutsideState {
  readonly file: string;
  readonly state: 'new' | 'missing' | 'consistent' | 'accepted';
}

export type JobMessage =
  | { readonly id: number; readonly kind: 'append'; readonly writes: EncodedWrites }
  | { readonly id: number; readonly kind: 'transact'; readonly reads: Reads }
  | { readonly id: number; readonly kind: 'checkpoint' }
  /** Empties the WAL. */
  | { readonly id: number; readonly kind: 'truncate' }
  | { readonly id: number; readonly kind: 'rewrap'; readonly epoch: number; readonly from: RewrapFrom }
  | {
      readonly id: number;
      readonly kind: 'cosign';
      readonly size: number;
      readonly signatures: readonly NoteSignature[];
    }
  | { readonly id: number; readonly kind: 'expire-live'; readonly calls: readonly EndedCall[] };

/** What a job that is no composition comes to. */
export type JobAnswer = ErasedCount | RewrapFrom | number | 'done' | 'busy' | undefined;

/** The answer to one job of `facts`: what to write, if anything, and whether it fits what the main thread knows. */
export interface ComposedMessage {
  readonly writes?: EncodedWrites;
  readonly fits: boolean;
}

export type ToWorker =
  | { readonly kind: 'jobs'; readonly now: number; readonly jobs: readonly JobMessage[] }
  | { readonly kind: 'composed'; readonly at: number; readonly jobs: readonly ComposedMessage[] }
  | { readonly kind: 'close'; readonly now: number };

/** `ids` in the order of the jobs. The write lock is held until `composed` comes back. */
export interface FactsMessage {
  readonly kind: 'facts';
  readonly ids: readonly number[];
  /** Everything that the jobs ask for or change. */
  readonly known: Known;
  /** Number of entries, and the time of the last one. */
  readonly size: number;
  readonly at: number;
}

/** Durable. Jobs that are in neither list have not been done yet. */
export interface DoneMessage {
  readonly kind: 'done';
  readonly ids: readonly number[];
  readonly failed: readonly { readonly id: number; readonly code: LedgerErrorCode; readonly message: string }[];
  /** Entries written; and whether there was a commit, that is, an fsync. */
  readonly entries: number;
  readonly committed: boolean;
  /** Committed leaves that no checkpoint signs yet. */
  readonly unsigned: number;
  readonly answers?: readonly { readonly id: number; readonly answer: JobAnswer }[];
  /** The last checkpoint, when a job asked for it. */
  readonly note?: string;
  /** A checkpoint that was not told before. */
  readonly signed?: string;
}

export type FromWorker =
  | {
      readonly kind: 'opened';
      readonly log: string;
      readonly key: string;
      readonly unsigned: number;
      readonly outside?: OutsideState;
      readonly signed?: string;
    }
  | { readonly kind: 'refused'; readonly code: LedgerErrorCode; readonly message: string }
  | FactsMessage
  | DoneMessage
  | {
      readonly kind: 'stopped';
      readonly code: 'stopped' | 'tampered';
      readonly message: string;
      /** Jobs whose commit failed: it may have landed. */
      readonly unsure: readonly number[];
    }
  | { readonly kind: 'closed'; readonly signed?: string };

/** What is told of one job's composition. */
export function composedMessage(composed: Composed): ComposedMessage {
  switch (composed.kind) {
    case 'threw':
      return { fits: true };
    case 'fits':
      return { fits: true, ...(composed.prepared === undefined ? {} : { writes: composed.prepared.encoded }) };
    case 'conflict':
      return { fits: false, writes: composed.prepared.encoded };
  }
}
