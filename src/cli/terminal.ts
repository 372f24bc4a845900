/** The terminal of a command: where it writes, whether colours help, and how text from elsewhere is shown. */

import type { Readable, Writable } from 'node:stream';
import picocolors from 'picocolors';

export interface Terminal {
  readonly input: Readable;
  readonly output: Writable;
  readonly errors: Writable;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly directory: string;
  /** Colours, empty functions unless standard output is a terminal that wants them. */
  readonly colour: ReturnType<typeof picocolors.createColors>;
}

export function systemTerminal(): Terminal {
  const wanted = process.stdout.isTTY && process.env['NO_COLOR'] === undefined && process.env['TERM'] !== 'dumb';
  return {
    input: process.stdin,
    output: process.stdout,
    errors: process.stderr,
    environment: process.env,
    directory: process.cwd(),
    colour: picocolors.createColors(wanted),
  };
}

/** Text from outside on one line, its control characters made visible: a log line must not drive a terminal. */
export function inert(text: string): string {
  return text.toWellFormed().replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u{${code.toString(16)}}`;
  });
}

export function writeLine(stream: Writable, line: string): void {
  stream.write(`${line}\n`);
}

/** The whole of `stream`, refused above `bytesMax`. */
export async function readAll(stream: Readable, bytesMax: number): Promise<Uint8Array | undefined> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of stream) {
    const bytes = Buffer.isBuffer(part) ? part : Buffer.from(String(part));
    size += bytes.length;
    if (size > bytesMax) return undefined;
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}
