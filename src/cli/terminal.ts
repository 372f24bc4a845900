/** The terminal of a command: where it writes, whether colours help, and how text from elsewhere is shown. */

import type { EventEmitter } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import picocolors from 'picocolors';

export { inert, inertJson } from '../value/inert.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface Terminal {
  readonly input: Readable;
  readonly output: Writable;
  readonly errors: Writable;
  readonly environment: Environment;
  readonly directory: string;
  /** Colours, empty functions unless standard output is a terminal that wants them. */
  readonly colour: ReturnType<typeof picocolors.createColors>;
  /** Whether somebody sits at each of the streams. */
  readonly attended: { readonly input: boolean; readonly errors: boolean };
  /** Emits `SIGINT`, `SIGTERM` or `SIGHUP` when this process is asked to end. */
  readonly signals: Pick<EventEmitter, 'once' | 'off'>;
}

export function systemTerminal(): Terminal {
  return {
    input: process.stdin,
    output: process.stdout,
    errors: process.stderr,
    environment: process.env,
    directory: process.cwd(),
    colour: picocolors.createColors(wantsColour(process.stdout.isTTY, process.env)),
    attended: { input: process.stdin.isTTY, errors: process.stderr.isTTY },
    signals: process,
  };
}

/** Whether colours help: on a terminal that can show them, unless `NO_COLOR` is set and not empty (no-color.org). */
export function wantsColour(isTerminal: boolean | undefined, environment: Environment): boolean {
  return isTerminal === true && (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb';
}

export function writeLine(stream: Writable, line: string): void {
  stream.write(`${line}\n`);
}
