/** `interlock.lock` on disk: beside the configuration, read strictly, replaced whole. */

import { type FileHandle, link, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { newId } from '../authority/draft.ts';
import { errorCodeOf } from '../ledger/directory.ts';
import { LOCK_LENGTH_MAX, type Lock, parseLock, printLock } from '../policy/pin/lock.ts';
import { fromUtf8 } from '../value/encoding.ts';
import type { Issue } from '../value/issue.ts';
import type { World } from '../world/world.ts';
import { CliError } from './exit.ts';
import { readBounded } from './file.ts';

const LOCK_NAME = 'interlock.lock';

/** What there is of a lock: none when there is no file, and none that can be used when there are issues. */
export interface LoadedLock {
  readonly lock?: Lock;
  readonly issues: readonly Issue[];
}

/** The lock that belongs to the configuration `file`. */
export function lockFileOf(file: string): string {
  return path.join(path.dirname(file), LOCK_NAME);
}

/** Reads the lock beside the configuration `file`, which the user knows as `shown`. */
export async function loadLock(file: string, shown: string): Promise<LoadedLock> {
  const named = lockFileOf(shown);
  const read = await readBounded(lockFileOf(file), 4 * LOCK_LENGTH_MAX);
  if (!read.ok) {
    if (read.isMissing === true) return { issues: [] };
    return unreadable(named, `the lock cannot be read: ${read.reason}`);
  }
  const text = fromUtf8(read.bytes);
  if (text === undefined) return unreadable(named, 'expected the lock to be UTF-8, got bytes that are not');
  const parsed = parseLock(text, named);
  if (parsed.ok) return { lock: parsed.value, issues: [] };
  const lines = text.split('\n');
  return { issues: parsed.issues.map((issue) => ({ ...issue, excerpt: lines[issue.line - 1] ?? '' })) };
}

function unreadable(file: string, message: string): LoadedLock {
  const hint = 'every call is denied until it is mended; delete it, or write it anew with `interlock pin --accept`';
  return { issues: [{ code: 'lock-unreadable', severity: 'error', message, file, line: 1, column: 1, hint }] };
}

/**
 * Puts `lock` in the place of the one beside the configuration `file`. Throws a `CliError` when it cannot be written,
 * and when it holds what no lock can (a definition that nests too deep for YAML): then the old one stands.
 */
export async function writeLock(file: string, lock: Lock, world: World): Promise<void> {
  const text = printLock(lock);
  const again = parseLock(text, LOCK_NAME);
  if (!again.ok || again.value.digest !== lock.digest) {
    const why = again.ok ? 'it would read otherwise' : (again.issues[0]?.message ?? 'no reason');
    throw new CliError('unreadable', `these definitions cannot be pinned: ${why}`, {
      hint: 'pin the tools that matter one by one, with SERVER.TOOL',
    });
  }
  await replaceFile(lockFileOf(file), text, world);
}

/** Writes the whole of `text` under `target`, durably. Throws a `CliError`. */
async function replaceFile(target: string, text: string, world: World): Promise<void> {
  // A crash before the rename leaves the old file and a draft that nothing reads; after it, the new file.
  await placeFile(target, text, world, (draft) => rename(draft, target));
}

/** The same where no file may be replaced: throws a `CliError` too when there is one, however late it came. */
export async function createFile(target: string, text: string, world: World): Promise<void> {
  // A link appears whole and never replaces. A crash before it leaves a draft that nothing reads; after it, the file.
  await placeFile(target, text, world, (draft) => link(draft, target));
}

async function placeFile(
  target: string,
  text: string,
  world: World,
  place: (draft: string) => Promise<void>,
): Promise<void> {
  const draft = `${target}.${newId(world)}.tmp`;
  try {
    await withFile(draft, 'wx', async (handle) => {
      await handle.writeFile(text);
      await handle.sync();
    });
    await place(draft);
    await rm(draft, { force: true });
    await syncDirectory(path.dirname(target));
  } catch (error) {
    await rm(draft, { force: true });
    throw unwritable(target, error);
  }
}

/** `error` as what keeps `target` from being written. */
function unwritable(target: string, error: unknown): unknown {
  const code = errorCodeOf(error);
  if (code === undefined) return error;
  if (code === 'EEXIST') return new CliError('unreadable', `\`${target}\` exists already, and is never overwritten`);
  return new CliError('unreadable', `\`${target}\` cannot be written: the system says ${code}`, { cause: error });
}

/** Makes the names in a directory durable. Windows has no such call and needs none. */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform !== 'win32') await withFile(directory, 'r', (handle) => handle.sync());
}

async function withFile(file: string, flags: string, use: (handle: FileHandle) => Promise<void>): Promise<void> {
  const handle = await open(file, flags);
  try {
    await use(handle);
  } finally {
    await handle.close();
  }
}
