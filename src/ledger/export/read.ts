/** Reads an export for the verifier: its entries, its checkpoint, and whether each file is what the entries make of it. */

import { readdirSync } from 'node:fs';
import path from 'node:path';
import { parseSignedCheckpoint } from '../../tlog/checkpoint.ts';
import { beginTiling, decodeBundle, isTileOf, parseTilePath, TILE_WIDTH, tilePath, tilesAt } from '../../tlog/tile.ts';
import type { TileFile } from '../../tlog/tile.ts';
import { equalBytes } from '../../value/digest.ts';
import { fromUtf8 } from '../../value/encoding.ts';
import { shown } from '../verify/leaf.ts';
import { PROBLEMS_MAX } from '../verify/report.ts';
import type { LogCheckpoint, LogEntry } from '../verify/verify.ts';
import { CHECKPOINT_FILE, KEY_FILE, readExportFile, TILE_DIRECTORY } from './layout.ts';

/**
 * `export-missing` a file that the checkpoint's size asks for is not there. `export-extra` a file is there that it does
 * not ask for. `export-malformed` a bundle does not hold its entries. `export-tile` a tile is not what the entries hash
 * to. `export-key` the keys beside the log are not the
 * ones that its entries bring.
 */
export type ExportProblemCode = 'export-extra' | 'export-key' | 'export-malformed' | 'export-missing' | 'export-tile';

export interface ExportProblem {
  readonly code: ExportProblemCode;
  readonly message: string;
  /** The first entry of the file, where it is one of entries. */
  readonly entry?: number;
}

/** An export to read once, entries first. */
export interface ExportReading {
  /** How many entries the checkpoint covers. */
  readonly size: number;
  /** The signed note, as far as there is one. */
  readonly checkpoints: readonly LogCheckpoint[];
  /** The verifier keys beside it, as they stand there. */
  readonly keys: readonly string[] | undefined;
  readonly entries: () => Generator<LogEntry, void>;
  /** What is wrong with the files; complete once the entries are read to their end. */
  readonly problems: () => readonly ExportProblem[];
}

/** Nothing when the directory is no export at all: it has neither checkpoint nor tiles. */
export function openExport(directory: string): ExportReading | undefined {
  const names = readdirSync(directory);
  if (!names.includes(CHECKPOINT_FILE) && !names.includes(TILE_DIRECTORY)) return undefined;
  const problems: ExportProblem[] = [];
  const found = (problem: ExportProblem): void => {
    if (problems.length < PROBLEMS_MAX) problems.push(problem);
  };
  const note = readExportFile(directory, CHECKPOINT_FILE);
  const key = readExportFile(directory, KEY_FILE);
  if (note === undefined) found(missing(CHECKPOINT_FILE));
  if (key === undefined) found(missing(KEY_FILE));
  const size = note === undefined ? 0 : sizeOf(note);
  return {
    size,
    checkpoints: note === undefined ? [] : [{ size, note }],
    keys: key === undefined ? undefined : fromUtf8(key)?.replace(/\n$/, '').split('\n'),
    entries: () => readEntries(directory, size, found),
    problems: () => problems,
  };
}

function missing(name: string, entry?: number): ExportProblem {
  const message = `expected the file \`${name}\`, got none`;
  return { code: 'export-missing', message, ...(entry === undefined ? {} : { entry }) };
}

/** The size that a checkpoint speaks of; 0 when it cannot be read, which the verifier reports. */
function sizeOf(note: Uint8Array): number {
  const signed = parseSignedCheckpoint(note);
  return signed.ok ? signed.value.checkpoint.size : 0;
}

type Found = (problem: ExportProblem) => void;

function* readEntries(directory: string, size: number, found: Found): Generator<LogEntry, void> {
  const tiling = beginTiling();
  for (const tile of tilesAt('entries', size)) {
    const first = tile.index * TILE_WIDTH;
    const bytes = readExportFile(directory, tilePath(tile));
    const leaves = bytes === undefined ? undefined : decodeBundle(bytes);
    if (bytes === undefined) found(missing(tilePath(tile), first));
    else if (leaves?.length !== tile.width) {
      const message = `expected ${tile.width} entries in \`${tilePath(tile)}\`, got ${leaves?.length ?? 'a part of one'}`;
      found({ code: 'export-malformed', message, entry: first });
    }
    for (const [i, leaf] of (leaves ?? []).entries()) {
      yield { position: first + i, leaf };
      // Behind a gap no tile can be compared any more; the verifier says what is missing.
      if (tiling.size() === first + i) compare(directory, tiling.append(leaf), found);
    }
  }
  if (tiling.size() === size) compare(directory, tiling.partial(), found);
  findExtra(directory, size, found);
}

function compare(directory: string, files: readonly TileFile[], found: Found): void {
  for (const { tile, bytes } of files) {
    if (tile.level === 'entries') continue;
    const name = tilePath(tile);
    const there = readExportFile(directory, name);
    if (there === undefined) found(missing(name));
    else if (!equalBytes(there, bytes)) {
      found({ code: 'export-tile', message: `expected the hashes of the entries in \`${name}\`, got others` });
    }
  }
}

function findExtra(directory: string, size: number, found: Found): void {
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const name = path.relative(directory, path.join(entry.parentPath, entry.name)).split(path.sep).join('/');
    const tile = parseTilePath(name);
    const isKnown = name === CHECKPOINT_FILE || name === KEY_FILE || (tile !== undefined && isTileOf(tile, size));
    if (!isKnown) found({ code: 'export-extra', message: `expected no file ${shown(name)} in an export of ${size}` });
  }
}
