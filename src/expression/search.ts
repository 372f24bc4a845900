/** Finding text in text in linear time: JavaScript's own search takes their product on hostile input. */

import type { Frame } from './fault.ts';
import { burn } from './fault.ts';

/** A text to be looked for. Positions are UTF-16 offsets; -1 is nowhere. */
export interface Needle {
  /** The first place at or after `from`. */
  indexIn(text: string, from: number): number;
  /** The last place at or before `from`. */
  lastIndexIn(text: string, from: number): number;
}

/** Up to this length the product is no worse than the table of the linear search. */
const SHORT_MAX = 16;

/** Pays for one pass over `text` with `needle`, whichever way it is searched. */
export function burnFind(frame: Frame, text: string, needle: string): void {
  burn(frame, (text.length + needle.length) >> 2);
}

export function needleOf(needle: string): Needle {
  if (needle.length <= SHORT_MAX) {
    return {
      indexIn: (text, from) => text.indexOf(needle, from),
      lastIndexIn: (text, from) => text.lastIndexOf(needle, from),
    };
  }
  return {
    indexIn: (text, from) => {
      const offset = search(
        needle.length,
        (i) => needle.charCodeAt(i),
        text.length - from,
        (i) => text.charCodeAt(from + i),
      );
      return offset === -1 ? -1 : from + offset;
    },
    lastIndexIn: (text, from) => {
      // The same from behind.
      const end = Math.min(from + needle.length, text.length);
      const reversed = (i: number): number => needle.charCodeAt(needle.length - 1 - i);
      const offset = search(needle.length, reversed, end, (i) => text.charCodeAt(end - 1 - i));
      return offset === -1 ? -1 : end - offset - needle.length;
    },
  };
}

type Units = (index: number) => number;

/** Knuth, Morris, Pratt: the first place of the needle's `size` units among the text's `length`. */
function search(size: number, needle: Units, length: number, text: Units): number {
  const borders = new Int32Array(size);
  let matched = 0;
  for (let i = 1; i < size; i += 1) {
    const unit = needle(i);
    while (matched > 0 && needle(matched) !== unit) matched = borders[matched - 1] ?? 0;
    if (needle(matched) === unit) matched += 1;
    borders[i] = matched;
  }
  matched = 0;
  for (let i = 0; i < length; i += 1) {
    const unit = text(i);
    while (matched > 0 && needle(matched) !== unit) matched = borders[matched - 1] ?? 0;
    if (needle(matched) === unit) matched += 1;
    if (matched === size) return i + 1 - size;
  }
  return -1;
}
