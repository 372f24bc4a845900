import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { sha256 } from '../value/digest.ts';
import { fromHex, toHex, utf8 } from '../value/encoding.ts';
import { TlogError } from './error.ts';
import {
  appendLeaf,
  EMPTY_FRONTIER,
  EMPTY_ROOT,
  frontierFromBytes,
  frontierToBytes,
  leafHash,
  nodeHash,
  rootOf,
  rootOfLeaves,
} from './tree.ts';
import type { Frontier } from './tree.ts';

/** The tree head by the words of RFC 6962, section 2.1, without any cleverness. */
function naiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [first] = leaves;
  if (first === undefined) return sha256();
  if (leaves.length === 1) return first;
  let left = 1;
  while (left * 2 < leaves.length) left *= 2;
  return sha256(Uint8Array.of(1), naiveRoot(leaves.slice(0, left)), naiveRoot(leaves.slice(left)));
}

const leafHashes = Array.from({ length: 300 }, (_, i) => leafHash(utf8(`leaf ${i}`)));

/** The test tree of certificate-transparency: eight leaves and the roots after each. */
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

test('the test tree of certificate transparency has its known roots', () => {
  let frontier = EMPTY_FRONTIER;
  const roots = LEAVES.map((leaf) => {
    frontier = appendLeaf(frontier, leafHash(fromHex(leaf) ?? assert.fail()));
    return toHex(rootOf(frontier));
  });
  assert.deepEqual(roots, ROOTS);
});

test('the root of the frontier is the root of the tree, at every size', () => {
  let frontier: Frontier = EMPTY_FRONTIER;
  assert.deepEqual(rootOf(frontier), naiveRoot([]));
  leafHashes.forEach((leaf, i) => {
    frontier = appendLeaf(frontier, leaf);
    assert.equal(frontier.size, i + 1);
    assert.equal(toHex(rootOf(frontier)), toHex(naiveRoot(leafHashes.slice(0, i + 1))));
  });
  assert.deepEqual(rootOfLeaves(leafHashes), rootOf(frontier));
  assert.deepEqual(rootOfLeaves([]), EMPTY_ROOT);
});

test('a leaf cannot be taken for a node', () => {
  const [left, right] = [leafHash(utf8('a')), leafHash(utf8('b'))];
  const both = new Uint8Array([...left, ...right]);
  assert.notDeepEqual(leafHash(both), nodeHash(left, right));
});

test('appending leaves the old frontier as it was', () => {
  const old = appendLeaf(appendLeaf(EMPTY_FRONTIER, leafHash(utf8('a'))), leafHash(utf8('b')));
  const bytes = toHex(frontierToBytes(old));
  appendLeaf(appendLeaf(old, leafHash(utf8('c'))), leafHash(utf8('d')));
  assert.equal(toHex(frontierToBytes(old)), bytes);
});

test('a frontier comes back from its bytes and goes on growing alike', () => {
  fc.assert(
    fc.property(fc.nat(299), (size) => {
      const frontier = leafHashes.slice(0, size).reduce(appendLeaf, EMPTY_FRONTIER);
      const read = frontierFromBytes(frontierToBytes(frontier));
      assert.deepEqual(read, frontier);
      const next = leafHash(utf8('next'));
      assert.deepEqual(rootOf(appendLeaf(read ?? assert.fail(), next)), rootOf(appendLeaf(frontier, next)));
    }),
  );
});

test('bytes that are of no frontier are nothing', () => {
  const bytes = frontierToBytes(leafHashes.slice(0, 3).reduce(appendLeaf, EMPTY_FRONTIER));
  assert.equal(frontierFromBytes(bytes.subarray(0, -1)), undefined);
  assert.equal(frontierFromBytes(Uint8Array.of(...bytes, 0)), undefined);
  assert.equal(frontierFromBytes(bytes.with(7, 4)), undefined);
  assert.equal(frontierFromBytes(new Uint8Array(7)), undefined);
  assert.equal(frontierFromBytes(new Uint8Array(8 + 32 * 64).fill(0xff)), undefined);
});

test('a hash of another length is refused, not padded', () => {
  const isOutOfRange = (error: unknown): boolean => error instanceof TlogError && error.code === 'out-of-range';
  assert.throws(() => nodeHash(new Uint8Array(31), new Uint8Array(32)), isOutOfRange);
  assert.throws(() => nodeHash(new Uint8Array(32), new Uint8Array(0)), isOutOfRange);
});
