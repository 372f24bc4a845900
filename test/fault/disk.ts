/** Disks that fail: a library that makes system calls of a child fail on demand, and small file systems that fill up. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, cpSync, mkdtempSync, openSync, rmSync, statfsSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';

/** What the preloaded library (`disk.c`) does to the files of a ledger while it is told to. */
export type Fault = 'sync-fails' | 'sync-is-slow' | 'is-read-only' | 'is-over-quota' | 'is-nfs';

export interface FaultyDisk {
  /** For a child whose disk this is. */
  readonly environment: Readonly<Record<string, string>>;
  start(fault: Fault): void;
  end(fault: Fault): void;
}

/** Nothing, after the test was skipped with the reason, where there is no compiler or no such preloading. */
export function faultyDisk(t: TestContext): FaultyDisk | undefined {
  if (process.platform !== 'linux') {
    t.skip('a library is preloaded so only on Linux');
    return undefined;
  }
  const directory = scratch(t);
  const library = join(directory, 'disk.so');
  const source = join(import.meta.dirname, 'disk.c');
  const compiled = spawnSync('cc', ['-shared', '-fPIC', '-o', library, source, '-ldl'], { encoding: 'utf8' });
  if (compiled.error !== undefined) {
    t.skip('there is no C compiler, `cc`');
    return undefined;
  }
  if (compiled.status !== 0) throw new Error(compiled.stderr);
  return {
    environment: { LD_PRELOAD: library, FAULTY_DISK: directory },
    start: (fault) => writeFileSync(join(directory, fault), ''),
    end: (fault) => rmSync(join(directory, fault), { force: true }),
  };
}

/** A file system of its own, which ends with the test. */
export interface SmallDisk {
  /** Its root, for commands that run within. */
  readonly path: string;
  /** What comes before a command so that it runs where this file system is mounted. */
  readonly within: readonly [command: string, ...args: string[]];
  /** What is in `name` at its root, copied to where the test sees it. */
  copyTo(name: string, to: string): void;
  /** Whether it can be written from now on. */
  readOnly(is: boolean): Promise<void>;
  /** Leaves room for so many bytes and hardly more; for none if not given. */
  fill(leave?: number): void;
  /** Takes back what `fill` did. */
  makeRoom(): void;
}

/**
 * A file system in memory of `size` (`24m`), in a mount namespace that lives as long as its shell. Nothing, after the
 * test was skipped with the reason, where this user cannot make one.
 */
export async function smallDisk(t: TestContext, size: string): Promise<SmallDisk | undefined> {
  if (process.platform !== 'linux') {
    t.skip('a file system of its own is made so only on Linux');
    return undefined;
  }
  const place = scratch(t);
  const user = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  const credentials = user.length === 0 ? [] : ['--preserve-credentials'];
  const script = `mount -t tmpfs -o size=${size} tmpfs "$0" && echo mounted && while read -r how; do mount -o "remount,bind,$how" "$0" || exit 1; echo done; done`;
  const shell = spawn('unshare', [...user, '--mount', 'sh', '-c', script, place], { stdio: ['pipe', 'pipe', 'pipe'] });
  shell.on('error', () => undefined);
  let errors = '';
  shell.stderr.on('data', (chunk) => (errors += String(chunk)));
  const lines = createInterface(shell.stdout)[Symbol.asyncIterator]();
  const answered = async (): Promise<boolean> => (await lines.next()).done !== true;
  t.after(async () => {
    if (shell.exitCode !== null || shell.pid === undefined) return;
    const exited = once(shell, 'exit');
    shell.stdin.end();
    await exited;
  });
  if (!(await answered())) {
    t.skip(`no file system can be mounted here: ${errors.trim()}`);
    return undefined;
  }
  const root = join(`/proc/${shell.pid}/root`, place);
  const filler = join(root, 'filler');
  return {
    path: place,
    within: ['nsenter', '-t', `${shell.pid}`, ...user.slice(0, 1), ...credentials, '--mount'],
    // SQLite would resolve this path to another one.
    copyTo: (name, to) => cpSync(join(root, name), to, { recursive: true }),
    readOnly: async (is) => {
      shell.stdin.write(is ? 'ro\n' : 'rw\n');
      if (!(await answered())) throw new Error(errors);
    },
    fill: (leave = 0) => {
      const fd = openSync(filler, 'w');
      try {
        while (statfsSync(root).bavail * statfsSync(root).bsize > leave) writeSync(fd, new Uint8Array(65_536));
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
      } finally {
        closeSync(fd);
      }
    },
    makeRoom: () => rmSync(filler),
  };
}

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'interlock-disk-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
