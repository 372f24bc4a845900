import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { utf8 } from '../value/encoding.ts';
import {
  beginTiling,
  decodeBundle,
  encodeBundle,
  hashesOfTile,
  isTileOf,
  parseTilePath,
  partialTiles,
  TILE_WIDTH,
  tilePath,
  tilesAt,
} from './tile.ts';
import type { Tile, TileFile } from './tile.ts';
import { appendLeaf, EMPTY_FRONTIER, leafHash, rootOf, rootOfLeaves } from './tree.ts';

function leaf(i: number): Uint8Array {
  return utf8(`leaf ${i}`);
}

/** All tiles of the log of `size` such leaves, by path. */
function tiled(size: number): Map<string, TileFile> {
  const tiling = beginTiling();
  const files: TileFile[] = [];
  for (let i = 0; i < size; i += 1) files.push(...tiling.append(leaf(i)));
  return new Map([...files, ...tiling.partial()].map((file) => [tilePath(file.tile), file]));
}

const anyTile: fc.Arbitrary<Tile> = fc.record(
  {
    level: fc.oneof(fc.constant('entries' as const), fc.nat(63)),
    index: fc.oneof(fc.nat(2_000), fc.nat({ max: Number.MAX_SAFE_INTEGER })),
    width: fc.integer({ min: 1, max: TILE_WIDTH }),
  },
  { noNullPrototype: true },
);

test('a path is read back as the tile it was made of, and no other spelling of it is', () => {
  assert.equal(tilePath({ level: 0, index: 1_234_067, width: 256 }), 'tile/0/x001/x234/067');
  assert.equal(tilePath({ level: 'entries', index: 0, width: 17 }), 'tile/entries/000.p/17');
  fc.assert(fc.property(anyTile, (tile) => assert.deepEqual(parseTilePath(tilePath(tile)), tile)));
  for (const path of [
    'tile/64/000',
    'tile/00/000',
    'tile/0/00',
    'tile/0/x000/001',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/01',
    'tile/0/000/',
    '/tile/0/000',
    'tile/0/../0/000',
    'tile/entries/x001.p/1',
    `tile/0/${'x999/'.repeat(6)}999`,
  ]) {
    assert.equal(parseTilePath(path), undefined, path);
  }
});

test('a tree of 70,000 leaves has the tiles that the specification counts', () => {
  const widths = (level: Tile['level']): number[] => [...tilesAt(level, 70_000)].map(({ width }) => width);
  assert.deepEqual([widths(0).length, widths(0).at(-1)], [274, 112]);
  assert.deepEqual(widths(1), [256, 17]);
  assert.deepEqual(widths(2), [1]);
  assert.deepEqual(widths(3), []);
  assert.deepEqual(widths('entries'), widths(0));
  assert.deepEqual(partialTiles(256).map(tilePath), ['tile/1/000.p/1']);
  assert.deepEqual(partialTiles(0), []);
});

test('each tile of a log holds the hashes of its subtrees, and each bundle its leaves', () => {
  for (const size of [0, 1, 255, 256, 257, 512, 66_000]) {
    const files = tiled(size);
    const wanted = (['entries', 0, 1, 2] as const).flatMap((level) => [...tilesAt(level, size)]);
    assert.deepEqual([...files.keys()].toSorted(), wanted.map(tilePath).toSorted());
    for (const { tile, bytes } of files.values()) {
      assert.ok(isTileOf(tile, size));
      const { level, index, width } = tile;
      if (level === 'entries') {
        assert.deepEqual(
          decodeBundle(bytes),
          Array.from({ length: width }, (_, i) => leaf(index * TILE_WIDTH + i)),
        );
      } else {
        const span = TILE_WIDTH ** level;
        const first = Array.from({ length: span }, (_, i) => leafHash(leaf(index * TILE_WIDTH * span + i)));
        assert.deepEqual(hashesOfTile(bytes, width)?.[0], rootOfLeaves(first));
      }
    }
  }
});

test('a tiling goes on from where another stopped, with the same tiles and the root of the tree', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 600 }), (tiles, more) => {
      const size = tiles * TILE_WIDTH;
      const [whole, first] = [beginTiling(), beginTiling()];
      for (let i = 0; i < size; i += 1) first.append(leaf(i));
      const edge: Uint8Array[][] = [];
      for (const { tile, bytes } of first.partial()) {
        if (tile.level !== 'entries') edge[tile.level] = hashesOfTile(bytes, tile.width) ?? [];
      }
      const second = beginTiling(
        size,
        Array.from(edge, (hashes) => hashes ?? []),
      );
      let frontier = EMPTY_FRONTIER;
      for (let i = 0; i < size + more; i += 1) {
        frontier = appendLeaf(frontier, leafHash(leaf(i)));
        const full = whole.append(leaf(i));
        if (i >= size) assert.deepEqual(second.append(leaf(i)), full);
      }
      assert.deepEqual(second.partial(), whole.partial());
      assert.deepEqual(second.frontier(), frontier);
      assert.deepEqual(rootOf(second.frontier()), rootOf(frontier));
    }),
    { numRuns: 40 },
  );
});

test('a bundle that is cut or has more than its entries is none', () => {
  const bundle = encodeBundle([utf8('ab'), new Uint8Array(0), utf8('c')]);
  assert.deepEqual(decodeBundle(bundle)?.length, 3);
  for (const size of [1, 3, 5, 8]) assert.equal(decodeBundle(bundle.subarray(0, size)), undefined, String(size));
  assert.equal(decodeBundle(Uint8Array.of(...bundle, 0)), undefined);
  assert.throws(() => encodeBundle([new Uint8Array(65_536)]), { code: 'out-of-range' });
});
