/** The signature check of a page: Ed25519 by WebCrypto. */

import type { LaterSignatureCheck } from './later.ts';

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const ED25519 = { name: 'Ed25519' } as const;

/** What is used of a page's `crypto.subtle`. A page has it only in a secure context: https, localhost or a file. */
export interface Subtle<Key> {
  importKey(
    format: 'raw',
    key: Uint8Array,
    algorithm: typeof ED25519,
    extractable: boolean,
    usages: ['verify'],
  ): Promise<Key>;
  verify(algorithm: typeof ED25519, key: Key, signature: Uint8Array, message: Uint8Array): Promise<boolean>;
}

/** Checks with `subtle`. Rejects where the browser has no Ed25519: what cannot be checked is neither right nor wrong. */
export function webSignatureCheck<Key>(subtle: Subtle<Key>): LaterSignatureCheck {
  return async (publicKey, message, signature) => {
    if (publicKey.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
    try {
      const key = await subtle.importKey('raw', publicKey, ED25519, false, ['verify']);
      return await subtle.verify(ED25519, key, signature, message);
    } catch (error) {
      // Bytes that are no point of the curve: some browsers say so at the import, others when they verify.
      if (error instanceof Error && error.name === 'DataError') return false;
      throw error;
    }
  };
}
