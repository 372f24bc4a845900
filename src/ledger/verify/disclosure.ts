/** Opens the disclosures (RFC 9901) in a bundle: whether each is what an entry beside it commits to. */

import { sha256 } from '../../value/digest.ts';
import { fromBase64Url, toBase64Url, utf8 } from '../../value/encoding.ts';
import { parseJson } from '../../value/json.ts';
import type { JsonObject, JsonValue } from '../../value/json.ts';
import { DEPTH_CEILING } from '../../value/limits.ts';
import { BUNDLE_LIMITS } from '../bundle/format.ts';
import { commitmentsIn } from '../recorded.ts';

/** A value that an entry committed to: what stood at `pointer` when it was recorded. */
export interface Disclosed {
  /** The position of the entry. */
  readonly entry: number;
  /** `/output`, or `/args` and the place among the arguments. */
  readonly pointer: string;
  readonly value: JsonValue;
}

export type Opened =
  | { readonly ok: true; readonly disclosed: Disclosed }
  | { readonly ok: false; readonly message: string };

/** `fields` are those of the entry at `position`; the disclosure is base64url of `[salt, pointer, value]`. */
export function openDisclosure(disclosure: string, position: number, fields: JsonObject): Opened {
  const bytes = fromBase64Url(disclosure);
  const parsed = bytes === undefined ? undefined : parseJson(bytes, { ...BUNDLE_LIMITS, depthMax: DEPTH_CEILING });
  const parts: readonly JsonValue[] = parsed?.ok === true && Array.isArray(parsed.value) ? parsed.value : [];
  const [salt, pointer, value] = parts;
  if (parts.length !== 3 || typeof salt !== 'string' || typeof pointer !== 'string' || value === undefined) {
    return { ok: false, message: 'expected a disclosure to be base64url of `[salt, pointer, value]`' };
  }
  // The commitment is over the text, so that one value has one disclosure.
  if (commitmentAt(fields, pointer) !== toBase64Url(sha256(utf8(disclosure)))) {
    return { ok: false, message: 'expected a disclosure of what the entry commits to, got another' };
  }
  return { ok: true, disclosed: { entry: position, pointer, value } };
}

function commitmentAt({ args, output }: JsonObject, pointer: string): string | undefined {
  const sealed = [
    ...(args === undefined ? [] : commitmentsIn(args, '/args')),
    ...(output === undefined ? [] : commitmentsIn(output, '/output')),
  ];
  return new Map(sealed).get(pointer);
}
