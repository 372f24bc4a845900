/** Reads values in which `${{ CEL }}` stands for what an expression gives. */

import { isMap, isScalar, isSeq } from 'yaml';
import {
  type Item,
  type Reader,
  placeOf,
  readEntries,
  readJson,
  readText,
  refuse,
  target,
} from '../document/reader.ts';
import { type Located, locate, pieceOf } from '../document/source.ts';
import type { Place } from '../value/issue.ts';
import type { WrittenTemplate } from './written.ts';

const OPEN = '${{';

/** The value at `item`; nothing with an error. */
export function readTemplate(reader: Reader, item: Item, place: Place, what: string): WrittenTemplate | undefined {
  const node = target(reader, item);
  if (isMap(node)) return readMap(reader, node, place, what);
  if (isSeq(node)) {
    const items = (node.items as Item[]).map((inner, index) =>
      readTemplate(reader, inner, placeOf(reader, inner, place), `${what}[${index}]`),
    );
    return items.every((one) => one !== undefined) ? { kind: 'list', items } : undefined;
  }
  if (isScalar(node) && typeof node.value === 'string' && node.value.includes(OPEN)) {
    const text = readText(reader, item, place, what);
    return text === undefined ? undefined : partsOf(reader, text, what);
  }
  const value = readJson(reader, item, place, what);
  return value === undefined ? undefined : { kind: 'literal', value };
}

function readMap(reader: Reader, node: Item, place: Place, what: string): WrittenTemplate | undefined {
  const members: [string, WrittenTemplate][] = [];
  let whole = true;
  for (const entry of readEntries(reader, node, place, what) ?? []) {
    const value = readTemplate(reader, entry.value, entry.place, `${what}.${entry.key}`);
    if (value === undefined) whole = false;
    else members.push([entry.key, value]);
  }
  return whole ? { kind: 'map', members } : undefined;
}

/** Text and the expressions in it, each from its first character that is no space. */
function partsOf(reader: Reader, text: Located, what: string): WrittenTemplate | undefined {
  const parts: (string | Located)[] = [];
  let from = 0;
  for (let at = text.text.indexOf(OPEN); at !== -1; at = text.text.indexOf(OPEN, from)) {
    if (at > from) parts.push(text.text.slice(from, at));
    const end = endOf(text.text, at + OPEN.length);
    if (end === undefined) {
      const hint = 'an expression ends with `}}`';
      return refuse(reader, locate(text, at), 'expression-open', `expected \`}}\` after \`${OPEN}\` in ${what}`, hint);
    }
    const source = text.text.slice(at + OPEN.length, end);
    const begin = at + OPEN.length + (source.length - source.trimStart().length);
    if (source.trim() === '') {
      return refuse(reader, locate(text, at), 'expression-empty', `expected an expression in ${what}, got nothing`);
    }
    parts.push(pieceOf(text, begin, source.trim()));
    from = end + 2;
  }
  if (from < text.text.length) parts.push(text.text.slice(from));
  return { kind: 'text', parts };
}

/** Where `}}` ends the expression that begins at `from`: not within a text, and not where braces are still open. */
function endOf(text: string, from: number): number | undefined {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"' || character === "'") {
      const close = quoteEnd(text, at);
      if (close === undefined) return undefined;
      at = close;
    } else if (character === '{') depth += 1;
    else if (character === '}') {
      if (depth === 0) return text[at + 1] === '}' ? at : undefined;
      depth -= 1;
    }
  }
  return undefined;
}

/** The last character of the text of CEL that begins at `from`; a raw one takes a backslash as it is. */
function quoteEnd(text: string, from: number): number | undefined {
  const quote = text[from] ?? '';
  const mark = text.startsWith(quote.repeat(3), from) ? quote.repeat(3) : quote;
  const isRaw = /(?<![A-Za-z0-9_])(?:r|R|br|bR|Br|BR|rb|rB|Rb|RB)$/.test(text.slice(Math.max(0, from - 3), from));
  for (let at = from + mark.length; at < text.length; at += 1) {
    if (text[at] === '\\' && !isRaw) at += 1;
    else if (text.startsWith(mark, at)) return at + mark.length - 1;
  }
  return undefined;
}
