/** AES-256-GCM as the vault uses it (NIST SP 800-38D): nonce in front, tag behind, bound to what it is for. */

import type { KeyObject } from 'node:crypto';
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { canonicalBytes } from '../value/canonical.ts';

export const KEY_BYTES = 32;
export const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** How many bytes a key is as a ciphertext. */
export const WRAPPED_BYTES: number = NONCE_BYTES + KEY_BYTES + TAG_BYTES;

/** `nonce` must never be used twice under one key. */
export function encrypt(key: KeyObject, plain: Uint8Array, bound: Uint8Array, nonce: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES }).setAAD(bound);
  return new Uint8Array(Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]));
}

/** The plain bytes; nothing when `sealed` is not what was encrypted under this key for this use. */
export function decrypt(key: KeyObject, sealed: Uint8Array, bound: Uint8Array): Uint8Array | undefined {
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

/** A ciphertext moved to another call, place or use does not open. */
export function boundTo(use: 'body' | 'key' | 'share' | 'subject', ...parts: readonly string[]): Uint8Array {
  return canonicalBytes([use, ...parts]);
}
