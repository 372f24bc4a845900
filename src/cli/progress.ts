/** How far a long reading is, on the last line of a terminal: only where somebody sits, and only once it takes long. */

import type { World } from '../world/world.ts';
import type { Terminal } from './terminal.ts';

/** How long a reading is waited for in silence, milliseconds. */
const SILENT_MS = 1_000;
const DRAW_EVERY_MS = 100;
/** The clock is read once for so many items. */
const LOOK_EVERY = 512;

/** `items` as they are, told on standard error as they pass. `total` is how many there should be, as far as is known. */
export function* withProgress<T>(
  items: Iterable<T>,
  total: number | undefined,
  terminal: Pick<Terminal, 'errors' | 'attended'>,
  world: Pick<World, 'monotonic'>,
): Generator<T, void> {
  if (!terminal.attended.errors) {
    yield* items;
    return;
  }
  let drawAt = world.monotonic() + SILENT_MS;
  let passed = 0;
  let width = 0;
  try {
    for (const item of items) {
      passed += 1;
      if (passed % LOOK_EVERY === 0 && world.monotonic() >= drawAt) {
        drawAt = world.monotonic() + DRAW_EVERY_MS;
        const line = `  ${passed.toLocaleString('en')}${part(passed, total)}`;
        terminal.errors.write(`\r${line.padEnd(width)}`);
        width = line.length;
      }
      yield item;
    }
  } finally {
    // Blanks instead of an escape sequence: not every terminal knows one.
    if (width > 0) terminal.errors.write(`\r${' '.repeat(width)}\r`);
  }
}

function part(passed: number, total: number | undefined): string {
  if (total === undefined || total < passed) return ' entries';
  return ` of ${total.toLocaleString('en')} entries (${Math.floor((100 * passed) / total)} %)`;
}
