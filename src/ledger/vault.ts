/** The vault: seals bodies under keys of their own, and makes the HMACs that stand for keys and arguments. */

import type { KeyObject } from 'node:crypto';
import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hash, hkdfSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { canonicalBytes, canonicalText } from '../value/canonical.ts';
import { fromUtf8, toBase64Url, toHex, utf8 } from '../value/encoding.ts';
import type { JsonValue } from '../value/json.ts';
import type { World } from '../world/world.ts';
import { existingDirectory, prepareDirectory } from './directory.ts';
import type { BodyRole, SealedBody } from './ledger.ts';
import { LedgerError } from './ledger.ts';
import { openSecretFile, readSecretFile } from './secret-file.ts';

const KEY_BYTES = 32;
/** AES-GCM (NIST SP 800-38D): nonce in front, tag behind. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SALT_BYTES = 16;

export interface Vault {
  /**
   * Encrypts `value` under a fresh key. `commitment` says nothing of the value to who lacks the opening: it is the
   * digest of an RFC 9901 disclosure, base64url(SHA-256(ASCII(base64url(JCS([salt, pointer, value]))))), where
   * `pointer` is `/args` or `/output`.
   */
  seal(call: string, role: BodyRole, value: JsonValue): { readonly commitment: string; readonly body: SealedBody };
  /** The value of `body`. Throws `tampered` when the body is not what was sealed, or not what `commitment` says. */
  open(body: SealedBody, commitment: string): JsonValue;
  /** `h_` and the HMAC-SHA-256 of `parts` within `namespace`, the same for ever in this data directory. */
  keyHmac(namespace: string, ...parts: string[]): string;
  /** HMAC-SHA-256 under `salt` of what tells "same call"; `canonicalArgs` is canonical JSON. 32 bytes. */
  fingerprint(salt: Uint8Array, principal: string, tool: string, canonicalArgs: string): Uint8Array;
}

/**
 * The vault of a data directory; its key is created at first start. Throws `cannot-open` when the directory or the
 * key cannot be used, and when the key is gone while there is a ledger: a new one could open nothing.
 */
export function openVault(dataDirectory: string, world: World): Vault {
  const files = prepareDirectory(dataDirectory);
  // In this order: a process that starts at the same time makes the key first and the ledger later.
  if (existsSync(files.ledger) && !existsSync(files.vaultKey)) {
    throw new LedgerError(
      'cannot-open',
      `\`${files.vaultKey}\` is missing, and without it no result opens: restore it`,
    );
  }
  const key = openSecretFile(files.vaultKey, toHex(world.random(8)), () => world.random(KEY_BYTES));
  return createVault(whole(key, files.vaultKey), world);
}

/** The vault of a data directory that is only read: nothing is created. Throws `cannot-open` without a key. */
export function readVault(dataDirectory: string, world: World): Vault {
  const { vaultKey } = existingDirectory(dataDirectory);
  const key = readSecretFile(vaultKey);
  if (key !== undefined) return createVault(whole(key, vaultKey), world);
  throw new LedgerError('cannot-open', `\`${vaultKey}\` is missing, and without it no result opens: restore it`);
}

function whole(key: Uint8Array, file: string): Uint8Array {
  if (key.length === KEY_BYTES) return key;
  throw new LedgerError('cannot-open', `\`${file}\` is damaged, expected ${KEY_BYTES} bytes: restore it`);
}

/** A vault whose keys all derive from `key`, 32 bytes. */
export function createVault(key: Uint8Array, world: World): Vault {
  const wrapping = derive(key, 'wrap');
  const naming = derive(key, 'key-hmac');
  return {
    seal(call, role, value) {
      // Drawn at once: each draw is a call to the system.
      const drawn = world.random(SALT_BYTES + KEY_BYTES + 2 * NONCE_BYTES);
      const salt = drawn.subarray(0, SALT_BYTES);
      const keyBytes = drawn.subarray(SALT_BYTES, SALT_BYTES + KEY_BYTES);
      const bodyKey = createSecretKey(keyBytes);
      const nonce = drawn.subarray(-2 * NONCE_BYTES, -NONCE_BYTES);
      const keyNonce = drawn.subarray(-NONCE_BYTES);
      const disclosure = canonicalBytes([toBase64Url(salt), `/${role}`, value]);
      const ciphertext = encrypt(bodyKey, disclosure, bound('body', call, role), nonce);
      const wrappedKey = encrypt(wrapping, keyBytes, bound('key', call, role), keyNonce);
      return { commitment: commitmentOf(disclosure), body: { call, role, ciphertext, wrappedKey } };
    },
    open({ call, role, ciphertext, wrappedKey }, commitment) {
      const bodyKey = decrypt(wrapping, wrappedKey, bound('key', call, role));
      const disclosure = bodyKey && decrypt(createSecretKey(bodyKey), ciphertext, bound('body', call, role));
      if (disclosure === undefined || commitmentOf(disclosure) !== commitment) {
        throw new LedgerError('tampered', `the ${role} of call ${call} is not what its entry commits to`);
      }
      return valueOf(disclosure);
    },
    keyHmac(namespace, ...parts) {
      const mac = createHmac('sha256', naming).update(canonicalBytes([namespace, ...parts]));
      return `h_${mac.digest('base64url')}`;
    },
    fingerprint(salt, principal, tool, canonicalArgs) {
      // The JSON of the pair says where it ends, so no two calls run together.
      const mac = createHmac('sha256', createSecretKey(salt))
        .update(canonicalText([principal, tool]))
        .update(canonicalArgs);
      return new Uint8Array(mac.digest());
    },
  };
}

/** As a key object, which is several times as fast to use as the bytes are. */
function derive(key: Uint8Array, purpose: string): KeyObject {
  const bytes = hkdfSync('sha256', key, new Uint8Array(0), utf8(`interlock/v1/${purpose}`), KEY_BYTES);
  return createSecretKey(new Uint8Array(bytes));
}

/** A ciphertext moved to another call, role or use does not open. */
function bound(use: 'body' | 'key', call: string, role: BodyRole): Uint8Array {
  return canonicalBytes([use, call, role]);
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

function encrypt(key: KeyObject, plain: Uint8Array, bound: Uint8Array, nonce: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES }).setAAD(bound);
  return new Uint8Array(Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]));
}

function decrypt(key: KeyObject, sealed: Uint8Array, bound: Uint8Array): Uint8Array | undefined {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(bound).setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    const opened = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES));
    return new Uint8Array(Buffer.concat([opened, decipher.final()]));
  } catch {
    return undefined;
  }
}
