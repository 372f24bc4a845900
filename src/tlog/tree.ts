/** The Merkle tree of RFC 6962: hashes of leaves and nodes, and the frontier that grows leaf by leaf. */

import { sha256 } from '../value/digest.ts';
import { TlogError } from './error.ts';

export const HASH_BYTES = 32;

/** The root of the tree without leaves: the hash of nothing (RFC 6962, section 2.1). */
export const EMPTY_ROOT: Uint8Array = sha256(new Uint8Array(0));

/** The hash of one leaf: SHA-256(0x00 ‖ leaf). */
export function leafHash(leaf: Uint8Array): Uint8Array {
  const input = new Uint8Array(1 + leaf.length);
  input.set(leaf, 1);
  return sha256(input);
}

/** What every node hash is taken of; reused, because hashing copies it and nothing here waits. */
const nodeInput = new Uint8Array(1 + 2 * HASH_BYTES);
nodeInput[0] = 1;

/** The hash of an inner node: SHA-256(0x01 ‖ left ‖ right), of two hashes of 32 bytes. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  if (left.length !== HASH_BYTES || right.length !== HASH_BYTES) {
    throw new TlogError('out-of-range', `expected two hashes of 32 bytes, got ${left.length} and ${right.length}`);
  }
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + HASH_BYTES);
  return sha256(nodeInput);
}

/**
 * All that appending and the root need to know of a tree: the roots of its perfect subtrees, the largest first, one
 * for each 1 in the binary form of `size`. Never changed in place.
 */
export interface Frontier {
  /** Number of leaves, at most 2^53−1. */
  readonly size: number;
  readonly peaks: readonly Uint8Array[];
}

export const EMPTY_FRONTIER: Frontier = { size: 0, peaks: [] };

/** The frontier with one more leaf, given by its `leafHash`. One node hash a leaf on average, log₂ of the size at most. */
export function appendLeaf(frontier: Frontier, leaf: Uint8Array): Frontier {
  const size = frontier.size + 1;
  if (!Number.isSafeInteger(size)) throw new TlogError('out-of-range', 'expected fewer than 2^53 leaves');
  const peaks = frontier.peaks.slice();
  let peak = leaf;
  // As in counting: each trailing 1 of the old size is a subtree that the new leaf completes.
  for (let rest = frontier.size; rest % 2 === 1; rest = (rest - 1) / 2) peak = nodeHash(popped(peaks), peak);
  peaks.push(peak);
  return { size, peaks };
}

function popped(peaks: Uint8Array[]): Uint8Array {
  const peak = peaks.pop();
  if (peak === undefined) throw new TlogError('out-of-range', 'expected one peak for each 1 in the size of the tree');
  return peak;
}

/** The root hash of the tree that `frontier` stands for. */
export function rootOf(frontier: Frontier): Uint8Array {
  return frontier.peaks.length === 0 ? EMPTY_ROOT : frontier.peaks.reduceRight((root, peak) => nodeHash(peak, root));
}

/** The root hash of a tree with these leaf hashes. */
export function rootOfLeaves(leaves: Iterable<Uint8Array>): Uint8Array {
  let frontier = EMPTY_FRONTIER;
  for (const leaf of leaves) frontier = appendLeaf(frontier, leaf);
  return rootOf(frontier);
}

function onesOf(size: number): number {
  let ones = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2;
  return ones;
}

/** The size in 8 bytes, big-endian, then the peaks of 32 bytes each. */
export function frontierToBytes(frontier: Frontier): Uint8Array {
  const bytes = new Uint8Array(8 + HASH_BYTES * frontier.peaks.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(frontier.size));
  frontier.peaks.forEach((peak, i) => bytes.set(peak, 8 + HASH_BYTES * i));
  return bytes;
}

/** The frontier that `frontierToBytes` wrote; nothing when the bytes are of no frontier. */
export function frontierFromBytes(bytes: Uint8Array): Frontier | undefined {
  if (bytes.length < 8) return undefined;
  const size = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0));
  if (!Number.isSafeInteger(size) || bytes.length !== 8 + HASH_BYTES * onesOf(size)) return undefined;
  const peaks: Uint8Array[] = [];
  for (let at = 8; at < bytes.length; at += HASH_BYTES) peaks.push(bytes.slice(at, at + HASH_BYTES));
  return { size, peaks };
}
