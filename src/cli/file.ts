/** Reads the files that a command line names, never more of one than anybody can mean, and writes those that it names. */

import { createReadStream, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { errorCodeOf } from '../ledger/directory.ts';
import { CliError } from './exit.ts';
import type { Terminal } from './terminal.ts';

export type FileRead =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly reason: string; readonly isMissing?: boolean };

/** The bytes of the file at the absolute `file`, or why there are none to be had, as a clause. */
export function readBounded(file: string, bytesMax: number): Promise<FileRead> {
  return readStream(createReadStream(file), bytesMax);
}

/** The same for standard input. */
export function readInput(terminal: Terminal, bytesMax: number): Promise<FileRead> {
  return readStream(terminal.input, bytesMax);
}

/** The bytes of a file that an option or operand names, `-` being standard input. Throws `unreadable`. */
export async function readNamed(terminal: Terminal, name: string, bytesMax: number): Promise<Uint8Array> {
  const isInput = name === '-';
  const read = isInput
    ? await readInput(terminal, bytesMax)
    : await readBounded(path.resolve(terminal.directory, name), bytesMax);
  if (read.ok) return read.bytes;
  throw new CliError('unreadable', `${isInput ? 'standard input' : `\`${name}\``} cannot be read: ${read.reason}`);
}

/** Writes the file that an option names. Throws `usage` where that cannot be. */
export function writeNamed(terminal: Terminal, name: string, text: string): void {
  try {
    writeFileSync(path.resolve(terminal.directory, name), text);
  } catch (error) {
    const code = errorCodeOf(error);
    if (code === undefined) throw error;
    throw new CliError('usage', `\`${name}\` cannot be written: the system says ${code}`, { cause: error });
  }
}

async function readStream(stream: Readable, bytesMax: number): Promise<FileRead> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of stream) {
      const bytes = Buffer.isBuffer(part) ? part : Buffer.from(String(part));
      size += bytes.length;
      if (size > bytesMax) return { ok: false, reason: `it is larger than ${bytesMax} bytes` };
      parts.push(bytes);
    }
  } catch (error) {
    const code = errorCodeOf(error);
    if (code === undefined) throw error;
    return { ok: false, reason: reasonOf(code), isMissing: code === 'ENOENT' || code === 'ENOTDIR' };
  }
  return { ok: true, bytes: Buffer.concat(parts) };
}

/** What went wrong with a file, in words where there are some. */
function reasonOf(code: string): string {
  switch (code) {
    case 'ENOENT':
      return 'there is no such file';
    case 'EISDIR':
      return 'it is a directory';
    case 'ENOTDIR':
      return 'a part of its path is no directory';
    case 'EACCES':
    case 'EPERM':
      return 'this user may not read it';
    case 'ELOOP':
      return 'its links lead in a circle';
    default:
      return `the system says ${code}`;
  }
}
