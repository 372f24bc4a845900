/** Regular expressions: RE2, so that matching is linear in the text whatever the pattern. */

import { RE2JS, RE2JSException } from 're2js';

import type { Frame } from './fault.ts';
import { burn, fail } from './fault.ts';
import { textOf } from './function.ts';
import type { CelValue } from './value.ts';

/** A compiled pattern. */
export interface Pattern {
  /** Whether it is found anywhere in `text`. */
  readonly test: (text: string) => boolean;
  /** Number of its instructions: what one character may cost at worst. */
  readonly size: number;
}

/** Above this guess of a program's size a pattern is not compiled at all. */
const SIZE_MAX = 50_000;

/** The compiled pattern, or why it is none, in one line. */
export function compilePattern(source: string): Pattern | string {
  if (guessSize(source) > SIZE_MAX) return 'the pattern is too large';
  try {
    const program = RE2JS.compile(source);
    return { test: (text) => program.test(text), size: program.programSize() };
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return reasonOf(error.message);
  }
}

/** RE2 bounds one repetition by 1000 but not their number; counts are multiplied by the length they may repeat. */
function guessSize(source: string): number {
  let counts = 1;
  for (const [, least = '', most = ''] of source.matchAll(/\{(\d{1,4})(?:,(\d{0,4}))?\}/g)) {
    counts += Math.max(Number(least), Number(most));
  }
  return source.length * counts;
}

function reasonOf(message: string): string {
  const reason = message.replace(/^error parsing regexp: /, '').replaceAll(/\s+/g, ' ');
  return reason.length > 120 ? `${reason.slice(0, 117)}...` : reason;
}

/** What one search costs: a table step for each character, more for a large program, whose table may not fit. */
export function burnSearch(frame: Frame, pattern: Pattern, text: string): void {
  burn(frame, text.length * (1 + (pattern.size >> 3)));
}

/** Patterns that were not known when the expression was compiled; the oldest goes first. */
const recent = new Map<string, Pattern>();
const RECENT_MAX = 64;

/** Compiling takes about a microsecond for each instruction. */
const INSTRUCTION_PRICE = 16;

/** `text.matches(pattern)` with a pattern known only now. */
export function matches(frame: Frame, receiver: CelValue, value: CelValue): CelValue {
  const text = textOf(frame, 'matches', receiver);
  const source = textOf(frame, 'matches', value);
  // Paid even when the pattern is at hand: the same evaluation must always cost the same.
  burn(frame, Math.min(guessSize(source), SIZE_MAX) * INSTRUCTION_PRICE);
  const pattern = recent.get(source) ?? compileNow(frame, source);
  burnSearch(frame, pattern, text);
  return pattern.test(text);
}

function compileNow(frame: Frame, source: string): Pattern {
  const pattern = compilePattern(source);
  if (typeof pattern === 'string')
    return fail(frame, 'invalid-pattern', 'the pattern is not an RE2 regular expression');
  const [oldest] = recent.keys();
  if (oldest !== undefined && recent.size >= RECENT_MAX) recent.delete(oldest);
  recent.set(source, pattern);
  return pattern;
}
