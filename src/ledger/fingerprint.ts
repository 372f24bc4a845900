/** What tells "same call" and says nothing of its arguments once the salt is gone. */

import { createHmac, createSecretKey } from 'node:crypto';
import { canonicalText } from '../value/canonical.ts';

/** HMAC-SHA-256 under `salt` of principal, tool and arguments; `canonicalArgs` is canonical JSON. 32 bytes. */
export function fingerprintOf(salt: Uint8Array, principal: string, tool: string, canonicalArgs: string): Uint8Array {
  // The JSON of the pair says where it ends, so no two calls run together.
  const mac = createHmac('sha256', createSecretKey(salt))
    .update(canonicalText([principal, tool]))
    .update(canonicalArgs);
  return new Uint8Array(mac.digest());
}
