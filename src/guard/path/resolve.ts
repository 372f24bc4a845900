/** Resolves a path somebody wrote to what it really is, component by component. */

import { lstat, readlink, realpath } from 'node:fs/promises';
import path from 'node:path';
import type { GuardAnswer, GuardCode } from '../answer.ts';

/** Linux refuses longer paths (`PATH_MAX`); anything above is an attack or a mistake. */
const PATH_BYTES_MAX = 4096;
const COMPONENTS_MAX = 256;
const LINKS_MAX = 40;

export interface PathRoot {
  /** Absolute; what relative paths are relative to, and what nothing may leave. */
  readonly within: string;
  /** Absolute real paths that are refused even inside the root, with everything below them. */
  readonly protectedPaths: readonly string[];
}

function refuse(code: GuardCode, reason: string): GuardAnswer {
  return { ok: false, code, reason };
}

/** Whether `target` is `root` or lies below it; both absolute and normalised. */
function isInside(root: string, target: string): boolean {
  return target === root || target.startsWith(root.endsWith(path.sep) ? root : root + path.sep);
}

/**
 * The real target of `written` under `root`: symbolic links followed, and the part that does not exist
 * yet appended, its `..` taken back lexically (what does not exist is no link). Refuses what leaves the root
 * at the end, dangling links and protected paths. Callers pass the target on, never what was written, so that
 * no second reader resolves it differently.
 *
 * The answer is true at the moment of asking. A rival who can write to the file system may change it
 * before the path is used; only a sandbox or an operation on a held descriptor closes that gap.
 */
export async function resolvePath(root: PathRoot, written: string): Promise<GuardAnswer> {
  const malformed = malformation(written);
  if (malformed !== undefined) return refuse('path-malformed', malformed);
  let rootReal: string;
  try {
    rootReal = await realpath(root.within);
  } catch {
    return refuse('path-unresolvable', 'the root of this guard does not exist');
  }
  const walked = await walk(path.isAbsolute(written) ? '/' : rootReal, written.split(path.sep));
  if (!walked.ok) return walked;
  if (!isInside(rootReal, walked.target)) return refuse('path-outside', 'it leads outside the permitted directory');
  if (root.protectedPaths.some((kept) => isInside(kept, walked.target))) {
    return refuse('path-protected', 'it belongs to the execution authority itself');
  }
  return walked;
}

function malformation(written: string): string | undefined {
  if (written === '') return 'the path is empty';
  if (/\p{Cc}/u.test(written)) return 'the path contains a control character';
  if (!written.isWellFormed()) return 'the path contains a lone surrogate';
  if (new TextEncoder().encode(written).length > PATH_BYTES_MAX)
    return `the path is longer than ${PATH_BYTES_MAX} bytes`;
  if (written.split(path.sep).length > COMPONENTS_MAX) return `the path has more than ${COMPONENTS_MAX} components`;
  return undefined;
}

async function walk(start: string, components: readonly string[]): Promise<GuardAnswer> {
  let current = start;
  let missing = 0;
  let links = 0;
  const left = components.toReversed();
  for (let name = left.pop(); name !== undefined; name = left.pop()) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      missing = Math.max(0, missing - 1);
      current = path.dirname(current);
      continue;
    }
    const next = path.join(current, name);
    const kind: Kind = missing > 0 ? 'missing' : await kindOf(next);
    if (kind === 'unreadable') return refuse('path-unresolvable', 'a part of the path cannot be read');
    if (kind === 'link') {
      links += 1;
      if (links > LINKS_MAX) return refuse('path-unresolvable', 'it follows too many symbolic links');
      const target = await readlink(next);
      if ((await kindThrough(next)) === 'missing') return refuse('path-dangling', 'it is a symbolic link to nothing');
      if (path.isAbsolute(target)) current = '/';
      left.push(...target.split(path.sep).toReversed());
      continue;
    }
    if (kind === 'file' && left.some((rest) => rest !== '')) {
      return refuse('path-unresolvable', 'a file is used as a directory');
    }
    if (kind === 'missing') missing += 1;
    current = next;
  }
  return { ok: true, target: current };
}

type Kind = 'missing' | 'link' | 'directory' | 'file' | 'unreadable';

async function kindOf(target: string): Promise<Kind> {
  try {
    const stat = await lstat(target);
    if (stat.isSymbolicLink()) return 'link';
    return stat.isDirectory() ? 'directory' : 'file';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'missing' : 'unreadable';
  }
}

/** Like `kindOf`, after following every link; a loop of links counts as missing. */
async function kindThrough(target: string): Promise<Kind> {
  try {
    return await kindOf(await realpath(target));
  } catch {
    return 'missing';
  }
}
