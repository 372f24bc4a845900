/** What a child process writes to its standard error, as bounded and harmless lines of our own log. */

import type { Readable } from 'node:stream';
import { withoutIdentifiers } from '../guard/personal/identifier.ts';
import type { World } from '../world/world.ts';

const LINE_CHARACTERS_MAX = 1_000;
const WINDOW_MS = 10_000;
const LINES_PER_WINDOW = 200;

/** `text` without control and format characters, which could drive a terminal or reorder what is read. */
export function harmless(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '·');
}

/**
 * Logs `input` line by line as `[name] line`: at most 1,000 characters of a line, at most 200 lines in ten seconds;
 * how many were dropped is said when the next one is let through. E-mail addresses and the like are left out.
 */
export function logStderr(input: Readable, name: string, log: (line: string) => void, world: World): void {
  const decoder = new TextDecoder();
  let held = '';
  let windowStart = Number.NEGATIVE_INFINITY;
  let lines = 0;
  let dropped = 0;
  const write = (line: string): void => {
    if (world.monotonic() - windowStart >= WINDOW_MS) {
      if (dropped > 0) log(`[${name}] (${dropped} lines dropped)`);
      windowStart = world.monotonic();
      lines = 0;
      dropped = 0;
    }
    lines += 1;
    if (lines > LINES_PER_WINDOW) dropped += 1;
    else log(`[${name}] ${harmless(withoutIdentifiers(line.slice(0, LINE_CHARACTERS_MAX)).trimEnd())}`);
  };
  input.on('data', (chunk: Uint8Array) => {
    const pieces = (held + decoder.decode(chunk, { stream: true })).split('\n');
    // Only what will be printed of an unfinished line is kept.
    held = (pieces.pop() ?? '').slice(0, LINE_CHARACTERS_MAX);
    for (const piece of pieces) write(piece);
  });
  input.once('end', () => {
    if (held !== '') write(held);
    held = '';
  });
}
