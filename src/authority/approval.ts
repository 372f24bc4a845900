/** Approvals: what one binds, and the signature that makes it somebody's. Pure. */

import { verifyEd25519 } from '../ledger/ed25519.ts';
import { fingerprintOf } from '../ledger/fingerprint.ts';
import { canonicalText } from '../value/canonical.ts';
import { type Digest, digestOf } from '../value/digest.ts';
import { fromBase64, toBase64Url, utf8 } from '../value/encoding.ts';
import type { JsonValue } from '../value/json.ts';
import { formatInstant } from '../value/time.ts';

/** Everything that an approval is for; another value of any member needs another approval. */
export interface ApprovalSubject {
  /** The log's origin. */
  readonly log: string;
  readonly call: string;
  readonly tool: string;
  /** The digest of the tool's definition; empty when none was known. */
  readonly definition: string;
  readonly principal: string;
  /** As they would be sent; `boundArgs` of them where some are sealed. */
  readonly args: JsonValue;
  /** From then on the call must not be dispatched; milliseconds since the epoch. */
  readonly expires: number;
}

const KEY_PREFIX = 'ed25519:';

/** SHA-256 of the canonical JSON (RFC 8785) of the subject, its arguments by digest and its time in RFC 3339. */
export function approvalDigest({ log, call, tool, definition, principal, args, expires }: ApprovalSubject): Digest {
  return digestOf({
    log,
    call,
    tool,
    definition,
    principal,
    args: digestOf(args),
    expires: formatInstant(expires),
  });
}

/**
 * Arguments that hold what is sealed, as an approval binds them: under the call's own salt, which goes with them. A bare
 * digest, which stands in the log for ever, would tell who guesses a phone number that it was the one.
 */
export function boundArgs(salt: Uint8Array, principal: string, tool: string, args: JsonValue): JsonValue {
  return { $mac: toBase64Url(fingerprintOf(salt, principal, tool, canonicalText(args))) };
}

/** What the approver `by` signs. It begins like nothing else that an Interlock key signs. */
export function approvalText(digest: string, by: string): string {
  return `interlock approval v1\n${digest}\n${by}\n`;
}

/**
 * Whether `signature` (base64, 64 bytes) is that of `approvalText` under `publicKey`, `ed25519:` and 32 bytes in
 * base64 (RFC 8032). False, never an error, for anything malformed.
 */
export function verifyApproval(publicKey: string, digest: string, by: string, signature: string): boolean {
  if (!publicKey.startsWith(KEY_PREFIX)) return false;
  const key = fromBase64(publicKey.slice(KEY_PREFIX.length));
  const bytes = fromBase64(signature);
  return key !== undefined && bytes !== undefined && verifyEd25519(key, utf8(approvalText(digest, by)), bytes);
}
