/** The durable log of calls: what was decided, attempted and answered, in one order. */

import type { JsonValue } from '../value/json.ts';
import type { Entry, EntryDraft } from './entry.ts';

/**
 * `parked`: waits for an approval. `refused`, `expired`: it never got one, and its keys are free for other calls.
 * `unknown`: the call may or may not have happened.
 */
export type CallState =
  | 'denied'
  | 'parked'
  | 'refused'
  | 'expired'
  | 'intent'
  | 'not-started'
  | 'succeeded'
  | 'failed'
  | 'unknown'
  | 'settled-executed'
  | 'settled-not-executed';

/** Whole numbers from 0 on, by the key of the fact they are charged to. */
export type Charges = Readonly<Record<string, number>>;

/** What a parked call waits for, as its entry says it. */
export interface ApprovalRequest {
  /** What an approval must name. */
  readonly digest: string;
  readonly approvers: readonly string[];
  /** How many different approvers it takes, 1 at least. */
  readonly quorum: number;
  readonly notRequester: boolean;
  readonly requester: string;
  /** From then on it is neither approved nor claimed; milliseconds since the epoch. */
  readonly expires: number;
}

/** One answer to an `ApprovalRequest`, over its digest. Whether `by` may answer it, and the signature, are unchecked. */
export interface Approval {
  readonly by: string;
  /** As the entry has it; none when the entry says `unsigned`. */
  readonly signature?: string;
  /** It was given at the requester's own host. */
  readonly interactive?: true;
  /** The position of its entry. */
  readonly position: number;
}

/** A kill switch that is on. */
export interface Kill {
  /** `all`, `principal:ID`, `server:NAME` or `tool:NAME`. */
  readonly target: string;
  readonly reason: string;
  readonly by: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** The definition under which a tool was first used, when no lock pinned it. */
export interface TrustedTool {
  /** Policy name. */
  readonly tool: string;
  readonly digest: string;
  /** The position of its entry, which may hold the definition. */
  readonly position: number;
}

/**
 * One call as the store knows it. Every column but `salt` and `fingerprint` is derived: folding the
 * entries rebuilds it.
 */
export interface CallRow {
  readonly id: string;
  readonly principal: string;
  readonly tool: string;
  readonly state: CallState;
  /** The attempt id of the last intent; empty before the first. */
  readonly attempt: string;
  readonly attempts: number;
  readonly instance: string;
  /** Milliseconds since the epoch; no dispatch happens after it. Of a parked call, when its approval expires. */
  readonly deadline: number;
  readonly keys: readonly string[];
  /** What the counters hold of the last attempt: reserved at first, later charged, nothing once it is refunded. */
  readonly reserved: Charges;
  /** The keys of the leases that the last attempt holds; none once it ended. */
  readonly slots: readonly string[];
  /** From then on the leases of an `unknown` call count no longer; absent: until it is settled. */
  readonly slotsUntil?: number;
  /** How long an effect may be under way after its outcome became unknown; as its intent said. */
  readonly effectTimeoutMs?: number;
  /** Of a call that became unknown: the position of its last intent. */
  readonly intent?: number;
  /** What it was last parked for, and who approved that; kept when it goes on. */
  readonly approval?: ApprovalRequest;
  readonly approvals: readonly Approval[];
  /** The position of the entry that gave the call its state; an approval gives none. */
  readonly position: number;
  /** Random, the call's own; absent once the body is gone. */
  readonly salt?: Uint8Array;
  /**
   * HMAC-SHA-256 under `salt` of principal, tool and arguments as proposed; tells "same call". Empty when something of
   * the call was erased: nothing private is kept of it any more.
   */
  readonly fingerprint?: Uint8Array;
}

/** What a transaction needs to see. All of it is read under the write lock. */
export interface Reads {
  /** Key HMACs (`h_…`); each answers with the call that took it. */
  readonly keys?: readonly string[];
  /** Answers with the calls of this principal and tool that are `parked`, `intent` or `unknown`. */
  readonly open?: { readonly principal: string; readonly tool: string };
  readonly call?: string;
  /** Keys of facts: `budget/…`, `count/…`, `rate/…`, `slots/…`, `kill/…`, `parked/…`, `pin/…`, `clock/…`, `rollback/…`, `hold/…`, `exception-version`. */
  readonly facts?: readonly string[];
}

/** What a transaction saw. */
export interface Facts {
  /** Milliseconds since the epoch: the caller's clock, never below the last entry's. Entries composed now get it. */
  readonly at: number;
  readonly keys: ReadonlyMap<string, CallRow>;
  readonly open: readonly CallRow[];
  readonly call?: CallRow;
  /**
   * The facts that were asked for, those that are 0 left out: counters; for `slots/…` the leases that live at `at`; for
   * `kill/TARGET` 1 when it is on; for `pin/DIGEST/TOOL` 1 when the tool was first trusted under this digest and 2 when
   * under another; for `parked/principal=ID` the calls that are parked; for `rollback/accepted` 1 while an older copy of
   * the log is accepted and not lifted.
   */
  readonly values: ReadonlyMap<string, number>;
}

/**
 * `output` is what a call returned or a settlement said, `args` what was too large for its entry. `live` is what holds
 * secrets and must outlive its process for a while: the arguments of a parked call, or a result that may be asked for
 * again. It is destroyed by the next entry that gives the call a state, at the latest.
 */
export type BodyRole = 'args' | 'output' | 'live';

/** A value too large or too private for an entry; the entry holds its commitment (`Vault.seal`). */
export interface SealedBody {
  readonly call: string;
  /** A `BodyRole`, or `args` and the JSON pointer of a value among the arguments, as `args/to/email`. */
  readonly role: string;
  /** Nonce, ciphertext and tag (AES-256-GCM) of the disclosure. */
  readonly ciphertext: Uint8Array;
  /** The body's own key, in clear: the store wraps it, under its lock, and forgets it. */
  readonly key: Uint8Array;
  /** For wrapping it by the key of the epoch, where it has no shares. */
  readonly nonce: Uint8Array;
  /** Of the key, one for each subject. */
  readonly shares: readonly SealedShare[];
}

/** What the key of a subject wraps. */
export interface SealedShare {
  readonly subject: string;
  readonly share: Uint8Array;
  readonly nonce: Uint8Array;
  /** The subject's key, if it has none by then. */
  readonly fresh: Uint8Array;
  readonly freshNonce: Uint8Array;
}

/** What a transaction writes, all or none, with the table changes that fold from its entries. */
export interface Writes {
  readonly entries: readonly EntryDraft[];
  readonly bodies?: readonly SealedBody[];
  readonly fingerprints?: readonly { readonly call: string; readonly salt: Uint8Array; readonly mac: Uint8Array }[];
}

/** One step of `Ledger.expire`. */
export interface Expired {
  /** How many calls lost their bodies. */
  readonly calls: number;
  /** Where the next step begins; absent when there is no call left to look at. */
  readonly next?: string;
}

/** What `compose` answers: nothing to write, or writes; and what the caller gets once they are durable. */
export interface Composition<T> {
  readonly writes?: Writes;
  readonly result: T;
}

/**
 * Guarantees: what was written is durable once the promise resolves, and is never changed or removed.
 * Positions are dense and start at 0. All methods may be called concurrently, from several processes
 * on one data directory.
 *
 * Every method rejects with a `LedgerError`:
 * `busy` — the queue is full or the lock is taken; nothing was written.
 * `disk-full` — there is no room; nothing was written, and it may be tried again.
 * `conflict` — an entry does not fit the call's state or its counters, or a key is taken; nothing of the transaction was
 * written, read the row and answer from it. Neighbours in the same batch are not affected.
 * `outcome-unknown` — the commit may or may not have landed: re-read by attempt id before acting.
 * `stopped` — a write failed for good (disk, fsync); no further write is tried.
 * `tampered` — the stored log does not extend what was signed.
 */
export interface Ledger extends AsyncDisposable {
  /** The log's origin as its checkpoints name it. */
  readonly log: string;
  /** This opening of the data directory; others see whether it still lives. */
  readonly instance: string;
  /**
   * Reads, composes and writes in one transaction. `compose` must be pure and synchronous: it runs under
   * the write lock and may run again when the transaction is retried. What it throws rejects, nothing written.
   */
  transact<T>(reads: Reads, compose: (facts: Facts) => Composition<T>): Promise<T>;
  /** Writes what needs no reading: outcomes. Same guarantees. */
  append(writes: Writes): Promise<void>;
  call(id: string): Promise<CallRow | undefined>;
  /** The entry at `position`, as its leaf says it; absent beyond the end. */
  entry(position: number): Promise<Entry | undefined>;
  /** The sealed value, opened and checked against the commitment in its entry; absent once it is gone. */
  body(call: string, role: BodyRole): Promise<JsonValue | undefined>;
  /** A sealed argument of the entry at `position`, by its JSON pointer; opened, checked and absent as a body is. */
  argument(position: number, pointer: string): Promise<JsonValue | undefined>;
  /** The subjects under whose keys something of the call lies. */
  subjectsOf(call: string): Promise<readonly string[]>;
  /** Calls that are in `state`, whoever runs them, by id: oldest first. */
  unsettled(state: 'intent' | 'unknown'): Promise<readonly CallRow[]>;
  /** Calls that are `parked`, of one principal or of all, by id: oldest first. */
  parked(principal?: string): Promise<readonly CallRow[]>;
  /**
   * Takes one small step through the calls by id, from after `from` on, and destroys the bodies and the fingerprint of
   * those that ended before `before`, milliseconds since the epoch; their rows and keys stay. An entry
   * `erasure.expired` says so in the same transaction.
   */
  expire(before: number, from: string): Promise<Expired>;
  /**
   * Destroys the live forms of results that were recorded before `before`, milliseconds since the epoch; resolves with how
   * many. No entry says so: each tells when it is recorded that it is kept for a while.
   */
  expireLive(before: number): Promise<number>;
  /** The counters whose keys begin with `prefix`, by key; those that are 0 left out. */
  counters(prefix: string): Promise<ReadonlyMap<string, number>>;
  /** The kill switches that are on, by target. */
  kills(): Promise<readonly Kill[]>;
  /** The tools that were trusted when they were first used, by name. */
  trusted(): Promise<readonly TrustedTool[]>;
  /** Bytes that are free for this user on the disk of the log; nothing where that is not told. */
  free(): Promise<number | undefined>;
  /** Whether the process that opened the data directory as `instance` still holds it. */
  isAlive(instance: string): Promise<boolean>;
  /** Signs the committed size, if it grew since the last checkpoint; resolves with the signed note. */
  checkpoint(): Promise<string>;
}

/**
 * Those of `Ledger`, and two that keep one from being opened: `rolled-back` — the checkpoint kept outside of the data
 * directory says that the log once was longer, or another one; `cannot-open` — anything else.
 */
export type LedgerErrorCode =
  | 'busy'
  | 'disk-full'
  | 'conflict'
  | 'outcome-unknown'
  | 'stopped'
  | 'tampered'
  | 'rolled-back'
  | 'cannot-open';

/** A ledger could not do what it was asked; `code` says which way. */
export class LedgerError extends Error {
  override readonly name = 'LedgerError';
  readonly code: LedgerErrorCode;
  constructor(code: LedgerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
