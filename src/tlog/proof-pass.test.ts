import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { utf8 } from '../value/encoding.ts';
import { verifyConsistency, verifyInclusion } from './proof.ts';
import { beginConsistencyProof, inclusionProofs } from './proof-pass.ts';
import { appendLeaf, EMPTY_FRONTIER, leafHash, rootOf, rootOfLeaves } from './tree.ts';

const hashesOf = (count: number): Uint8Array[] => Array.from({ length: count }, (_, i) => leafHash(utf8(`leaf ${i}`)));

test('each leaf of each tree is proved by one pass over its leaves, and nothing after the tree is read', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.array(fc.nat(), { maxLength: 6 }), (size, picks) => {
      const indices = picks.map((pick) => pick % size);
      const leaves = hashesOf(size);
      const passing = function* (): Generator<Uint8Array, void> {
        yield* leaves;
        assert.fail('a leaf after the tree was asked for');
      };
      const root = rootOfLeaves(leaves);
      const proofs = inclusionProofs(passing(), size, indices);
      assert.equal(proofs.length, indices.length);
      for (const [nth, index] of indices.entries()) {
        const [leaf, proof] = [leaves[index], proofs[nth]];
        assert.ok(leaf !== undefined && proof !== undefined);
        assert.ok(verifyInclusion({ index, size, leaf, root, proof }), `${index} of ${size}`);
      }
    }),
  );
});

test('a log with too few leaves proves nothing, and neither does a leaf that is not there', () => {
  assert.throws(() => inclusionProofs(hashesOf(4), 5, [0]), { code: 'out-of-range' });
  assert.throws(() => inclusionProofs([], 1, []), { code: 'out-of-range' });
  assert.throws(() => inclusionProofs(hashesOf(5), 5, [5]), { code: 'out-of-range' });
  assert.deepEqual(inclusionProofs([], 0, []), []);
});

test('that a tree grew from another is proved from the old one’s peaks and the leaves after it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.nat(), (size, pick) => {
      const oldSize = 1 + (pick % size);
      const leaves = hashesOf(size);
      const old = leaves.slice(0, oldSize).reduce(appendLeaf, EMPTY_FRONTIER);
      const pass = beginConsistencyProof(old, size);
      const ends = leaves.slice(oldSize).map((leaf) => pass.append(leaf));
      assert.deepEqual(ends.indexOf(true), ends.length - 1);
      const proof = pass.proof();
      const roots = { oldRoot: rootOf(old), root: rootOfLeaves(leaves) };
      assert.ok(verifyConsistency({ oldSize, size, ...roots, proof }), `${oldSize} of ${size}`);
    }),
  );
  assert.throws(() => beginConsistencyProof(EMPTY_FRONTIER, 2), { code: 'out-of-range' });
  const early = beginConsistencyProof(appendLeaf(EMPTY_FRONTIER, leafHash(utf8(''))), 2);
  assert.throws(() => early.proof(), { code: 'out-of-range' });
});
