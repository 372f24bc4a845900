/** The vault: seals bodies under keys of their own, and makes the HMACs that stand for keys and arguments. */

import type { KeyObject } from 'node:crypto';
import { createHmac, createSecretKey, hash, hkdfSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { canonicalBytes } from '../value/canonical.ts';
import { fromUtf8, toBase64Url, toHex, utf8 } from '../value/encoding.ts';
import type { JsonValue } from '../value/json.ts';
import type { World } from '../world/world.ts';
import { KEY_BYTES, NONCE_BYTES, boundTo, decrypt, encrypt } from './cipher.ts';
import { existingDirectory, prepareDirectory } from './directory.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { StoredBody } from './keep.ts';
import { bodyKey } from './keep.ts';
import type { Keyring } from './keyring.ts';
import { FIRST_EPOCH, createKeyring, openKeyring } from './keyring.ts';
import type { SealedBody, SealedShare } from './ledger.ts';
import { LedgerError } from './ledger.ts';
import { openSecretFile, readSecretFile } from './secret-file.ts';

const SALT_BYTES = 16;

/** What kind of name a subject is known by: an operator's `subject:`, or what an identifier was found to be. */
export type SubjectKind = 'id' | 'email' | 'phone' | 'iban';

export interface Sealed {
  readonly commitment: string;
  readonly body: SealedBody;
}

export interface Vault {
  /**
   * Encrypts `value` under a fresh key, which is split over the keys of `subjects`: without one of them it never opens
   * again. `commitment` says nothing of the value to who lacks the opening: it is the digest of an RFC 9901 disclosure,
   * base64url(SHA-256(ASCII(base64url(JCS([salt, pointer, value]))))), where `pointer` is `/` and `role`: `args`,
   * `output`, or `args` and a JSON pointer (RFC 6901) into the arguments.
   */
  seal(call: string, role: string, value: JsonValue, subjects?: readonly string[]): Sealed;
  /**
   * The value of `body`; nothing when a key that it needs was destroyed. Throws `tampered` when the body is not what was
   * sealed, or not what `commitment` says.
   */
  open(body: StoredBody, commitment: string): JsonValue | undefined;
  /** The disclosure of `body` (RFC 9901), base64url: what `commitment` is the digest of. As `open`. */
  disclose(body: StoredBody, commitment: string): string | undefined;
  /** `h_` and the HMAC-SHA-256 of `parts` within `namespace`, the same for ever in this data directory. */
  keyHmac(namespace: string, ...parts: string[]): string;
  /** `s_` and the HMAC-SHA-256 of a name of a person: all that is ever stored of it. */
  subject(kind: SubjectKind, name: string): string;
  readonly fingerprint: typeof fingerprintOf;
  /** The keys that wrap all others; the store wraps, under its lock. */
  readonly keyring: Keyring;
}

/**
 * The vault of a data directory; its keys are created at first start. Throws `cannot-open` when the directory or a
 * key cannot be used, and when the key is gone while there is a ledger: a new one could open nothing.
 */
export function openVault(dataDirectory: string, world: World): Vault {
  const files = prepareDirectory(dataDirectory);
  const keyring = openKeyring(files.epochs, world);
  // In this order: a process that starts at the same time makes the keys first and the ledger later.
  if (existsSync(files.ledger)) {
    if (!existsSync(files.vaultKey)) throw missing(files.vaultKey);
    if (keyring.epochs().length === 0) throw missing(files.epochs);
  } else {
    // A crash before the ledger is there leaves keys under which nothing is wrapped, and the next start uses them.
    keyring.make(FIRST_EPOCH);
  }
  const key = openSecretFile(files.vaultKey, toHex(world.random(8)), () => world.random(KEY_BYTES));
  return vaultOf(whole(key, files.vaultKey), keyring, world);
}

/** The vault of a data directory that is only read: nothing is created. Throws `cannot-open` without a key. */
export function readVault(dataDirectory: string, world: World): Vault {
  const { vaultKey, epochs } = existingDirectory(dataDirectory);
  const key = readSecretFile(vaultKey);
  if (key !== undefined) return vaultOf(whole(key, vaultKey), openKeyring(epochs, world), world);
  throw missing(vaultKey);
}

function missing(file: string): LedgerError {
  return new LedgerError('cannot-open', `\`${file}\` is missing, and without it no result opens: restore it`);
}

function whole(key: Uint8Array, file: string): Uint8Array {
  if (key.length === KEY_BYTES) return key;
  throw new LedgerError('cannot-open', `\`${file}\` is damaged, expected ${KEY_BYTES} bytes: restore it`);
}

/** A vault whose keys all derive from `key`, 32 bytes, and that lives as long as its process. */
export function createVault(key: Uint8Array, world: World): Vault {
  const wrapping = derive(key, 'wrap').export();
  return vaultOf(
    key,
    createKeyring(new Uint8Array(wrapping), (length) => world.random(length)),
    world,
  );
}

function vaultOf(key: Uint8Array, keyring: Keyring, world: World): Vault {
  const naming = derive(key, 'key-hmac');
  const persons = derive(key, 'subject-hmac');
  const disclosureOf = (stored: StoredBody, commitment: string): Uint8Array | undefined => {
    const { call, role, ciphertext } = stored;
    const found = bodyKey(stored, keyring);
    if (found === 'erased') return undefined;
    const disclosure = found && decrypt(createSecretKey(found), ciphertext, boundTo('body', call, role));
    if (disclosure !== undefined && commitmentOf(disclosure) === commitment) return disclosure;
    throw new LedgerError('tampered', `the ${role} of call ${call} is not what its entry commits to`);
  };
  return {
    keyring,
    seal(call, role, value, subjects = []) {
      // Drawn at once: each draw is a call to the system.
      const draw = drawing(world.random(SALT_BYTES + KEY_BYTES + 2 * NONCE_BYTES + subjects.length * SHARE_DRAWN));
      const salt = draw(SALT_BYTES);
      const bytes = draw(KEY_BYTES);
      const disclosure = canonicalBytes([toBase64Url(salt), `/${role}`, value]);
      const ciphertext = encrypt(createSecretKey(bytes), disclosure, boundTo('body', call, role), draw(NONCE_BYTES));
      const nonce = draw(NONCE_BYTES);
      const shares = split(bytes, subjects, draw);
      return { commitment: commitmentOf(disclosure), body: { call, role, ciphertext, key: bytes, nonce, shares } };
    },
    open(body, commitment) {
      const disclosure = disclosureOf(body, commitment);
      return disclosure === undefined ? undefined : valueOf(disclosure);
    },
    disclose(body, commitment) {
      const disclosure = disclosureOf(body, commitment);
      return disclosure === undefined ? undefined : toBase64Url(disclosure);
    },
    keyHmac(namespace, ...parts) {
      const mac = createHmac('sha256', naming).update(canonicalBytes([namespace, ...parts]));
      return `h_${mac.digest('base64url')}`;
    },
    subject(kind, name) {
      const mac = createHmac('sha256', persons).update(canonicalBytes([kind, name]));
      return `s_${mac.digest('base64url')}`;
    },
    fingerprint: fingerprintOf,
  };
}

/** What a share takes: itself, a key for a subject that has none, and a nonce for each. */
const SHARE_DRAWN = 2 * KEY_BYTES + 2 * NONCE_BYTES;

/** Shares that make `key` when all of them are combined by exclusive or, and say nothing of it as long as one lacks. */
function split(key: Uint8Array, subjects: readonly string[], draw: Draw): SealedShare[] {
  const rest = new Uint8Array(key);
  return subjects.map((subject, index) => {
    const drawn = draw(KEY_BYTES);
    const share = index === subjects.length - 1 ? new Uint8Array(rest) : drawn;
    for (let i = 0; i < KEY_BYTES; i += 1) rest[i] = (rest[i] ?? 0) ^ (share[i] ?? 0);
    return { subject, share, nonce: draw(NONCE_BYTES), fresh: draw(KEY_BYTES), freshNonce: draw(NONCE_BYTES) };
  });
}

type Draw = (length: number) => Uint8Array;

function drawing(bytes: Uint8Array): Draw {
  let at = 0;
  return (length) => bytes.slice(at, (at += length));
}

/** As a key object, which is several times as fast to use as the bytes are. */
function derive(key: Uint8Array, purpose: string): KeyObject {
  const bytes = hkdfSync('sha256', key, new Uint8Array(0), utf8(`interlock/v1/${purpose}`), KEY_BYTES);
  return createSecretKey(new Uint8Array(bytes));
}

/** By the platform's base64url: a body may have megabytes. */
function commitmentOf(disclosure: Uint8Array): string {
  const { buffer, byteOffset, length } = disclosure;
  return hash('sha256', Buffer.from(buffer, byteOffset, length).toString('base64url'), 'base64url');
}

/** The value in a disclosure of ours: authenticated and committed to, so it is what `canonicalBytes` wrote. */
function valueOf(disclosure: Uint8Array): JsonValue {
  const [, , value] = JSON.parse(fromUtf8(disclosure) ?? '') as [string, string, JsonValue];
  return value;
}
