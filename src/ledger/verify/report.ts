/** What a structural verification says: its verdict, and the closed list of what can be wrong with a log or a bundle. */

import type { Disclosed } from './disclosure.ts';

/**
 * `entry-*` a leaf is missing, out of order, too large, not canonical JSON, without the envelope of an entry, of another
 * version, earlier than the one before, of another log, or carries an
 * approver's signature that does not verify under the key it names (`entry-signature`). `log-not-created` entry 0 does not open a log with its key.
 * `log-truncated` something signed is longer than the log. `key-mismatch` the log names another key than the given one.
 * `checkpoint-*` a kept checkpoint is malformed, out of order, of another log, not signed under the key, or signed over
 * another tree. `outside-*` the same for checkpoints kept elsewhere; `outside-root` means that history was rewritten.
 * `checkpoint-revoked`, `outside-revoked` it is signed with a key that the log revoked before. `entry-key` a key was added that
 * none of the log's keys vouches for, or one revoked that could not be.
 * `cosignature-invalid` a line of a witness whose key was given does not verify.
 * Of a bundle also: `bundle-malformed` it has another form; `entry-proof` an entry is not in the signed tree where it says;
 * `disclosure-wrong` a disclosure is not what an entry beside it commits to;
 * `outside-size` a checkpoint kept elsewhere is of another size, and cannot be compared without the log.
 */
export type ProblemCode =
  | 'bundle-malformed'
  | 'checkpoint-malformed'
  | 'checkpoint-order'
  | 'checkpoint-origin'
  | 'checkpoint-revoked'
  | 'checkpoint-root'
  | 'checkpoint-signature'
  | 'cosignature-invalid'
  | 'disclosure-wrong'
  | 'entry-key'
  | 'entry-log'
  | 'entry-malformed'
  | 'entry-missing'
  | 'entry-not-canonical'
  | 'entry-order'
  | 'entry-proof'
  | 'entry-signature'
  | 'entry-time'
  | 'entry-too-large'
  | 'entry-version'
  | 'key-mismatch'
  | 'log-not-created'
  | 'log-truncated'
  | 'outside-malformed'
  | 'outside-origin'
  | 'outside-revoked'
  | 'outside-root'
  | 'outside-signature'
  | 'outside-size';

export interface Problem {
  readonly code: ProblemCode;
  readonly message: string;
  /** The position of the entry, from 0; for a root, the first of the range in which an entry was changed. */
  readonly entry?: number;
}

/** Who cosigned a checkpoint of the log. */
export interface Cosigner {
  /** The name in the line; whoever has no key of it has only its word. */
  readonly witness: string;
  readonly keyId: string;
  /** The largest size it cosigned. */
  readonly size: number;
  /** Whether its key was given, and the cosignature verifies under it. */
  readonly known: boolean;
  /** When a known witness saw it, RFC 3339. */
  readonly at?: string;
}

export interface VerifyReport {
  /** `ok` when there is no problem. Read it with `unsigned`: entries that no signature covers prove nothing. */
  readonly verdict: 'ok' | 'bad';
  readonly entries: number;
  /** The root of the tree over the entries that are there, base64. */
  readonly root: string;
  /** Calls decided on a sealed value that no longer opens, so that a recorded result was taken; the deep verifier counts them. */
  readonly attested: 0;
  /** Sealed values that entries say were erased: what they commit to opens no more. */
  readonly erased: number;
  /** How many entries at the end no valid checkpoint covers. */
  readonly unsigned: number;
  /** Valid checkpoints whose root is the tree's, kept and outside ones. */
  readonly checkpoints: number;
  /** Who cosigned them, by name. */
  readonly cosigners: readonly Cosigner[];
  /** The key the signatures were checked under; absent when the log names none and none was given. */
  readonly key?: {
    readonly vkey: string;
    /** `on-first-sight`: it was read from the log itself, so it proves only that nobody without it changed the log. */
    readonly trusted: 'given' | 'on-first-sight';
  };
  /** Of a bundle with disclosures: the values that its entries commit to. */
  readonly disclosed?: readonly Disclosed[];
  /** All keys of the log, in the order in which they came: from which size on each signs, and until which. */
  readonly signers: readonly {
    readonly vkey: string;
    readonly from: number;
    readonly until?: number;
  }[];
  /** In the order they were found; the first `PROBLEMS_MAX` of them. */
  readonly problems: readonly Problem[];
  /** How many further problems are not listed. */
  readonly omitted: number;
}

/** A log in which everything is wrong must not cost more memory than a good one. */
export const PROBLEMS_MAX = 1_000;
