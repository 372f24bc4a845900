/** The signature check that the structural verifier is handed: Ed25519 by the platform. */

import { createPublicKey, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** What stands before the 32 key bytes in a SubjectPublicKeyInfo (RFC 8410, section 4). */
const SPKI_PREFIX = Uint8Array.of(0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00);

/** Keys that are kept: a log has one and a few approvers, and importing one costs more than a check. */
const KEPT_MAX = 16;
const kept = new Map<string, KeyObject>();

/**
 * Whether `signature` (64 bytes) of `message` verifies under `publicKey` (32 bytes) by RFC 8032, section 5.1.7.
 * False, never an error, for a key or a signature of another length or one that names no curve point.
 * Signature bytes are not identities: other bytes may verify for the same message.
 */
export function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
  const key = importKey(publicKey);
  return key !== undefined && verify(null, message, key, signature);
}

function importKey(bytes: Uint8Array): KeyObject | undefined {
  const name = String.fromCharCode(...bytes);
  const known = kept.get(name);
  if (known !== undefined) return known;
  try {
    const der = new Uint8Array(SPKI_PREFIX.length + KEY_BYTES);
    der.set(SPKI_PREFIX);
    der.set(bytes, SPKI_PREFIX.length);
    // `createPublicKey` types its DER input as Buffer only; `from` over the same memory copies nothing.
    const key = createPublicKey({ key: Buffer.from(der.buffer), format: 'der', type: 'spki' });
    const [oldest] = kept.keys();
    if (kept.size >= KEPT_MAX && oldest !== undefined) kept.delete(oldest);
    kept.set(name, key);
    return key;
  } catch {
    return undefined;
  }
}
