/** Hashes and their text form; the only file of the pure floors that imports the platform. */

import { createHash, createHmac, hash, timingSafeEqual } from 'node:crypto';

import { canonicalBytes } from './canonical.ts';
import { toHex } from './encoding.ts';
import type { JsonValue } from './json.ts';

/** A SHA-256 digest (FIPS 180-4) as text: `sha256:` and 64 lower-case hexadecimal digits. */
export type Digest = `sha256:${string}`;

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

/** HMAC-SHA-256 (RFC 2104) of the concatenation of `parts` under `key`: 32 bytes. */
export function hmacSha256(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return new Uint8Array(mac.digest());
}

/** The digest of `bytes` as they are. */
export function digestOfBytes(bytes: Uint8Array): Digest {
  return `sha256:${toHex(sha256(bytes))}`;
}

/** The digest of the canonical form (RFC 8785) of `value`; throws what `canonicalBytes` throws. */
export function digestOf(value: JsonValue): Digest {
  return digestOfBytes(canonicalBytes(value));
}

/** Whether both hold the same bytes, in time that depends on their lengths only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
