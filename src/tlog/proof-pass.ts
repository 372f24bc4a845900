/** Inclusion proofs from one pass over a log's leaves, in memory that grows with the proofs and not with the log. */

import { TlogError } from './error.ts';
import { inclusionProof } from './proof.ts';
import type { HashReader } from './proof.ts';
import { HASH_BYTES, nodeHash } from './tree.ts';

/** A perfect subtree on the way up: its level, and which one of that level it is. */
interface Peak {
  readonly level: number;
  readonly index: number;
  readonly hash: Uint8Array;
}

/**
 * The audit paths (RFC 6962, section 2.1.1) of the leaves at `indices` in the tree of the first `size` of `leafHashes`,
 * in the order of `indices`. Reads no more than `size`; throws `out-of-range` when there are fewer, or no such leaf.
 */
export function inclusionProofs(
  leafHashes: Iterable<Uint8Array>,
  size: number,
  indices: readonly number[],
): readonly (readonly Uint8Array[])[] {
  const hashes = new Map<string, Uint8Array>();
  const paths = (read: HashReader): readonly (readonly Uint8Array[])[] =>
    indices.map((index) => inclusionProof(read, index, size));
  // Which subtrees are needed is the same whatever their hashes are.
  paths((level, index) => {
    const blank = new Uint8Array(HASH_BYTES);
    hashes.set(nameOf(level, index), blank);
    return blank;
  });
  collect(leafHashes, size, (peak) => {
    const name = nameOf(peak.level, peak.index);
    if (hashes.has(name)) hashes.set(name, peak.hash);
  });
  return paths((level, index) => hashes.get(nameOf(level, index)) ?? new Uint8Array(HASH_BYTES));
}

function nameOf(level: number, index: number): string {
  return `${level}/${index}`;
}

/** Grows the tree leaf by leaf and shows every perfect subtree once, as soon as it is whole. */
function collect(leafHashes: Iterable<Uint8Array>, size: number, show: (peak: Peak) => void): void {
  const peaks: Peak[] = [];
  let count = 0;
  if (size > 0) {
    for (const hash of leafHashes) {
      let peak: Peak = { level: 0, index: count, hash };
      show(peak);
      for (let left = peaks.at(-1); left?.level === peak.level; left = peaks.at(-1)) {
        peaks.pop();
        peak = { level: peak.level + 1, index: Math.floor(peak.index / 2), hash: nodeHash(left.hash, peak.hash) };
        show(peak);
      }
      peaks.push(peak);
      count += 1;
      if (count === size) return;
    }
  }
  if (count < size) throw new TlogError('out-of-range', `expected ${size} leaves, got ${count}`);
}
