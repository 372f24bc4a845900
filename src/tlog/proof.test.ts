import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { readVectors } from '../../test/vectors/read.ts';
import { fromBase64, utf8 } from '../value/encoding.ts';
import { TlogError } from './error.ts';
import { consistencyProof, inclusionProof, verifyConsistency, verifyInclusion } from './proof.ts';
import type { HashReader } from './proof.ts';
import { leafHash, nodeHash, rootOfLeaves } from './tree.ts';

const leaves = Array.from({ length: 130 }, (_, i) => leafHash(utf8(`leaf ${i}`)));
const roots = Array.from({ length: 131 }, (_, size) => rootOfLeaves(leaves.slice(0, size)));

function rootAt(size: number): Uint8Array {
  return roots[size] ?? assert.fail();
}

function leafAt(index: number): Uint8Array {
  return leaves[index] ?? assert.fail();
}

/** Reads perfect subtrees of the tree of `size`, and fails the test when asked for one that is not complete. */
function reader(size: number): HashReader {
  return (level, index) => {
    const width = 2 ** level;
    assert.ok(
      Number.isInteger(index) && (index + 1) * width <= size,
      `asked for ${index} at level ${level} of ${size}`,
    );
    return rootOfLeaves(leaves.slice(index * width, (index + 1) * width));
  };
}

function bytesOf(base64: string): Uint8Array {
  return fromBase64(base64) ?? assert.fail(`not base64: ${base64}`);
}

test('the inclusion vectors verify exactly when they should', () => {
  interface Vector {
    id: string;
    leafIdx: number | string;
    treeSize: number | string;
    root: string;
    leafHash: string;
    proof: string[] | null;
    wantErr: boolean;
  }
  const vectors = readVectors<Vector>('merkle-inclusion.jsonl');
  assert.equal(vectors.length, 98);
  for (const { id, leafIdx, treeSize, root, leafHash: leaf, proof, wantErr } of vectors) {
    const [index, size] = [Number(leafIdx), Number(treeSize)];
    const claim = { index, size, leaf: bytesOf(leaf), root: bytesOf(root), proof: (proof ?? []).map(bytesOf) };
    assert.equal(verifyInclusion(claim), !wantErr, id);
  }
});

test('the consistency vectors verify exactly when they should', () => {
  interface Vector {
    id: string;
    size1: number | string;
    size2: number | string;
    root1: string;
    root2: string;
    proof: string[] | null;
    wantErr: boolean;
  }
  const vectors = readVectors<Vector>('merkle-consistency.jsonl');
  assert.equal(vectors.length, 98);
  for (const { id, size1, size2, root1, root2, proof, wantErr } of vectors) {
    const [oldSize, size] = [Number(size1), Number(size2)];
    const claim = { oldSize, size, oldRoot: bytesOf(root1), root: bytesOf(root2), proof: (proof ?? []).map(bytesOf) };
    assert.equal(verifyConsistency(claim), !wantErr, id);
  }
});

test('every leaf of every tree up to 64 has a proof that verifies there and nowhere else', () => {
  for (let size = 1; size <= 64; size += 1) {
    for (let index = 0; index < size; index += 1) {
      const proof = inclusionProof(reader(size), index, size);
      const claim = { index, size, leaf: leafAt(index), root: rootAt(size), proof };
      assert.ok(verifyInclusion(claim), `${index} of ${size}`);
      assert.ok(!verifyInclusion({ ...claim, index: index + 1 }), `${index} of ${size} elsewhere`);
      assert.ok(!verifyInclusion({ ...claim, leaf: leafAt(index + 1) }), `another leaf at ${index} of ${size}`);
      assert.ok(!verifyInclusion({ ...claim, root: rootAt(size + 1) }), `${index} in a tree that is not of ${size}`);
    }
  }
});

test('every tree up to 64 is consistent with every tree it grew from, and the proof shows no other pair', () => {
  for (let size = 1; size <= 64; size += 1) {
    for (let oldSize = 1; oldSize <= size; oldSize += 1) {
      const proof = consistencyProof(reader(size), oldSize, size);
      const claim = { oldSize, size, oldRoot: rootAt(oldSize), root: rootAt(size), proof };
      assert.ok(verifyConsistency(claim), `${oldSize} to ${size}`);
      assert.ok(!verifyConsistency({ ...claim, oldRoot: rootAt(oldSize - 1) }), `another tree to ${size}`);
      assert.ok(!verifyConsistency({ ...claim, root: rootAt(size + 1) }), `${oldSize} to another tree`);
    }
  }
});

test('a proof with any part changed, added or removed does not verify', () => {
  const place = fc
    .integer({ min: 2, max: 130 })
    .chain((size) => fc.tuple(fc.integer({ min: 1, max: size - 1 }), fc.constant(size)));
  const change = fc.tuple(fc.nat(), fc.nat(31), fc.nat(7), fc.constantFrom('flip', 'drop', 'double', 'short'));
  fc.assert(
    fc.property(place, change, ([at, size], [which, byte, bit, kind]) => {
      const spoil = (proof: readonly Uint8Array[]): Uint8Array[] => {
        const i = which % proof.length;
        const hash = proof[i] ?? assert.fail();
        const flipped = hash.with(byte, (hash[byte] ?? 0) ^ (1 << bit));
        const parts = { flip: [flipped], drop: [], double: [hash, hash], short: [hash.subarray(1)] }[kind];
        return [...proof.slice(0, i), ...parts, ...proof.slice(i + 1)];
      };
      const inclusion = spoil(inclusionProof(reader(size), at, size));
      assert.ok(!verifyInclusion({ index: at, size, leaf: leafAt(at), root: rootAt(size), proof: inclusion }));
      const consistency = spoil(consistencyProof(reader(size), at, size));
      assert.ok(!verifyConsistency({ oldSize: at, size, oldRoot: rootAt(at), root: rootAt(size), proof: consistency }));
    }),
    { numRuns: 300 },
  );
});

test('a proof that climbs higher than its tree does not verify, even under the root it arrives at', () => {
  const [first, second] = [leafAt(0), leafAt(1)];
  assert.ok(!verifyInclusion({ index: 0, size: 1, leaf: second, root: rootAt(2), proof: [first] }));
  const proof = [...consistencyProof(reader(5), 3, 5), second];
  const climbed = { oldRoot: nodeHash(second, rootAt(3)), root: nodeHash(second, rootAt(5)) };
  assert.ok(!verifyConsistency({ oldSize: 3, size: 5, ...climbed, proof }));
});

test('a proof from a tree far beyond 32 bits verifies', () => {
  // Every perfect subtree of the same leaf again and again has one hash a level.
  const levels = [leafHash(utf8('same'))];
  const read: HashReader = (level) => {
    while (levels.length <= level)
      levels.push(rootOfLeaves([levels.at(-1) ?? assert.fail(), levels.at(-1) ?? assert.fail()]));
    return levels[level] ?? assert.fail();
  };
  const size = 2 ** 40 + 2 ** 33 + 5;
  const index = 2 ** 40 + 3;
  const root = inclusionRoot(read, size);
  const leaf = read(0, 0);
  assert.ok(verifyInclusion({ index, size, leaf, root, proof: inclusionProof(read, index, size) }));
  const oldSize = 2 ** 35 + 7;
  const proof = consistencyProof(read, oldSize, size);
  assert.ok(verifyConsistency({ oldSize, size, oldRoot: inclusionRoot(read, oldSize), root, proof }));
  assert.ok(!verifyConsistency({ oldSize: oldSize + 1, size, oldRoot: inclusionRoot(read, oldSize), root, proof }));
});

/** The root of a tree of equal leaves: the proof of its last leaf, folded from the right. */
function inclusionRoot(read: HashReader, size: number): Uint8Array {
  return inclusionProof(read, size - 1, size).reduce((hash, sibling) => rootOfLeaves([sibling, hash]), read(0, 0));
}

test('the tree without leaves is consistent with itself only', () => {
  const empty = { oldSize: 0, oldRoot: rootAt(0), proof: [] };
  assert.ok(verifyConsistency({ ...empty, size: 0, root: rootAt(0) }));
  assert.ok(!verifyConsistency({ ...empty, size: 0, oldRoot: rootAt(1), root: rootAt(1) }));
  assert.ok(!verifyConsistency({ ...empty, size: 1, root: rootAt(1) }));
});

test('sizes and indexes that are not whole numbers below 2^53 do not verify', () => {
  const leaf = leafAt(0);
  for (const index of [-1, 0.5, NaN, 2 ** 64 - 1])
    assert.ok(!verifyInclusion({ index, size: 1, leaf, root: rootAt(1), proof: [] }));
  assert.ok(!verifyInclusion({ index: 0, size: 2 ** 53, leaf, root: rootAt(1), proof: [] }));
  assert.ok(!verifyConsistency({ oldSize: 2 ** 53, size: 2 ** 53, oldRoot: leaf, root: leaf, proof: [] }));
});

test('what a tree does not have is not proved', () => {
  const isOutOfRange = (error: unknown): boolean => error instanceof TlogError && error.code === 'out-of-range';
  assert.throws(() => inclusionProof(reader(3), 3, 3), isOutOfRange);
  assert.throws(() => inclusionProof(reader(3), -1, 3), isOutOfRange);
  assert.throws(() => consistencyProof(reader(3), 0, 3), isOutOfRange);
  assert.throws(() => consistencyProof(reader(3), 4, 3), isOutOfRange);
});
