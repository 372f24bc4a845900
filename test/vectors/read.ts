/** Reads a file of test vectors: one JSON object a line. */

import { readFileSync } from 'node:fs';

/**
 * The vectors of `file` in this folder, as the caller says they look. Integers of 16 digits and more become decimal
 * strings, because `JSON.parse` would round them.
 */
export function readVectors<T>(file: string): T[] {
  const text = readFileSync(new URL(file, import.meta.url), 'utf8');
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line.replaceAll(/(": )(\d{16,})(?=[,}])/g, '$1"$2"')) as T);
}
