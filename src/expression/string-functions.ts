/** Functions on text. Positions count code points. */

import { concatenate } from './arithmetic.ts';
import { elements } from './collection.ts';
import type { Frame } from './fault.ts';
import { burn, fail, priceOf } from './fault.ts';
import { format } from './format.ts';
import type { Family } from './function.ts';
import { countOf, namespaceType, noOverload, textOf } from './function.ts';
import { matches } from './pattern.ts';
import { burnFind, needleOf } from './search.ts';
import type { CelValue } from './value.ts';
import { isList } from './value.ts';

const SURROGATE = /[\ud800-\udfff]/;

/** The number of code points. */
export function sizeOfText(frame: Frame, text: string): number {
  burn(frame, priceOf(text.length));
  if (!SURROGATE.test(text)) return text.length;
  burn(frame, text.length >> 3);
  let size = 0;
  for (let at = 0; at < text.length; size += 1) at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  return size;
}

/** The UTF-16 offset of the code point at `index`; nothing outside the text. The end is inside. */
function offsetOf(frame: Frame, text: string, index: number): number | undefined {
  burn(frame, priceOf(text.length));
  if (index < 0 || index > text.length) return undefined;
  if (!SURROGATE.test(text)) return index;
  let at = 0;
  for (let left = index; left > 0 && at < text.length; left -= 1) at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  return at === text.length && sizeOfText(frame, text) < index ? undefined : at;
}

function offsetIn(frame: Frame, name: string, text: string, index: CelValue): number {
  const offset = offsetOf(frame, text, countOf(frame, name, index));
  return offset ?? fail(frame, 'index-out-of-range', `\`${name}\`: the position is outside the text`);
}

function charAt(frame: Frame, receiver: CelValue, index: CelValue): CelValue {
  const text = textOf(frame, 'charAt', receiver);
  const point = text.codePointAt(offsetIn(frame, 'charAt', text, index));
  return point === undefined ? '' : String.fromCodePoint(point);
}

/** `from` null: the whole text. The empty text is found where the search begins. */
function indexOf(frame: Frame, receiver: CelValue, sought: CelValue, from: CelValue): CelValue {
  const text = textOf(frame, 'indexOf', receiver);
  const needle = textOf(frame, 'indexOf', sought);
  if (needle === '') return from === null ? 0n : BigInt(countOf(frame, 'indexOf', from));
  const start = from === null ? 0 : offsetIn(frame, 'indexOf', text, from);
  burnFind(frame, text, needle);
  return positionOf(frame, text, needleOf(needle).indexIn(text, start));
}

function lastIndexOf(frame: Frame, receiver: CelValue, sought: CelValue, from: CelValue): CelValue {
  const text = textOf(frame, 'lastIndexOf', receiver);
  const needle = textOf(frame, 'lastIndexOf', sought);
  if (needle === '') {
    return BigInt(from === null ? sizeOfText(frame, text) : countOf(frame, 'lastIndexOf', from));
  }
  const start = from === null ? text.length : offsetIn(frame, 'lastIndexOf', text, from);
  burnFind(frame, text, needle);
  return positionOf(frame, text, needleOf(needle).lastIndexIn(text, start));
}

function positionOf(frame: Frame, text: string, offset: number): bigint {
  return BigInt(offset === -1 ? -1 : sizeOfText(frame, text.slice(0, offset)));
}

function substring(frame: Frame, receiver: CelValue, first: CelValue, last: CelValue): CelValue {
  const text = textOf(frame, 'substring', receiver);
  const start = offsetIn(frame, 'substring', text, first);
  const end = last === null ? text.length : offsetIn(frame, 'substring', text, last);
  return start <= end
    ? text.slice(start, end)
    : fail(frame, 'index-out-of-range', '`substring`: it ends before it starts');
}

function replace(frame: Frame, receiver: CelValue, old: CelValue, by: CelValue, limit: CelValue): CelValue {
  const text = textOf(frame, 'replace', receiver);
  const needle = textOf(frame, 'replace', old);
  const substitute = textOf(frame, 'replace', by);
  let left = limit === null ? -1 : countOf(frame, 'replace', limit);
  burnFind(frame, text, needle);
  const sought = needleOf(needle);
  let result = '';
  let kept = 0;
  for (let at = sought.indexIn(text, 0); at !== -1 && left !== 0; left -= 1) {
    burn(frame, 1 + priceOf(substitute.length));
    result += text.slice(kept, at) + substitute;
    kept = at + needle.length;
    // An empty needle stands before each code point and at the end.
    const next = needle === '' ? at + ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1) : kept;
    at = next > text.length ? -1 : sought.indexIn(text, next);
  }
  return result + text.slice(kept);
}

function split(frame: Frame, receiver: CelValue, by: CelValue, limit: CelValue): CelValue {
  const text = textOf(frame, 'split', receiver);
  const separator = textOf(frame, 'split', by);
  const most = limit === null ? -1 : countOf(frame, 'split', limit);
  if (most === 0) return [];
  burnFind(frame, text, separator);
  const sought = needleOf(separator);
  const parts: string[] = [];
  let start = 0;
  while (parts.length + 1 !== most) {
    const end = separator === '' ? endOfPoint(text, start) : sought.indexIn(text, start);
    if (end === -1) break;
    burn(frame, 1);
    parts.push(text.slice(start, end));
    start = end + separator.length;
  }
  if (start < text.length || separator !== '') parts.push(text.slice(start));
  return parts;
}

function endOfPoint(text: string, start: number): number {
  const point = text.codePointAt(start);
  return point === undefined ? -1 : start + (point > 0xffff ? 2 : 1);
}

/** White space of Unicode, which is what Go's `unicode.IsSpace` says and not what JavaScript's `trim` says. */
const SPACE = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

function trim(frame: Frame, receiver: CelValue): CelValue {
  const text = textOf(frame, 'trim', receiver);
  let start = 0;
  let end = text.length;
  while (start < end && SPACE.test(text.charAt(start))) start += 1;
  while (end > start && SPACE.test(text.charAt(end - 1))) end -= 1;
  burn(frame, start + text.length - end);
  return text.slice(start, end);
}

function join(frame: Frame, receiver: CelValue, by: CelValue): CelValue {
  if (receiver === null || !isList(receiver)) return noOverload(frame, 'join', receiver);
  const separator = by === null ? '' : textOf(frame, 'join', by);
  let joined = '';
  for (const [i, part] of elements(frame, receiver).entries()) {
    if (i > 0) joined = concatenate(frame, joined, separator);
    burn(frame, priceOf(separator.length));
    joined += textOf(frame, 'join', part);
    if (typeof part === 'string') burn(frame, priceOf(part.length));
  }
  return joined;
}

function reverse(frame: Frame, receiver: CelValue): CelValue {
  if (receiver !== null && isList(receiver)) return elements(frame, receiver).toReversed();
  const text = textOf(frame, 'reverse', receiver);
  burn(frame, text.length);
  return Array.from(text).toReversed().join('');
}

const QUOTED: ReadonlyMap<string, string> = new Map([
  ['\u0007', '\\a'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\v', '\\v'],
  ['\\', '\\\\'],
  ['"', '\\"'],
]);

function quote(frame: Frame, value: CelValue): CelValue {
  const text = textOf(frame, 'strings.quote', value);
  burn(frame, text.length);
  return `"${Array.from(text, (character) => QUOTED.get(character) ?? character).join('')}"`;
}

function contains(frame: Frame, receiver: CelValue, value: CelValue): CelValue {
  const text = textOf(frame, 'contains', receiver);
  const needle = textOf(frame, 'contains', value);
  burnFind(frame, text, needle);
  return needleOf(needle).indexIn(text, 0) !== -1;
}

function startsWith(frame: Frame, receiver: CelValue, value: CelValue): CelValue {
  const start = textOf(frame, 'startsWith', value);
  burn(frame, priceOf(start.length));
  return textOf(frame, 'startsWith', receiver).startsWith(start);
}

function endsWith(frame: Frame, receiver: CelValue, value: CelValue): CelValue {
  const end = textOf(frame, 'endsWith', value);
  burn(frame, priceOf(end.length));
  return textOf(frame, 'endsWith', receiver).endsWith(end);
}

export const STRING_FUNCTIONS: Family = {
  declared: [
    'string.charAt(int): string',
    'string.replace(string, string): string',
    'string.replace(string, string, int): string',
    'string.reverse(): string',
    'list<T>.reverse(): list<T>',
    'string.format(list): string',
    'matches(string, string): bool',
    `${namespaceType('strings')}.quote(string): string`,
  ],
  functions: [
    ['.contains/2', contains],
    ['.startsWith/2', startsWith],
    ['.endsWith/2', endsWith],
    ['.matches/2', matches],
    ['matches/2', matches],
    ['.charAt/2', charAt],
    ['.indexOf/2', indexOf],
    ['.indexOf/3', indexOf],
    ['.lastIndexOf/2', lastIndexOf],
    ['.lastIndexOf/3', lastIndexOf],
    ['.substring/2', substring],
    ['.substring/3', substring],
    ['.replace/3', replace],
    ['.replace/4', replace],
    ['.split/2', split],
    ['.split/3', split],
    ['.trim/1', trim],
    ['.join/1', join],
    ['.join/2', join],
    ['.reverse/1', reverse],
    ['.format/2', format],
    ['strings.quote/1', quote],
    ['.lowerAscii/1', (frame, a) => recase(frame, 'lowerAscii', a)],
    ['.upperAscii/1', (frame, a) => recase(frame, 'upperAscii', a)],
  ],
};

function recase(frame: Frame, name: 'lowerAscii' | 'upperAscii', value: CelValue): CelValue {
  const text = textOf(frame, name, value);
  burn(frame, text.length);
  return name === 'lowerAscii'
    ? text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())
    : text.replaceAll(/[a-z]+/g, (letters) => letters.toUpperCase());
}
