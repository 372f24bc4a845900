/** A small signed log for the tests of the verifier, and the tools to forge one. */

import { createPrivateKey, createPublicKey, sign } from 'node:crypto';

import { formatCheckpoint } from '../src/tlog/checkpoint.ts';
import { formatVerifierKey, signNote, verifierKey } from '../src/tlog/note.ts';
import type { VerifierKey } from '../src/tlog/note.ts';
import { leafHash, rootOfLeaves } from '../src/tlog/tree.ts';
import { canonicalBytes } from '../src/value/canonical.ts';
import { uuidV7 } from '../src/value/id.ts';
import type { JsonObject } from '../src/value/json.ts';
import { formatInstant } from '../src/value/time.ts';
import type { LogCheckpoint, LogEntry } from '../src/ledger/verify/verify.ts';

export { verifyEd25519 } from '../src/ledger/ed25519.ts';

export const LOG = 'interlock.example/sample';
const START_MS = 1_795_197_600_000;
const PKCS8_PREFIX = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20);

export interface Signer {
  readonly key: VerifierKey;
  readonly sign: (message: Uint8Array) => Uint8Array;
}

/** The Ed25519 key pair whose 32 secret bytes are all `seed`. */
export function signer(seed: number, name: string = LOG): Signer {
  const der = Buffer.concat([PKCS8_PREFIX, Buffer.alloc(32, seed)]);
  const secret = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(secret).export({ format: 'der', type: 'spki' });
  return {
    key: verifierKey(name, new Uint8Array(spki.subarray(-32))),
    sign: (message) => new Uint8Array(sign(null, message, secret)),
  };
}

/** Entry `i` of the sample log of `owner`; `changes` replace or add fields. */
export function entryFields(i: number, owner: Signer, changes: JsonObject = {}): JsonObject {
  return {
    v: 1,
    log: LOG,
    id: uuidV7(START_MS + i, new Uint8Array(10).fill(i)),
    at: formatInstant(START_MS + 1_000 * i),
    ...(i === 0 ? { type: 'ledger.created', key: formatVerifierKey(owner.key) } : { type: 'call.denied', amount: i }),
    ...changes,
  };
}

export function sampleLeaves(count: number, owner: Signer): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => canonicalBytes(entryFields(i, owner)));
}

/** The checkpoint that `owner` signs over the first `size` of `leaves`. */
export function signed(
  leaves: readonly Uint8Array[],
  size: number,
  owner: Signer,
  origin: string = LOG,
): LogCheckpoint {
  const root = rootOfLeaves(leaves.slice(0, size).map(leafHash));
  return { size, note: signNote(formatCheckpoint({ origin, size, root, extensions: [] }), owner.key, owner.sign) };
}

export function positioned(leaves: readonly Uint8Array[]): LogEntry[] {
  return leaves.map((leaf, position) => ({ position, leaf }));
}
