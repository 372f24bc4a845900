/** The hash function of the platform; the only file of the pure floors that imports it. In a page `portable-hash` stands for it. */

import { createHash, hash, timingSafeEqual } from 'node:crypto';

const SHA256_BYTES = 32;
/** Parts up to this size together are copied into one piece: cheaper than feeding a hash object. */
const COPIED_MAX = 64 * 1024;

/** SHA-256 of the concatenation of `parts`: 32 bytes. */
export function sha256(...parts: Uint8Array[]): Uint8Array {
  const only = parts[0];
  if (only !== undefined && parts.length === 1) return sha256OfOne(only);
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length > COPIED_MAX) {
    const digest = createHash('sha256');
    for (const part of parts) digest.update(part);
    return new Uint8Array(digest.digest());
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return sha256OfOne(whole);
}

function sha256OfOne(bytes: Uint8Array): Uint8Array {
  // One character a byte: as text the digest crosses from native code in half the time of a buffer.
  const text = hash('sha256', bytes, 'binary');
  const digest = new Uint8Array(SHA256_BYTES);
  for (let i = 0; i < SHA256_BYTES; i += 1) digest[i] = text.charCodeAt(i);
  return digest;
}

/** Whether both hold the same bytes, in time that depends on their lengths only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
