/** The text of a document, and where a piece of it stands: offsets become lines and columns. */

import type { Place } from '../value/issue.ts';

/** A document's text with its lines indexed, so that many problems are located in linear time. */
export interface Source {
  readonly file: string;
  readonly text: string;
  /** UTF-16 offsets of the first character of each line. */
  readonly lineStarts: readonly number[];
}

/** From `offset` in a value on, the text stands in the file at `line` and `column`, one column a code point. */
export interface Mark extends Place {
  readonly offset: number;
}

/** A text value with the places of its characters in the file; `marks` ascend and the first is at offset 0. */
export interface Located {
  readonly text: string;
  readonly marks: readonly Mark[];
}

export function sourceOf(text: string, file: string): Source {
  const lineStarts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lineStarts.push(at + 1);
  return { file, text, lineStarts };
}

/** The place of UTF-16 `offset`; an offset past the end is the end. */
export function placeIn(source: Source, offset: number): Place {
  const end = Math.min(offset, source.text.length);
  let low = 0;
  let high = source.lineStarts.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((source.lineStarts[middle] ?? 0) <= end) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: 1 + codePoints(source.text, source.lineStarts[low] ?? 0, end) };
}

/** Where the character at UTF-16 `offset` of a located value stands in its file. */
export function locate(located: Located, offset: number): Place {
  let mark = located.marks[0];
  for (const next of located.marks) {
    if (next.offset > offset) break;
    mark = next;
  }
  if (mark === undefined) return { line: 1, column: 1 };
  const end = Math.min(offset, located.text.length);
  return { line: mark.line, column: mark.column + codePoints(located.text, mark.offset, end) };
}

/** The piece of a located text that begins at UTF-16 `offset` and is as long as `text`, with its own places. */
export function pieceOf(located: Located, offset: number, text: string): Located {
  const later = located.marks.filter((mark) => mark.offset > offset);
  const marks = [
    { offset: 0, ...locate(located, offset) },
    ...later.map((mark) => ({ ...mark, offset: mark.offset - offset })),
  ];
  return { text, marks: marks.filter((mark) => mark.offset <= text.length) };
}

function codePoints(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = from; at < to; count += 1) at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  return count;
}
