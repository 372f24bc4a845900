/** Proofs over the Merkle tree (RFC 6962, sections 2.1.1 and 2.1.2): that a leaf is in it, that it grew from a smaller one. */

import { equalBytes } from '../value/digest.ts';
import { TlogError } from './error.ts';
import { EMPTY_ROOT, HASH_BYTES, nodeHash } from './tree.ts';

/**
 * The hash of the perfect subtree `index` at `level`, which covers the leaves from index × 2^level to before
 * (index + 1) × 2^level. Level 0 are the leaf hashes. Asked only for subtrees that are complete.
 */
export type HashReader = (level: number, index: number) => Uint8Array;

/** The leaves from `low` to before `high`. */
interface Range {
  readonly low: number;
  readonly high: number;
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** Where RFC 6962 splits a range: after the largest power of two below its length. */
function split({ low, high }: Range): number {
  let left = 1;
  while (left * 2 < high - low) left *= 2;
  return low + left;
}

/** The root of a subtree of the split; its `low` is a multiple of the power of two at or above its length. */
function rangeHash(read: HashReader, range: Range): Uint8Array {
  const length = range.high - range.low;
  const level = Math.round(Math.log2(length));
  if (2 ** level === length) return read(level, range.low / length);
  const middle = split(range);
  return nodeHash(
    rangeHash(read, { low: range.low, high: middle }),
    rangeHash(read, { low: middle, high: range.high }),
  );
}

/**
 * The audit path of leaf `index` in the tree of `size` leaves, from the leaf upwards.
 * Throws `out-of-range` when that tree has no such leaf.
 */
export function inclusionProof(read: HashReader, index: number, size: number): Uint8Array[] {
  if (!isSize(index) || !isSize(size) || index >= size) {
    throw new TlogError('out-of-range', `expected a leaf before ${size}, got ${index}`);
  }
  const path: Uint8Array[] = [];
  let range: Range = { low: 0, high: size };
  while (range.high - range.low > 1) {
    const middle = split(range);
    const left: Range = { low: range.low, high: middle };
    const right: Range = { low: middle, high: range.high };
    path.push(rangeHash(read, index < middle ? right : left));
    range = index < middle ? left : right;
  }
  return path.reverse();
}

/**
 * The proof that the tree of `size` leaves grew from the one of its first `oldSize`; empty when they are the same.
 * Throws `out-of-range` unless 0 < `oldSize` ≤ `size`: nothing can be proved of the tree without leaves.
 */
export function consistencyProof(read: HashReader, oldSize: number, size: number): Uint8Array[] {
  if (!isSize(oldSize) || !isSize(size) || oldSize === 0 || oldSize > size) {
    throw new TlogError('out-of-range', `expected an old size from 1 to ${size}, got ${oldSize}`);
  }
  const proof: Uint8Array[] = [];
  let range: Range = { low: 0, high: size };
  while (oldSize < range.high) {
    const middle = split(range);
    const left: Range = { low: range.low, high: middle };
    const right: Range = { low: middle, high: range.high };
    proof.push(rangeHash(read, oldSize <= middle ? right : left));
    range = oldSize <= middle ? left : right;
  }
  // A subtree from leaf 0 is the old root itself, which the verifier has.
  if (range.low > 0) proof.push(rangeHash(read, range));
  return proof.reverse();
}

/** What an inclusion proof claims. `leaf` and `root` are hashes. */
export interface Inclusion {
  readonly index: number;
  readonly size: number;
  readonly leaf: Uint8Array;
  readonly root: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/** What a consistency proof claims: that the tree of `oldRoot` is the beginning of the tree of `root`. */
export interface Consistency {
  readonly oldSize: number;
  readonly size: number;
  readonly oldRoot: Uint8Array;
  readonly root: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

function areHashes(...hashes: readonly Uint8Array[]): boolean {
  return hashes.every((hash) => hash.length === HASH_BYTES);
}

/** A node on the way up from the leaf, and the last node of the same level. Plain division: sizes exceed 32 bits. */
interface Climb {
  node: number;
  last: number;
}

function ascend(climb: Climb): void {
  climb.node = Math.floor(climb.node / 2);
  climb.last = Math.floor(climb.last / 2);
}

/**
 * Goes one proof hash up. Whether that hash stands left of the node; a last node without a right sibling is
 * the same node on the levels above, up to where it has a left one.
 */
function siblingIsLeft(climb: Climb): boolean {
  const isLeft = climb.node % 2 === 1 || climb.node === climb.last;
  if (isLeft) while (climb.node % 2 === 0 && climb.node !== 0) ascend(climb);
  ascend(climb);
  return isLeft;
}

/** Whether the proof shows that the leaf is there (RFC 9162, section 2.1.3.2); false for sizes beyond 2^53−1. */
export function verifyInclusion({ index, size, leaf, root, proof }: Inclusion): boolean {
  if (!isSize(index) || !isSize(size) || index >= size || !areHashes(leaf, root, ...proof)) return false;
  const climb: Climb = { node: index, last: size - 1 };
  let hash = leaf;
  for (const sibling of proof) {
    if (climb.last === 0) return false;
    hash = siblingIsLeft(climb) ? nodeHash(sibling, hash) : nodeHash(hash, sibling);
  }
  return climb.last === 0 && equalBytes(hash, root);
}

/**
 * Whether the proof shows that the tree grew from the old one (RFC 9162, section 2.1.4.2); false for sizes beyond
 * 2^53−1, and for an old tree without leaves unless both have none: its root says nothing.
 */
export function verifyConsistency({ oldSize, size, oldRoot, root, proof }: Consistency): boolean {
  if (!isSize(oldSize) || !isSize(size) || oldSize > size) return false;
  // Of two trees of one size, that their roots are equal is all there is to show.
  if (oldSize === size) {
    return proof.length === 0 && equalBytes(oldRoot, root) && (size > 0 || equalBytes(root, EMPTY_ROOT));
  }
  if (oldSize === 0 || !areHashes(oldRoot, root, ...proof)) return false;
  const climb: Climb = { node: oldSize - 1, last: size - 1 };
  while (climb.node % 2 === 1) ascend(climb);
  // A perfect old tree is a node of the new one, so its root is where both begin; else the proof begins with that node.
  const [start, ...rest] = climb.node === 0 ? [oldRoot, ...proof] : proof;
  if (start === undefined) return false;
  let oldHash = start;
  let hash = start;
  for (const sibling of rest) {
    if (climb.last === 0) return false;
    if (siblingIsLeft(climb)) {
      oldHash = nodeHash(sibling, oldHash);
      hash = nodeHash(sibling, hash);
    } else {
      hash = nodeHash(hash, sibling);
    }
  }
  return climb.last === 0 && equalBytes(oldHash, oldRoot) && equalBytes(hash, root);
}
