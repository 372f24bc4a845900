/** Starts `ledger-child.ts`, a process of its own on a data directory, and reads what it says. */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const CHILD: string = join(import.meta.dirname, 'ledger-child.ts');

export interface Child {
  readonly process: ChildProcessWithoutNullStreams;
  /** The next line it prints, parsed; or what it printed on stderr when it ends instead. */
  line(): Promise<unknown>;
}

/** A test, or what else ends the child. */
interface Ends {
  after(end: () => void): void;
}

type Environment = Readonly<Record<string, string>>;

export function start(t: Ends, command: string, args: readonly string[], environment: Environment = {}): Child {
  const child = spawn(command, args, { env: { ...process.env, ...environment } });
  t.after(() => child.kill('SIGKILL'));
  let errors = '';
  child.stderr.on('data', (chunk) => (errors += String(chunk)));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const line = async (): Promise<unknown> => {
    const next = await lines.next();
    if (next.done === true) throw new Error(`the child ended without a word: ${errors}`);
    return JSON.parse(next.value);
  };
  return { process: child, line };
}

export function node(t: Ends, mode: string, dataDirectory: string, environment: Environment = {}): Child {
  return start(t, process.execPath, [CHILD, mode, dataDirectory], environment);
}
