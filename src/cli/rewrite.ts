/** Puts a new text in the place of a file: whole or not at all, and only where it still is what was read. */

import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { errorCodeOf } from '../ledger/directory.ts';
import { fromUtf8, toHex } from '../value/encoding.ts';
import type { World } from '../world/world.ts';

/**
 * Replaces the content of `file`, which was read as `before`, by `after`, with its mode; a link stays one. Answers why
 * it could not, as a clause, and then the file is as it was. Between the last look and the change another writer may
 * still come, for some microseconds: editors lock nothing.
 */
export function rewriteFile(file: string, before: string, after: string, world: World): string | undefined {
  let draft: string | undefined;
  try {
    const target = realpathSync(file);
    draft = `${target}.${toHex(world.random(8))}.tmp`;
    const fd = openSync(draft, 'wx', statSync(target).mode & 0o777);
    try {
      // A crash from here to the rename leaves the file as it was, and the draft, which nothing ever reads.
      writeFileSync(fd, after);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    if (fromUtf8(readFileSync(target)) !== before) {
      rmSync(draft);
      return 'it was changed meanwhile';
    }
    // A crash before the directory is on disk leaves the old text or the new one.
    renameSync(draft, target);
    syncDirectory(path.dirname(target));
    return undefined;
  } catch (error) {
    const code = errorCodeOf(error);
    if (code === undefined) throw error;
    if (draft !== undefined) rmSync(draft, { force: true });
    return `the system says ${code}`;
  }
}

function syncDirectory(directory: string): void {
  const fd = openSync(directory, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
