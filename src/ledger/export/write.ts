/** Writes a log as an export, or brings an export up to date: what is there already is compared, never trusted. */

import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { parseSignedCheckpoint } from '../../tlog/checkpoint.ts';
import type { Checkpoint } from '../../tlog/checkpoint.ts';
import { beginTiling, hashesOfTile, isTileOf, partialTiles, TILE_WIDTH, tilePath } from '../../tlog/tile.ts';
import type { TileFile, Tiling } from '../../tlog/tile.ts';
import { rootOf } from '../../tlog/tree.ts';
import { equalBytes } from '../../value/digest.ts';
import { fromUtf8, utf8 } from '../../value/encoding.ts';
import { errorCodeOf, syncDirectory } from '../directory.ts';
import { LedgerError } from '../ledger.ts';
import { CHECKPOINT_FILE, KEY_FILE, readExportFile, TILE_DIRECTORY } from './layout.ts';

/** What is exported: the log up to its last signed size. */
export interface Exported {
  /** The signed note. */
  readonly checkpoint: string;
  /** The log's verifier keys, a line each, the one it was created with first. */
  readonly keys: readonly string[];
  /** The leaves from position `from` on, dense and in order; more than the checkpoint covers are left alone. */
  readonly leaves: (from: number) => Iterable<Uint8Array>;
  /** Tells this run from others that write to the same directory. */
  readonly unique: string;
}

export interface Written {
  /** Entries the export holds now. */
  readonly entries: number;
  /** Of them, how many were not there before. */
  readonly added: number;
}

/**
 * Brings `directory` to the state of `log`. Full tiles are immutable and are not written again; the checkpoint is
 * replaced last, so that a crash before leaves an export of the old size, with files that the next run takes up.
 * Throws `conflict` when the directory holds something else, or an export that this log did not grow from.
 */
export function writeExport(directory: string, log: Exported): Written {
  const { size, root } = checkpointOf(log.checkpoint);
  const old = checkpointBefore(directory, log.keys[0] ?? '');
  const before = old?.size ?? 0;
  const place: Place = { directory, draft: path.join(directory, `${DRAFT_PREFIX}${log.unique}`), touched: new Set() };
  if (before > size) {
    throw new LedgerError('conflict', `the export has ${before} entries, more than the ${size} that are signed`);
  }
  const tiling = resume(directory, before);
  if (before === tiling.size() && old !== undefined) requireRoot(tiling, old.root);
  for (const leaf of log.leaves(tiling.size())) {
    if (tiling.size() === size) break;
    const full = tiling.append(leaf);
    // Before anything is written: an export of another history stays as it was.
    if (tiling.size() === before && old !== undefined) requireRoot(tiling, old.root);
    for (const file of full) put(place, file);
  }
  if (tiling.size() !== size) {
    throw new LedgerError('tampered', `the log has ${tiling.size()} entries, fewer than the ${size} that are signed`);
  }
  for (const file of tiling.partial()) put(place, file);
  requireRoot(tiling, root);
  // What the checkpoint covers is on the disk before the checkpoint is.
  for (const touched of place.touched) syncDirectory(touched);
  replace(place, KEY_FILE, utf8(`${log.keys.join('\n')}\n`));
  replace(place, CHECKPOINT_FILE, utf8(log.checkpoint));
  syncDirectory(directory);
  // From here on the export is the new one; a crash leaves narrower tiles behind, which the next run removes.
  removeNarrower(directory, before, size);
  return { entries: size, added: size - before };
}

function requireRoot(tiling: Tiling, root: Uint8Array): void {
  if (equalBytes(rootOf(tiling.frontier()), root)) return;
  const found = `the log's first ${tiling.size()} entries are not those that were signed`;
  throw new LedgerError('conflict', `${found}: run interlock verify on the log and on the export`);
}

function checkpointOf(note: string): Checkpoint {
  const signed = parseSignedCheckpoint(note);
  if (!signed.ok) throw new LedgerError('tampered', `the checkpoint cannot be read: ${signed.message}`);
  return signed.value.checkpoint;
}

/** The checkpoint of the export that is there. Never goes on in a directory that is something else. */
function checkpointBefore(directory: string, key: string): Checkpoint | undefined {
  makeDirectory(directory);
  const known = new Set([CHECKPOINT_FILE, KEY_FILE, TILE_DIRECTORY]);
  const names = readdirSync(directory);
  // Left by a run that was cut; a run that still goes on finds its draft gone and stops.
  for (const name of names) if (name.startsWith(DRAFT_PREFIX)) rmSync(path.join(directory, name), { force: true });
  const foreign = names.find((name) => !known.has(name) && !name.startsWith(DRAFT_PREFIX));
  if (foreign !== undefined) {
    throw new LedgerError(
      'conflict',
      `\`${directory}\` holds \`${foreign}\`, which is of no export: name another directory`,
    );
  }
  const kept = readExportFile(directory, KEY_FILE);
  if (kept !== undefined && fromUtf8(kept)?.split('\n', 1)[0] !== key) {
    throw new LedgerError('conflict', `\`${directory}\` is the export of another log: name another directory`);
  }
  const note = readExportFile(directory, CHECKPOINT_FILE);
  return note === undefined ? undefined : checkpointOf(fromUtf8(note) ?? '');
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true });
  } catch (error) {
    const code = errorCodeOf(error);
    if (code === 'EEXIST' || code === 'ENOTDIR') {
      throw new LedgerError('conflict', `\`${directory}\` is a file, expected a directory`, { cause: error });
    }
    throw new LedgerError('stopped', `\`${directory}\` cannot be made (${code ?? 'no reason given'})`, {
      cause: error,
    });
  }
}

/** Goes on after the last full bundle, with the hashes above it that the export has; from the start when one is gone. */
function resume(directory: string, before: number): Tiling {
  const size = before - (before % TILE_WIDTH);
  const edge: Uint8Array[][] = [];
  // Up to the last full bundle the tiles above it are the same as of the whole.
  for (const tile of partialTiles(size)) {
    if (tile.level === 'entries') continue;
    const bytes = readExportFile(directory, tilePath(tile));
    const hashes = bytes === undefined ? undefined : hashesOfTile(bytes, tile.width);
    if (hashes === undefined) return beginTiling();
    while (edge.length < tile.level) edge.push([]);
    edge.push(hashes);
  }
  return beginTiling(size, edge);
}

const DRAFT_PREFIX = '.draft-';

interface Place {
  readonly directory: string;
  readonly draft: string;
  /** Directories with names that are not durable yet. */
  readonly touched: Set<string>;
}

/** A file that is there already is of an earlier export of the same log, or the export is not this log's. */
function put(place: Place, { tile, bytes }: TileFile): void {
  const name = tilePath(tile);
  const there = readExportFile(place.directory, name);
  if (there === undefined) return replace(place, name, bytes);
  if (equalBytes(there, bytes)) return;
  throw new LedgerError('conflict', `\`${name}\` of the export differs from the log: export to an empty directory`);
}

/** The file appears whole and durable, or stays as it was; a crash may leave a draft, which the next run removes. */
function replace({ directory, draft, touched }: Place, name: string, bytes: Uint8Array): void {
  const file = path.join(directory, name);
  try {
    const made = mkdirSync(path.dirname(file), { recursive: true });
    if (made !== undefined) touched.add(path.dirname(made));
    touched.add(path.dirname(file));
    const fd = openSync(draft, 'w');
    try {
      writeFileSync(fd, bytes);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(draft, file);
  } catch (error) {
    const reason = errorCodeOf(error) ?? 'no reason given';
    throw new LedgerError('stopped', `\`${name}\` of the export cannot be written (${reason})`, { cause: error });
  }
}

/** Tiles that were partial in the tree of `before` leaves and are wider in that of `size`. */
function removeNarrower(directory: string, before: number, size: number): void {
  for (const tile of partialTiles(before)) {
    if (isTileOf(tile, size)) continue;
    const file = path.join(directory, tilePath(tile));
    rmSync(file, { force: true });
    if (readdirSync(path.dirname(file)).length === 0) rmdirSync(path.dirname(file));
  }
}
