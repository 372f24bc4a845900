/**
 * A bundle: some entries of a log, each with the proof that it is in the tree that one checkpoint signs. A receipt is the
 * bundle of a call, or of an erasure. It shows that what it holds was recorded, not that nothing else was.
 */

import { fromBase64, toBase64 } from '../../value/encoding.ts';
import { isJsonObject, parseJson } from '../../value/json.ts';
import type { JsonObject, JsonValue } from '../../value/json.ts';
import type { JsonLimits } from '../../value/limits.ts';

/** The value of `interlock` in a bundle of this version. */
const VERSION = 'bundle/1';

/** A bundle may hold a whole session; what is larger is refused. */
export const BUNDLE_LIMITS: JsonLimits = { depthMax: 8, bytesMax: 256 * 1024 * 1024, nodesMax: 20_000_000 };

export interface BundleEntry {
  readonly position: number;
  /** The text of the leaf: the canonical JSON of the entry. */
  readonly leaf: string;
  /** The audit path (RFC 6962, section 2.1.1), from the leaf upwards. */
  readonly proof: readonly Uint8Array[];
}

export interface Bundle {
  /** The log's verifier key, one line. */
  readonly key: string;
  /** The signed note over the tree. */
  readonly checkpoint: string;
  /** By position. */
  readonly entries: readonly BundleEntry[];
  /** Values that were chosen to be shown; absent where there are none. */
  readonly disclosures?: readonly BundleDisclosure[];
}

/** What opens one commitment of an entry of the bundle. */
export interface BundleDisclosure {
  readonly position: number;
  /** RFC 9901, base64url: the vault's `disclose`. */
  readonly disclosure: string;
}

export type ReadBundle =
  | { readonly ok: true; readonly bundle: Bundle }
  | { readonly ok: false; readonly message: string };

export function formatBundle({ key, checkpoint, entries, disclosures = [] }: Bundle): JsonObject {
  const told = entries.map(({ position, leaf, proof }) => ({ position, leaf, proof: proof.map(toBase64) }));
  const shown = disclosures.map((one) => ({ ...one }));
  return { interlock: VERSION, key, checkpoint, entries: told, ...(shown.length === 0 ? {} : { disclosures: shown }) };
}

/** Reads the form only: whether anything in it is true, `verifyBundle` tells. */
export function parseBundle(bytes: Uint8Array): ReadBundle {
  const parsed = parseJson(bytes, BUNDLE_LIMITS);
  if (!parsed.ok) return refused(`expected strict JSON: ${parsed.issues[0]?.message ?? 'it is none'}`);
  if (!isJsonObject(parsed.value)) return refused('expected an object');
  const { interlock, key, checkpoint, entries, disclosures = [], ...more } = parsed.value;
  if (interlock !== VERSION) return refused(`expected \`interlock\` to be \`${VERSION}\``);
  const [surplus] = Object.keys(more);
  if (surplus !== undefined) return refused(`a bundle has no member \`${surplus.slice(0, 80)}\``);
  if (typeof key !== 'string') return refused('expected `key` to be a verifier key');
  if (typeof checkpoint !== 'string') return refused('expected `checkpoint` to be a signed note');
  if (!Array.isArray(entries)) return refused('expected `entries` to be a list');
  const read: BundleEntry[] = [];
  for (const [nth, value] of (entries as readonly JsonValue[]).entries()) {
    const entry = readEntry(value);
    if (entry === undefined) return refused(`expected entry ${nth} of the bundle to be {position, leaf, proof}`);
    read.push(entry);
  }
  if (!Array.isArray(disclosures)) return refused('expected `disclosures` to be a list');
  const shown: BundleDisclosure[] = [];
  for (const [nth, value] of (disclosures as readonly JsonValue[]).entries()) {
    const disclosure = readDisclosure(value);
    if (disclosure === undefined)
      return refused(`expected disclosure ${nth} of the bundle to be {position, disclosure}`);
    shown.push(disclosure);
  }
  const opening = shown.length === 0 ? {} : { disclosures: shown };
  return { ok: true, bundle: { key, checkpoint, entries: read, ...opening } };
}

function readEntry(value: JsonValue): BundleEntry | undefined {
  if (!isJsonObject(value) || Object.keys(value).length !== 3) return undefined;
  const { position, leaf, proof } = value;
  if (typeof position !== 'number' || !Number.isSafeInteger(position) || position < 0) return undefined;
  if (typeof leaf !== 'string' || !Array.isArray(proof)) return undefined;
  const hashes = proof.map((hash) => (typeof hash === 'string' ? fromBase64(hash) : undefined));
  return hashes.every((hash) => hash !== undefined) ? { position, leaf, proof: hashes } : undefined;
}

function readDisclosure(value: JsonValue): BundleDisclosure | undefined {
  if (!isJsonObject(value) || Object.keys(value).length !== 2) return undefined;
  const { position, disclosure } = value;
  return typeof position === 'number' && typeof disclosure === 'string' ? { position, disclosure } : undefined;
}

function refused(message: string): ReadBundle {
  return { ok: false, message };
}
