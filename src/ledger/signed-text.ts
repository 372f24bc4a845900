/** The texts that approvers sign for a policy, as the entries that carry the signatures say them. Pure. */

import { type Digest, digestOf } from '../value/digest.ts';
import { fromBase64, utf8 } from '../value/encoding.ts';
import type { JsonObject, JsonValue } from '../value/json.ts';
import type { SignatureCheck } from '../tlog/note.ts';
import { exceptedRules } from './standing.ts';

const KEY_PREFIX = 'ed25519:';

/**
 * The digest of all that the author of an entry of type `policy.approved` or `policy.exception` signs, the log included.
 * Nothing for other types, and where a field is missing.
 */
export function signedDigest(type: string, log: string, fields: JsonObject): Digest | undefined {
  if (type === 'policy.approved') {
    const { reload, before, after } = fields;
    return allText([reload, before, after]) ? digestOf({ log, reload, before, after } as JsonObject) : undefined;
  }
  if (type !== 'policy.exception') return undefined;
  const { exception, expires, reason, rules } = fields;
  if (!allText([exception, expires, reason]) || exceptedRules(rules) === undefined) return undefined;
  return digestOf({ log, exception, rules, expires, reason } as JsonObject);
}

function allText(values: readonly (JsonValue | undefined)[]): boolean {
  return values.every((value) => typeof value === 'string');
}

/** What the author signs, over `signedDigest`. It begins like nothing else that an Interlock key signs. */
export function signedText(type: string, log: string, fields: JsonObject): string | undefined {
  const { by } = fields;
  const digest = signedDigest(type, log, fields);
  if (typeof by !== 'string' || digest === undefined) return undefined;
  return `interlock ${type === 'policy.approved' ? 'reload' : 'exception'} v1\n${digest}\n${by}\n`;
}

/** Whether the entry's `signature` (base64) is that of its text under `key`: `ed25519:` and 32 bytes in base64. */
export function isSigned(
  { type, log, fields }: { readonly type: string; readonly log: string; readonly fields: JsonObject },
  key: string,
  check: SignatureCheck,
): boolean {
  const text = signedText(type, log, fields);
  const { signature } = fields;
  if (text === undefined || typeof signature !== 'string' || !key.startsWith(KEY_PREFIX)) return false;
  const publicKey = fromBase64(key.slice(KEY_PREFIX.length));
  const bytes = fromBase64(signature);
  return publicKey !== undefined && bytes !== undefined && check(publicKey, utf8(text), bytes);
}
