/** Proofs from one pass over a log's leaves, in memory that grows with the proofs and not with the log. */

import { TlogError } from './error.ts';
import { consistencyProof, inclusionProof } from './proof.ts';
import type { HashReader } from './proof.ts';
import { EMPTY_FRONTIER, HASH_BYTES, nodeHash } from './tree.ts';
import type { Frontier } from './tree.ts';

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
  return provedBy(
    (read) => indices.map((index) => inclusionProof(read, index, size)),
    EMPTY_FRONTIER,
    leafHashes,
    size,
  );
}

/**
 * The proof that the tree of `size` leaves grew from `old` (RFC 6962, section 2.1.2); `leafHashes` are those after it.
 * Reads no more than it needs; throws `out-of-range` when there are fewer, or `old` is empty or larger.
 */
export function consistencyProofFrom(old: Frontier, leafHashes: Iterable<Uint8Array>, size: number): Uint8Array[] {
  return provedBy((read) => consistencyProof(read, old.size, size), old, leafHashes, size);
}

/** What `prove` gives of the tree that grows from `start`, of which it may ask for peaks. It is run twice. */
function provedBy<T>(
  prove: (read: HashReader) => T,
  start: Frontier,
  leafHashes: Iterable<Uint8Array>,
  size: number,
): T {
  const hashes = new Map<string, Uint8Array>();
  // Which subtrees are needed is the same whatever their hashes are.
  prove((level, index) => {
    const blank = new Uint8Array(HASH_BYTES);
    hashes.set(nameOf(level, index), blank);
    return blank;
  });
  collect(start, leafHashes, size, (peak) => {
    const name = nameOf(peak.level, peak.index);
    if (hashes.has(name)) hashes.set(name, peak.hash);
  });
  return prove((level, index) => hashes.get(nameOf(level, index)) ?? new Uint8Array(HASH_BYTES));
}

function nameOf(level: number, index: number): string {
  return `${level}/${index}`;
}

/** Grows the tree leaf by leaf and shows every perfect subtree once, as soon as it is whole. */
function collect(start: Frontier, leafHashes: Iterable<Uint8Array>, size: number, show: (peak: Peak) => void): void {
  const peaks = peaksOf(start);
  for (const peak of peaks) show(peak);
  let count = start.size;
  if (size > count) {
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

/** The peaks of a frontier with their places: one for each 1 in the binary form of its size, the largest first. */
function peaksOf({ size, peaks }: Frontier): Peak[] {
  const found: Peak[] = [];
  let first = 0;
  for (const hash of peaks) {
    let [level, width] = [0, 1];
    for (; width * 2 <= size - first; width *= 2) level += 1;
    found.push({ level, index: first / width, hash });
    first += width;
  }
  return found;
}
