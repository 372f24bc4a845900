/** Tiles (C2SP tlog-tiles): a log as files that never change, of 256 hashes or 256 entries each. */

import { ENTRY_BYTES_MAX } from '../value/limits.ts';
import { TlogError } from './error.ts';
import { appendLeaf, EMPTY_FRONTIER, HASH_BYTES, leafHash, rootOfLeaves } from './tree.ts';
import type { Frontier } from './tree.ts';

/** How many hashes or entries a full tile holds. */
export const TILE_WIDTH = 256;

/** One file of a tiled log. */
export interface Tile {
  /**
   * 0 for leaf hashes, 1 and above for the roots of full tiles one level below; `entries` for the leaves themselves,
   * which lie in tiles as their hashes do.
   */
  readonly level: number | 'entries';
  /** Which tile of its level, from 0. */
  readonly index: number;
  /** How many it holds, 1 to 256; less than 256 only at the right edge of the tree. */
  readonly width: number;
}

export interface TileFile {
  readonly tile: Tile;
  readonly bytes: Uint8Array;
}

const LEVEL_MAX = 63;
const TILE_PATH = /^tile\/(entries|\d{1,2})\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/;

/** Where the tile lies below the log's prefix: `tile/0/x001/234.p/17`. */
export function tilePath({ level, index, width }: Tile): string {
  const digits = String(index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0');
  const elements = padded.replaceAll(/\d{3}(?=\d)/g, 'x$&/');
  return `tile/${level}/${elements}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

/** The tile that lies at `path`; nothing when the path is none that `tilePath` gives. */
export function parseTilePath(path: string): Tile | undefined {
  const [, levelText = '', elements = '', widthText] = TILE_PATH.exec(path) ?? [];
  const tile: Tile = {
    level: levelText === 'entries' ? 'entries' : Number(levelText),
    index: Number(elements.replaceAll(/[x/]/g, '')),
    width: widthText === undefined ? TILE_WIDTH : Number(widthText),
  };
  const isPossible = tile.level === 'entries' || tile.level <= LEVEL_MAX;
  return isPossible && Number.isSafeInteger(tile.index) && tilePath(tile) === path ? tile : undefined;
}

/** How many hashes the level has in the tree of `size` leaves. */
function hashesAt(level: Tile['level'], size: number): number {
  return Math.floor(size / TILE_WIDTH ** (level === 'entries' ? 0 : level));
}

/** Whether the tree of `size` leaves has exactly this tile, neither wider nor narrower. */
export function isTileOf({ level, index, width }: Tile, size: number): boolean {
  return width === Math.min(TILE_WIDTH, hashesAt(level, size) - index * TILE_WIDTH);
}

/** The tiles of the level in the tree of `size` leaves, from tile `from` on. */
export function* tilesAt(level: Tile['level'], size: number, from = 0): Generator<Tile, void> {
  const hashes = hashesAt(level, size);
  for (let index = from; index * TILE_WIDTH < hashes; index += 1) {
    yield { level, index, width: Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH) };
  }
}

/** The tiles at the right edge of the tree of `size` leaves that are not full, entries first, then level by level. */
export function partialTiles(size: number): Tile[] {
  const partial: Tile[] = [];
  for (let level: Tile['level'] = 'entries'; hashesAt(level, size) > 0; level = level === 'entries' ? 0 : level + 1) {
    const hashes = hashesAt(level, size);
    const width = hashes % TILE_WIDTH;
    if (width > 0) partial.push({ level, index: Math.floor(hashes / TILE_WIDTH), width });
  }
  return partial;
}

/** Entries as a bundle: each after its length in two bytes, big-endian. */
export function encodeBundle(leaves: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(leaves.reduce((sum, leaf) => sum + 2 + leaf.length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const leaf of leaves) {
    if (leaf.length > ENTRY_BYTES_MAX) {
      throw new TlogError('out-of-range', `expected an entry of at most ${ENTRY_BYTES_MAX} bytes, got ${leaf.length}`);
    }
    view.setUint16(at, leaf.length);
    bytes.set(leaf, at + 2);
    at += 2 + leaf.length;
  }
  return bytes;
}

/** The entries of a bundle; nothing when the bytes do not end where an entry does. */
export function decodeBundle(bytes: Uint8Array): Uint8Array[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const leaves: Uint8Array[] = [];
  let at = 0;
  while (at + 2 <= bytes.length) {
    const end = at + 2 + view.getUint16(at);
    if (end > bytes.length) return undefined;
    leaves.push(bytes.subarray(at + 2, end));
    at = end;
  }
  return at === bytes.length ? leaves : undefined;
}

/** The hashes of a tile; nothing when there are not `width` of them. */
export function hashesOfTile(bytes: Uint8Array, width: number): Uint8Array[] | undefined {
  if (bytes.length !== width * HASH_BYTES) return undefined;
  return Array.from({ length: width }, (_, i) => bytes.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES));
}

function joined(hashes: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(hashes.length * HASH_BYTES);
  hashes.forEach((hash, i) => bytes.set(hash, i * HASH_BYTES));
  return bytes;
}

/** A log on its way into tiles: what it holds is the right edge, never more than 256 hashes a level and 256 entries. */
export interface Tiling {
  readonly size: () => number;
  /** Takes the next leaf; the tiles that it made full. */
  readonly append: (leaf: Uint8Array) => TileFile[];
  /** The tiles that are not full. */
  readonly partial: () => TileFile[];
  readonly frontier: () => Frontier;
}

/**
 * Begins at the first leaf, or at leaf `size`, a multiple of 256, with `edge[level]` the hashes of the partial tile of
 * each level from 0 on (level 0 has none then).
 */
export function beginTiling(size = 0, edge: readonly (readonly Uint8Array[])[] = []): Tiling {
  if (size % TILE_WIDTH !== 0) throw new TlogError('out-of-range', `expected a multiple of 256, got ${size}`);
  let count = size;
  let leaves: Uint8Array[] = [];
  const levels = edge.map((hashes) => hashes.slice());
  /** Adds a hash; a tile that it fills gives a hash to the level above. */
  const push = (level: number, hash: Uint8Array, full: TileFile[]): void => {
    const hashes = (levels[level] ??= []);
    hashes.push(hash);
    if (hashes.length < TILE_WIDTH) return;
    const index = hashesAt(level, count) / TILE_WIDTH - 1;
    full.push({ tile: { level, index, width: TILE_WIDTH }, bytes: joined(hashes) });
    levels[level] = [];
    push(level + 1, rootOfLeaves(hashes), full);
  };
  return {
    size: () => count,
    append: (leaf) => {
      const full: TileFile[] = [];
      count += 1;
      leaves.push(leaf);
      if (leaves.length === TILE_WIDTH) {
        const tile: Tile = { level: 'entries', index: count / TILE_WIDTH - 1, width: TILE_WIDTH };
        full.push({ tile, bytes: encodeBundle(leaves) });
        leaves = [];
      }
      push(0, leafHash(leaf), full);
      return full;
    },
    partial: () =>
      partialTiles(count).map((tile) => ({
        tile,
        bytes: tile.level === 'entries' ? encodeBundle(leaves) : joined(levels[tile.level] ?? []),
      })),
    frontier: () => ({ size: count, peaks: levels.toReversed().flatMap(peaksOf) }),
  };
}

/** The roots of the perfect subtrees over these hashes, each taken as a leaf. */
function peaksOf(hashes: readonly Uint8Array[]): readonly Uint8Array[] {
  return hashes.reduce(appendLeaf, EMPTY_FRONTIER).peaks;
}
