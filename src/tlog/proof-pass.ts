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
  const pass = begin((read) => indices.map((index) => inclusionProof(read, index, size)), EMPTY_FRONTIER, size);
  if (size > 0) for (const hash of leafHashes) if (pass.append(hash)) break;
  return pass.proof();
}

/** A proof that waits for leaves. */
export interface ProofPass<T> {
  /** Takes the hash of the next leaf; answers whether it was the last that is needed. */
  append(leafHash: Uint8Array): boolean;
  /** Throws `out-of-range` while leaves are missing. */
  proof(): T;
}

/**
 * Begins the proof that the tree of `size` leaves grew from `old` (RFC 6962, section 2.1.2); the leaves after that one
 * follow. Throws `out-of-range` when `old` is empty or larger.
 */
export function beginConsistencyProof(old: Frontier, size: number): ProofPass<Uint8Array[]> {
  return begin((read) => consistencyProof(read, old.size, size), old, size);
}

/** What `prove` gives of the tree that grows from `start`, of which it may ask for peaks. It is run twice. */
function begin<T>(prove: (read: HashReader) => T, start: Frontier, size: number): ProofPass<T> {
  const hashes = new Map<string, Uint8Array>();
  // Which subtrees are needed is the same whatever their hashes are.
  prove((level, index) => {
    const blank = new Uint8Array(HASH_BYTES);
    hashes.set(nameOf(level, index), blank);
    return blank;
  });
  const keep = (peak: Peak): void => {
    const name = nameOf(peak.level, peak.index);
    if (hashes.has(name)) hashes.set(name, peak.hash);
  };
  const peaks = peaksOf(start);
  peaks.forEach(keep);
  let count = start.size;
  return {
    append: (hash) => {
      let peak: Peak = { level: 0, index: count, hash };
      keep(peak);
      for (let left = peaks.at(-1); left?.level === peak.level; left = peaks.at(-1)) {
        peaks.pop();
        peak = { level: peak.level + 1, index: Math.floor(peak.index / 2), hash: nodeHash(left.hash, peak.hash) };
        keep(peak);
      }
      peaks.push(peak);
      count += 1;
      return count >= size;
    },
    proof: () => {
      if (count < size) throw new TlogError('out-of-range', `expected ${size} leaves, got ${count}`);
      return prove((level, index) => hashes.get(nameOf(level, index)) ?? new Uint8Array(HASH_BYTES));
    },
  };
}

function nameOf(level: number, index: number): string {
  return `${level}/${index}`;
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
