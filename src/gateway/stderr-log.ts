/** What a child process writes to its standard error, as bounded and harmless lines of our own log. */

import type { Readable } from 'node:stream';
import { withoutIdentifiers } from '../guard/personal/identifier.ts';
import { withoutSecrets } from '../guard/secret/find.ts';
import type { World } from '../world/world.ts';

const LINE_CHARACTERS_MAX = 1_000;
/** What is looked through of a line: a secret that begins in what is shown ends in it. */
const LINE_SEARCHED_MAX = 2 * LINE_CHARACTERS_MAX;
/** A private key comes in many lines, of which only the first and the last say so. */
const KEY_BEGINS = /-----BEGIN [A-Z ]*PRIVATE KEY/u;
const KEY_ENDS = /-----END [A-Z ]*PRIVATE KEY/u;
const KEY_LINES_MAX = 400;
const WINDOW_MS = 10_000;
const LINES_PER_WINDOW = 200;

/** `text` without control and format characters, which could drive a terminal or reorder what is read. */
export function harmless(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '·');
}

/**
 * Logs `input` line by line as `[name] line`: at most 1,000 characters of a line, at most 200 lines in ten seconds;
 * how many were dropped is said when the next one is let through. Secrets, e-mail addresses and the like are left out.
 */
export function logStderr(input: Readable, name: string, log: (line: string) => void, world: World): void {
  const decoder = new TextDecoder();
  let held = '';
  let windowStart = Number.NEGATIVE_INFINITY;
  let lines = 0;
  let dropped = 0;
  let keyLines = 0;
  const write = (line: string): void => {
    if (keyLines > 0) {
      keyLines = KEY_ENDS.test(line) || keyLines === KEY_LINES_MAX ? 0 : keyLines + 1;
      return;
    }
    if (KEY_BEGINS.test(line) && !KEY_ENDS.test(line)) keyLines = 1;
    if (world.monotonic() - windowStart >= WINDOW_MS) {
      if (dropped > 0) log(`[${name}] (${dropped} lines dropped)`);
      windowStart = world.monotonic();
      lines = 0;
      dropped = 0;
    }
    lines += 1;
    if (lines > LINES_PER_WINDOW) dropped += 1;
    else log(`[${name}] ${shown(line)}`);
  };
  input.on('data', (chunk: Uint8Array) => {
    const pieces = (held + decoder.decode(chunk, { stream: true })).split('\n');
    // Only what will be printed of an unfinished line is kept.
    held = (pieces.pop() ?? '').slice(0, LINE_SEARCHED_MAX);
    for (const piece of pieces) write(piece);
  });
  input.once('end', () => {
    if (held !== '') write(held);
    held = '';
  });
}

function shown(line: string): string {
  const kept = withoutIdentifiers(withoutSecrets(line.slice(0, LINE_SEARCHED_MAX)));
  return harmless(kept.slice(0, LINE_CHARACTERS_MAX).trimEnd());
}
