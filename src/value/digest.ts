/** Hashes and their text form. */

import { canonicalBytes } from './canonical.ts';
import { toHex } from './encoding.ts';
import { sha256 } from './hash.ts';
import type { JsonValue } from './json.ts';

export { equalBytes, sha256 } from './hash.ts';

/** A SHA-256 digest (FIPS 180-4) as text: `sha256:` and 64 lower-case hexadecimal digits. */
export type Digest = `sha256:${string}`;

/** The digest of `bytes` as they are. */
export function digestOfBytes(bytes: Uint8Array): Digest {
  return `sha256:${toHex(sha256(bytes))}`;
}

/** The digest of the canonical form (RFC 8785) of `value`; throws what `canonicalBytes` throws. */
export function digestOf(value: JsonValue): Digest {
  return digestOfBytes(canonicalBytes(value));
}
