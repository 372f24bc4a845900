/** The checkpoint that is kept outside of the data directory, by which a restored backup is noticed. */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseCheckpoint } from '../tlog/checkpoint.ts';
import type { Checkpoint } from '../tlog/checkpoint.ts';
import { parseNote } from '../tlog/note.ts';
import { errorCodeOf } from './directory.ts';
import { LedgerError } from './ledger.ts';

/** Far more than a checkpoint takes, with every witness there could be. */
const FILE_BYTES_MAX = 65_536;

/**
 * Where the file is: as the configuration says (absolute); where it is by default, under `directory`; or, when no
 * configuration could be read, where the last opening kept it.
 */
export type OutsidePlace =
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'default' | 'remembered'; readonly directory: string };

/** The file of `log`; `remembered` is that of the last opening. */
export function outsideFile(place: OutsidePlace, log: string, remembered: string | undefined): string {
  if (place.kind === 'file') return place.file;
  if (place.kind === 'remembered' && remembered !== undefined) return remembered;
  // The name comes from a database that anybody may have written: it must not lead anywhere else.
  return join(place.directory, `${log.replaceAll(/[^A-Za-z0-9-]/g, '-')}.checkpoint`);
}

export interface FoundOutside {
  readonly bytes: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly writtenAt: number;
}

/** What is in the file; nothing when there is none. Throws `cannot-open` when that cannot be told. */
export function readOutside(file: string): FoundOutside | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(file, 'r');
    const bytes = new Uint8Array(FILE_BYTES_MAX);
    const length = readSync(fd, bytes);
    return { bytes: bytes.subarray(0, length), writtenAt: Math.floor(fstatSync(fd).mtimeMs) };
  } catch (error) {
    const code = errorCodeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    const hint = 'let this user read it, or name another file with `checkpoints: { file: PATH }`';
    const message = `the checkpoint outside of the data directory, \`${file}\`, cannot be read (${code ?? 'unknown'})`;
    throw new LedgerError('cannot-open', `${message}: ${hint}`, { cause: error });
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Writes checkpoints to the file, the newest of those that wait; it never goes back to a smaller one of the same log. */
export interface OutsideKeeper {
  /** `replace`: whatever is in the file, from now on this is what the log extends. */
  keep(note: string, replace?: boolean): void;
  /** Resolves when nothing waits to be written. */
  settled(): Promise<void>;
}

/** What is told of the file while a log is open. */
export interface OutsideTelling {
  /** One line of text for people. */
  warn(line: string): void;
  /** The first time that the file cannot be written, and why: for the log. */
  record(reason: string): void;
}

/** Keeps the file of an open log; `isMissing`: it was not there when the log was opened. `unique` as below. */
export function keepOutside(file: string, isMissing: boolean, unique: string, telling: OutsideTelling): OutsideKeeper {
  const shown = `the checkpoint outside of the data directory, \`${file}\`,`;
  if (isMissing) telling.warn(`${shown} is missing: that this log is whole cannot be told, from now on it can`);
  return createOutsideKeeper(file, unique, (reason) => {
    telling.warn(`${shown} cannot be written (${reason}): a restored backup will not be noticed until it can`);
    telling.record(reason);
  });
}

/**
 * `unique` tells this writer's drafts from others'; `failed` is told the first time that the file cannot be written,
 * and every later checkpoint is tried all the same.
 */
function createOutsideKeeper(file: string, unique: string, failed: (reason: string) => void): OutsideKeeper {
  let next: { readonly note: string; readonly replace: boolean } | undefined;
  let writing: Promise<void> | undefined;
  let hasFailed = false;
  const drain = async (): Promise<void> => {
    while (next !== undefined) {
      const { note, replace } = next;
      next = undefined;
      try {
        if (replace || !(await isAhead(file, note))) await write(file, `${file}.${unique}.tmp`, note);
      } catch (error) {
        if (!hasFailed) failed(errorCodeOf(error) ?? String(error));
        hasFailed = true;
      }
    }
    writing = undefined;
  };
  return {
    keep: (note, replace = false) => {
      next = { note, replace: replace || next?.replace === true };
      writing ??= drain();
    },
    settled: async () => writing,
  };
}

/** Whether the file has this checkpoint already or a larger one: processes share it, and the slower comes later. */
async function isAhead(file: string, note: string): Promise<boolean> {
  const own = sizeAndOrigin(note);
  const kept = sizeAndOrigin(await readFile(file).catch(() => new Uint8Array()));
  return own !== undefined && kept?.origin === own.origin && kept.size >= own.size;
}

function sizeAndOrigin(note: string | Uint8Array): Checkpoint | undefined {
  const parsed = parseNote(note);
  const read = parsed.ok ? parseCheckpoint(parsed.value.text) : parsed;
  return read.ok ? read.value : undefined;
}

/**
 * A crash before the rename leaves the file as it was and perhaps a draft, which nothing reads; a crash after it, the
 * new file. Two processes that write at the same instant may leave the smaller checkpoint, until the next one.
 */
async function write(file: string, draft: string, note: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  try {
    const handle = await open(draft, 'w', 0o600);
    try {
      await handle.writeFile(note);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw error;
  }
  if (process.platform === 'win32') return;
  const directory = await open(dirname(file), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
