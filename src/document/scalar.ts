/** Where each character of a YAML scalar's value stands in the file: quotes, escapes, folds and indents undone. */

import type { Located, Mark, Source } from './source.ts';
import { placeIn } from './source.ts';

/** How a scalar is written: plain, in quotes, or as a block with `|` or `>` (YAML 1.2, chapters 7 and 8). */
export type ScalarStyle = 'plain' | 'single' | 'double' | 'block';

/** The number of hexadecimal digits after an escape's letter (YAML 1.2, 5.7). */
const HEX_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/**
 * `value` with its places, `from` being the UTF-16 offset where the scalar begins, its quote or block header included.
 * Exact for every character but folded white space, which is placed where the fold begins.
 */
export function locateScalar(source: Source, value: string, from: number, style: ScalarStyle): Located {
  let at = from;
  if (style === 'block') at = endOfLine(source.text, from);
  else if (style !== 'plain') at = from + 1;
  const marks: Mark[] = [];
  let expected = -1;
  for (let offset = 0; offset < value.length;) {
    const character = value[offset] ?? '';
    const blank = isBlank(character);
    if (style === 'double') at = skipContinuation(source.text, at);
    if (!blank) at = skipBlanks(source.text, at);
    if (at !== expected) marks.push({ offset, ...placeIn(source, at) });
    const step =
      blank && source.text[at] !== character && source.text[at] !== '\\' ? NO_STEP : stepAt(source.text, at, style);
    at += step.source;
    expected = step.source === step.value ? at : -1;
    offset += step.value;
  }
  if (marks.length === 0) marks.push({ offset: 0, ...placeIn(source, at) });
  return { text: value, marks };
}

/** How far one piece of a scalar reaches in the file and in the value. */
interface Step {
  readonly source: number;
  readonly value: number;
}

/** White space that a fold made: it is in the value only. */
const NO_STEP: Step = { source: 0, value: 1 };
const PLAIN_STEP: Step = { source: 1, value: 1 };

function stepAt(text: string, at: number, style: ScalarStyle): Step {
  if (style === 'single' && text[at] === "'") return { source: 2, value: 1 };
  if (style !== 'double' || text[at] !== '\\') return PLAIN_STEP;
  const digits = HEX_DIGITS[text[at + 1] ?? ''] ?? 0;
  const astral = digits === 8 && Number.parseInt(text.slice(at + 2, at + 10), 16) > 0xffff;
  return { source: 2 + digits, value: astral ? 2 : 1 };
}

/** Past `\` at the end of a line in double quotes, which joins the lines and leaves nothing in the value. */
function skipContinuation(text: string, from: number): number {
  let at = from;
  for (;;) {
    const next = skipBlanks(text, at);
    const line = text[next] === '\\' && (text[next + 1] === '\n' || text.startsWith('\r\n', next + 1));
    if (!line) return at;
    at = skipBlanks(text, next + 1);
  }
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && isBlank(text[at] ?? '')) at += 1;
  return at;
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end === -1 ? text.length : end + 1;
}

function isBlank(character: string): boolean {
  return character === ' ' || character === '\n' || character === '\t' || character === '\r';
}
