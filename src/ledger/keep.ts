/**
 * How keys are kept: a body's own key wrapped by the key of the epoch, or split over the keys of its subjects, each of
 * them wrapped by the key of the epoch. Every share is needed, so that destroying one subject's key is the end of it.
 */

import { createSecretKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { KEY_BYTES, WRAPPED_BYTES, boundTo, decrypt, encrypt } from './cipher.ts';
import type { Keyring } from './keyring.ts';
import type { SealedBody } from './ledger.ts';
import { LedgerError } from './ledger.ts';

/** The epoch stands before what its key wraps. */
const EPOCH_BYTES = 4;
/** All records of keys have one length, so that one is overwritten in place and leaves no copy of what it was. */
export const RECORD_BYTES: number = EPOCH_BYTES + WRAPPED_BYTES;

/** A body as a store keeps it. */
export interface KeptBody {
  readonly call: string;
  readonly role: string;
  readonly ciphertext: Uint8Array;
  /** The record of its own key; empty where the key is split. */
  readonly wrappedKey: Uint8Array;
  readonly shares: readonly KeptShare[];
}

export interface KeptShare {
  readonly subject: string;
  /** Under the subject's key. */
  readonly wrapped: Uint8Array;
}

/** A body as it is read: its shares with the records of their subjects' keys, those that are left. */
export interface StoredBody extends Omit<KeptBody, 'shares'> {
  readonly shares: readonly (KeptShare & { readonly record: Uint8Array | undefined })[];
}

/** The records of subjects' keys, as they are in the transaction that is open. */
export interface SubjectKeys {
  get(subject: string): Uint8Array | undefined;
  set(subject: string, record: Uint8Array): void;
}

/** `body` as it is to be kept in `epoch`; makes the keys of subjects that have none. */
export function keepBody(body: SealedBody, epoch: number, ring: Keyring, keys: SubjectKeys): KeptBody {
  const { call, role, ciphertext, key, nonce, shares } = body;
  const wrapping = epochKey(ring, epoch);
  if (shares.length === 0) {
    return { call, role, ciphertext, wrappedKey: record(epoch, wrapping, key, boundKey(body), nonce), shares: [] };
  }
  const kept = shares.map(({ subject, share, nonce: used, fresh, freshNonce }): KeptShare => {
    const found = keys.get(subject);
    const known = found === undefined ? undefined : subjectKey(ring, subject, found);
    if (known === undefined) keys.set(subject, record(epoch, wrapping, fresh, boundTo('subject', subject), freshNonce));
    const under = createSecretKey(known ?? fresh);
    return { subject, wrapped: encrypt(under, share, boundShare(body, subject), used) };
  });
  return { call, role, ciphertext, wrappedKey: new Uint8Array(0), shares: kept };
}

/** The key of a body; `erased` when a key or a share is gone, nothing when what is stored is not what was kept. */
export function bodyKey(body: StoredBody, ring: Keyring): Uint8Array | 'erased' | undefined {
  if (body.shares.length === 0) return unwrap(ring, body.wrappedKey, boundKey(body));
  const key = new Uint8Array(KEY_BYTES);
  for (const { subject, wrapped, record: found } of body.shares) {
    const under = found === undefined ? undefined : subjectKey(ring, subject, found);
    if (under === undefined) return 'erased';
    const share = decrypt(createSecretKey(under), wrapped, boundShare(body, subject));
    if (share === undefined) return undefined;
    for (let i = 0; i < KEY_BYTES; i += 1) key[i] = (key[i] ?? 0) ^ (share[i] ?? 0);
  }
  return key;
}

/** What takes the place of a record whose key is destroyed. */
export function erasedRecord(): Uint8Array {
  return new Uint8Array(RECORD_BYTES);
}

export function isDestroyed(found: Uint8Array): boolean {
  return found.every((byte) => byte === 0);
}

/** The epoch of a record, 0 of one that is erased. */
function epochOf(found: Uint8Array): number {
  return new DataView(found.buffer, found.byteOffset, found.length).getUint32(0);
}

/** The record of the same key in another epoch, or as it is when it opens no more; `bound` as in `boundKey` and for subjects. */
export function rewrap(
  found: Uint8Array,
  epoch: number,
  ring: Keyring,
  bound: Uint8Array,
  nonce: Uint8Array,
): Uint8Array {
  const key = unwrap(ring, found, bound);
  if (key === 'erased') return found;
  if (key !== undefined) return record(epoch, epochKey(ring, epoch), key, bound, nonce);
  throw new LedgerError('tampered', 'a key of the vault is not what was stored: run interlock verify');
}

/** What the record of a body's own key is bound to. */
export function boundKey({ call, role }: Pick<KeptBody, 'call' | 'role'>): Uint8Array {
  return boundTo('key', call, role);
}

/** What the record of a subject's key is bound to. */
export function boundSubject(subject: string): Uint8Array {
  return boundTo('subject', subject);
}

function boundShare({ call, role }: Pick<KeptBody, 'call' | 'role'>, subject: string): Uint8Array {
  return boundTo('share', call, role, subject);
}

/** Nothing when it was destroyed. */
function subjectKey(ring: Keyring, subject: string, found: Uint8Array): Uint8Array | undefined {
  if (isDestroyed(found)) return undefined;
  const key = unwrap(ring, found, boundSubject(subject));
  if (key === 'erased') return undefined;
  if (key !== undefined) return key;
  throw new LedgerError('tampered', 'the key of a subject is not what was stored: run interlock verify');
}

function record(epoch: number, wrapping: KeyObject, key: Uint8Array, bound: Uint8Array, nonce: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(RECORD_BYTES);
  new DataView(bytes.buffer).setUint32(0, epoch);
  bytes.set(encrypt(wrapping, key, bound, nonce), EPOCH_BYTES);
  return bytes;
}

/** `erased` when the key of its epoch was destroyed: a later one is there. */
function unwrap(ring: Keyring, found: Uint8Array, bound: Uint8Array): Uint8Array | 'erased' | undefined {
  if (found.length !== RECORD_BYTES) return undefined;
  const epoch = epochOf(found);
  const isShredded = ring.key(epoch) === undefined && ring.epochs().some((later) => later > epoch);
  return isShredded ? 'erased' : decrypt(epochKey(ring, epoch), found.subarray(EPOCH_BYTES), bound);
}

function epochKey(ring: Keyring, epoch: number): KeyObject {
  const key = ring.key(epoch);
  if (key !== undefined) return key;
  throw new LedgerError(
    'cannot-open',
    `the key of epoch ${epoch} is missing, and without it nothing opens: restore it`,
  );
}
