/** Sizes in the configuration: `512KiB`, `64MiB`, `1GiB`, whole, from nothing to a pebibyte. */

import { readText, refuse, shown } from './reader.ts';
import type { Entry, Reader } from './reader.ts';

const SIZE = /^(0|[1-9][0-9]{0,15})(KiB|MiB|GiB|TiB)$/u;
const UNIT_BYTES: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };
/** What no disk has, so that more is a mistake. */
const SIZE_BYTES_MAX = 2 ** 50;

const HINT = 'write `512KiB`, `64MiB` or `1GiB`';

/** Bytes, or `undefined` with an error. */
export function readSize(reader: Reader, entry: Entry, what: string): number | undefined {
  const text = readText(reader, entry.value, entry.place, what);
  if (text === undefined) return undefined;
  const [, digits = '', unit = ''] = SIZE.exec(text.text) ?? [];
  const bytes = Number(digits) * (UNIT_BYTES[unit] ?? Number.NaN);
  if (bytes <= SIZE_BYTES_MAX) return bytes;
  const range = bytes > SIZE_BYTES_MAX ? ' of at most a pebibyte' : '';
  const message = `expected ${what} to be a size${range}, got \`${shown(text.text)}\``;
  return refuse(reader, entry.place, 'wrong-value', message, HINT);
}
