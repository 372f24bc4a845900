/** Commands as the tests of the command line run them: in this process, or as the process that a person starts. */

import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import picocolors from 'picocolors';
import { runCommandLine } from '../../src/cli/command-line.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import { STATE_HOME } from '../state-home.ts';

export const INTERLOCK: string = join(import.meta.dirname, '../../bin/interlock.js');

/** How long something may take that is awaited without a clock of its own. */
const PATIENCE_MS = 20_000;

/** What a command left behind. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A stream that keeps what is written to it. */
export class Kept extends Writable {
  readonly #parts: Buffer[] = [];

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#parts.push(Buffer.from(chunk));
    this.emit('kept');
    done();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  get text(): string {
    return this.bytes.toString('utf8');
  }

  /** Resolves once `wanted` holds of what was written, or rejects with what was written instead. */
  async until(wanted: (text: string) => boolean): Promise<string> {
    const late = AbortSignal.timeout(PATIENCE_MS);
    while (!wanted(this.text)) {
      await once(this, 'kept', { signal: late }).catch((cause: unknown) => {
        throw new Error(`waited in vain; so far: ${this.text}`, { cause });
      });
    }
    return this.text;
  }
}

export interface FakeTerminal extends Terminal {
  readonly output: Kept;
  readonly errors: Kept;
  readonly signals: EventEmitter;
}

export interface Around {
  readonly directory?: string;
  readonly input?: string | Uint8Array | Readable;
  readonly environment?: Readonly<Record<string, string>>;
  readonly colours?: boolean;
  readonly attended?: boolean;
}

export function fakeTerminal(around: Around = {}): FakeTerminal {
  const { input = '', attended = false } = around;
  return {
    input: input instanceof Readable ? input : Readable.from([Buffer.from(input)], { objectMode: false }),
    output: new Kept(),
    errors: new Kept(),
    environment: { XDG_STATE_HOME: STATE_HOME, ...around.environment },
    directory: around.directory ?? tmpdir(),
    colour: picocolors.createColors(around.colours ?? false),
    attended: { input: attended, errors: attended },
    signals: new EventEmitter(),
  };
}

/** Runs a command line in this process. */
export async function run(args: readonly string[], around: Around = {}): Promise<Ended> {
  const terminal = fakeTerminal(around);
  const code = await runCommandLine(terminal, args);
  return { code, out: terminal.output.text, err: terminal.errors.text };
}

/** Runs `bin/interlock.js` with this Node as a process of its own. */
export function start(args: readonly string[], around: Omit<Around, 'colours' | 'attended'> = {}): Promise<Ended> {
  const { directory = tmpdir(), input = '', environment = {} } = around;
  const child = spawn(process.execPath, [INTERLOCK, ...args], {
    cwd: directory,
    env: { PATH: process.env['PATH'], XDG_STATE_HOME: STATE_HOME, ...environment },
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  // A command that refuses its arguments does not wait for its input.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return new Promise((resolve) => {
    child.on('close', (code) => {
      resolve({ code, out: Buffer.concat(out).toString('utf8'), err: Buffer.concat(err).toString('utf8') });
    });
  });
}

/** A directory of a test's own, removed with it. */
export class Scratch implements Disposable {
  readonly path: string = realpathSync(mkdtempSync(join(tmpdir(), 'interlock-cli-')));

  at(...names: readonly string[]): string {
    return join(this.path, ...names);
  }

  /** Writes a file, its folder too, and answers with its path. */
  write(name: string, content: string | Uint8Array, mode = 0o600): string {
    const path = this.at(name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    chmodSync(path, mode);
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Whether `text` holds anything that a terminal would obey but a newline. */
export function drivesTerminal(text: string): boolean {
  return /[\p{Cc}\p{Cf}\u2028\u2029]/u.test(text.replaceAll('\n', ''));
}

/** The only line of `out`, as the JSON it is. */
export function json(out: string): Record<string, unknown> {
  const [line = '', ...rest] = out.split('\n');
  if (rest.join('') !== '') throw new Error(`expected one line of JSON, got ${out}`);
  return JSON.parse(line) as Record<string, unknown>;
}

/** A policy that needs no server: its tools have their schemas in the file. */
export const POLICY = `interlock: 1
tools:
  bank.pay:
    effect: irreversible
    key: args.charge
    input:
      type: object
      properties: { charge: { type: string }, amount: { type: integer } }
      required: [charge, amount]
      additionalProperties: false
  bank.balance: { effect: read, input: { type: object, properties: {} } }
rules:
  - id: small
    allow: bank.pay
    when: args.amount <= 20000
  - ask: bank.pay
    when: args.amount > 5000
  - deny: bank.pay
    when: args.charge == "stolen"
    because: the charge was reported
`;
