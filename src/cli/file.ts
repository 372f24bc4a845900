/** Reads the files that a command line names, and never more of one than anybody can mean. */

import { createReadStream } from 'node:fs';
import path from 'node:path';
import { errorCodeOf } from '../ledger/directory.ts';
import { CliError } from './exit.ts';
import { type Terminal, readAll } from './terminal.ts';

export type FileRead =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly reason: string };

/** The bytes of the file at the absolute `file`, or why there are none to be had, as a clause. */
export async function readBounded(file: string, bytesMax: number): Promise<FileRead> {
  try {
    const bytes = await readAll(createReadStream(file), bytesMax);
    return bytes === undefined ? { ok: false, reason: `it is larger than ${bytesMax} bytes` } : { ok: true, bytes };
  } catch (error) {
    return { ok: false, reason: reasonOf(error) };
  }
}

/** The bytes of a file that an option or operand names, `-` being standard input. Throws `unreadable`. */
export async function readNamed(terminal: Terminal, name: string, bytesMax: number): Promise<Uint8Array> {
  if (name === '-') {
    const bytes = await readAll(terminal.input, bytesMax);
    if (bytes !== undefined) return bytes;
    throw new CliError('unreadable', `standard input holds more than ${bytesMax} bytes`);
  }
  const read = await readBounded(path.resolve(terminal.directory, name), bytesMax);
  if (read.ok) return read.bytes;
  throw new CliError('unreadable', `\`${name}\` cannot be read: ${read.reason}`);
}

/** What went wrong with a file, in words where there are some. */
function reasonOf(error: unknown): string {
  const code = errorCodeOf(error) ?? 'unknown reason';
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
