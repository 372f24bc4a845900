/** Starting child processes: no shell, no inherited descriptors, a group of their own, signalled only by handle. */

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { World } from '../../world/world.ts';
import { ProcessError } from './error.ts';

export interface ProcessPlan {
  /** An executable: absolute, or a name looked up on the `PATH` of `env`. Never read by a shell. */
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment; nothing is inherited beside it. */
  readonly env: Readonly<Record<string, string>>;
  /** Absolute. */
  readonly cwd: string;
}

/** How a process ended: its exit code, or the signal that ended it. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A running child; its three pipes are its only descriptors. Errors on the pipes end them and are never thrown. */
export interface StartedProcess {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves once, when the process has exited; what was left of its group is killed then. Never rejects. */
  readonly ended: Promise<ProcessEnd>;
  /**
   * Closes its input, waits `graceMs`, sends SIGTERM to its group, waits `graceMs`, sends SIGKILL. Resolves when the
   * process has exited, or `graceMs` after the SIGKILL. May be called again and while a call is running.
   */
  stop(graceMs: number): Promise<void>;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** Rejects with `ProcessError` `cannot-start` when there is no such program or directory, or it may not be run. */
export async function startProcess(plan: ProcessPlan, world: World): Promise<StartedProcess> {
  const child = launch(plan);
  for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe.on('error', () => pipe.destroy());
  const ended = new Promise<ProcessEnd>((resolve) => {
    child.once('exit', (code, signal) => {
      signalGroup(child, 'SIGKILL');
      resolve({ code, signal });
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.on('error', (error) => reject(cannotStart(plan, error)));
  });
  const { pid } = child;
  if (pid === undefined) throw cannotStart(plan, new Error('it has no process id'));
  const { stdin, stdout, stderr } = child;
  return { pid, stdin, stdout, stderr, ended, stop: (graceMs) => stop(child, ended, graceMs, world) };
}

function launch(plan: ProcessPlan): Child {
  const { command, args, env, cwd } = plan;
  try {
    return spawn(command, [...args], {
      cwd,
      env,
      shell: false,
      windowsHide: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      // A group of its own, so that what it starts ends with it, and a terminal's ^C reaches only us.
      detached: process.platform !== 'win32',
    });
  } catch (error) {
    // Thrown for what no system call is asked about, such as a NUL in an argument.
    throw cannotStart(plan, error);
  }
}

function cannotStart(plan: ProcessPlan, cause: unknown): ProcessError {
  const reason = cause instanceof Error ? cause.message : 'no reason was given';
  return new ProcessError('cannot-start', `cannot start \`${plan.command}\`: ${reason}`, { cause });
}

async function stop(child: Child, ended: Promise<ProcessEnd>, graceMs: number, world: World): Promise<void> {
  if (hasExited(child)) return;
  child.stdin.end();
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (await within(ended, graceMs, world)) return;
    if (!hasExited(child)) signalGroup(child, signal);
  }
  await within(ended, graceMs, world);
}

function hasExited(child: Child): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/**
 * The group carries the child's process id, which cannot be anybody else's: callers signal either before the child
 * was reaped, or in the very turn that reaped it.
 */
function signalGroup(child: Child, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (child.pid === undefined) return;
  if (process.platform === 'win32') {
    child.kill(signal);
    return;
  }
  try {
    process.kill(-child.pid, signal);
  } catch {
    // ESRCH: nothing is left of the group, which is what was wanted.
  }
}

async function within(ended: Promise<ProcessEnd>, ms: number, world: World): Promise<boolean> {
  const done = new AbortController();
  try {
    return await Promise.race([ended.then(() => true), world.sleep(ms, done.signal).then(() => false)]);
  } finally {
    done.abort();
  }
}
