/** Makes a bundle of chosen entries out of a log. */

import { parseSignedCheckpoint } from '../../tlog/checkpoint.ts';
import { inclusionProofs } from '../../tlog/proof-pass.ts';
import { leafHash } from '../../tlog/tree.ts';
import { fromUtf8 } from '../../value/encoding.ts';
import { parseEntry } from '../entry.ts';
import { LedgerError } from '../ledger.ts';
import type { Bundle } from './format.ts';

/** A log up to its last signed size. */
export interface SignedLog {
  /** The signed note. */
  readonly checkpoint: string;
  /** The log's verifier key, one line. */
  readonly key: string;
  /** All leaves from the first on; called twice. */
  readonly leaves: () => Iterable<Uint8Array>;
}

/** In the text of an entry that adds or revokes a key; others may hold it too, in their arguments. */
const KEY_TYPE = '"type":"key.';

/**
 * The bundle of entry 0, which names the log's key, of the entries about its keys, and of those that `wanted` chooses among
 * the signed ones. Two passes over the log, memory for what is chosen. Nothing when `wanted` chooses none.
 */
export function makeBundle(
  log: SignedLog,
  wanted: (leaf: Uint8Array, position: number) => boolean,
): Bundle | undefined {
  const signed = parseSignedCheckpoint(log.checkpoint);
  if (!signed.ok) throw new LedgerError('tampered', `the last checkpoint is damaged: ${signed.message}`);
  const { size } = signed.value.checkpoint;
  const chosen: { readonly position: number; readonly leaf: string }[] = [];
  let position = 0;
  let found = 0;
  for (const leaf of log.leaves()) {
    if (position === size) break;
    const isWanted = position > 0 && wanted(leaf, position);
    if (isWanted) found += 1;
    if (isWanted || position === 0 || isAboutKey(leaf)) chosen.push({ position, leaf: textOf(leaf, position) });
    position += 1;
  }
  if (position < size)
    throw new LedgerError('tampered', `the log has ${position} entries of the ${size} that are signed`);
  if (found === 0) return undefined;
  const hashes = function* (): Generator<Uint8Array, void> {
    for (const leaf of log.leaves()) yield leafHash(leaf);
  };
  const positions = chosen.map((entry) => entry.position);
  const proofs = inclusionProofs(hashes(), size, positions);
  const entries = chosen.map((entry, nth) => ({ ...entry, proof: proofs[nth] ?? [] }));
  return { key: log.key, checkpoint: log.checkpoint, entries };
}

/** What a stranger needs to go from the first key to the one that signs. */
function isAboutKey(leaf: Uint8Array): boolean {
  if (!Buffer.from(leaf.buffer, leaf.byteOffset, leaf.length).includes(KEY_TYPE)) return false;
  const parsed = parseEntry(leaf);
  return parsed.ok && (parsed.value.type === 'key.added' || parsed.value.type === 'key.revoked');
}

function textOf(leaf: Uint8Array, position: number): string {
  const text = fromUtf8(leaf);
  if (text === undefined) throw new LedgerError('tampered', `entry ${position} is not UTF-8`);
  return text;
}
