/** Completes package-lock.json with the optional packages of other platforms, without which `npm ci` refuses it. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './source.ts';

/** What this file reads and writes of an entry; all other fields stay as they are. */
interface LockEntry {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface Lock {
  readonly packages: Readonly<Record<string, LockEntry>>;
}

/** An optional package that a package of the lock names and the lock does not have. */
export interface LockGap {
  readonly name: string;
  readonly version: string;
  readonly dev: boolean;
}

/**
 * npm leaves an optional package out of the lock when the registry in use does not have it, as a mirror for
 * one platform does; `npm ci` then calls the lock out of sync, on that same machine.
 */
export function lockGaps({ packages }: Lock): LockGap[] {
  const gaps = new Map<string, LockGap>();
  for (const [path, { dev = false, optionalDependencies = {} }] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      if (!isFound(packages, path, name)) gaps.set(name, { name, version, dev });
    }
  }
  return [...gaps.values()];
}

/** Whether `name` resolves from the package at `path`, which is its folder. */
function isFound(packages: Lock['packages'], path: string, name: string): boolean {
  for (let at = path; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    if (packages[`${at}/node_modules/${name}`] !== undefined) return true;
  }
  return packages[`node_modules/${name}`] !== undefined;
}

const PLATFORM =
  /(android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32)-(arm64|arm|ia32|ppc64|riscv64|s390x|x64)(?:-(gnu|musl))?/;

/**
 * The lock with an entry for each gap. An entry has no integrity, because the package was not there to be
 * read, and is installed only on its own platform.
 */
export function completeLock(lock: Lock): Lock {
  const added = lockGaps(lock).map(({ name, version, dev }): [string, object] => {
    const platform = PLATFORM.exec(name);
    if (platform === null) throw new Error(`no platform in the name of the optional package \`${name}\``);
    const [, os, cpu, c] = platform;
    const libc = c === undefined ? {} : { libc: [c === 'gnu' ? 'glibc' : c] };
    const kind = { ...(dev ? { dev } : {}), ...libc, optional: true };
    return [`node_modules/${name}`, { version, cpu: [cpu], ...kind, os: [os] }];
  });
  const sorted = [...Object.entries(lock.packages), ...added].sort(([left], [right]) =>
    left.localeCompare(right, 'en'),
  );
  return { ...lock, packages: Object.fromEntries(sorted) };
}

if (import.meta.main) {
  const path = join(ROOT, 'package-lock.json');
  const lock = JSON.parse(readFileSync(path, 'utf8')) as Lock;
  const gaps = lockGaps(lock);
  writeFileSync(path, `${JSON.stringify(completeLock(lock), undefined, 2)}\n`);
  process.stdout.write(`${gaps.length} optional packages of other platforms added\n`);
}
