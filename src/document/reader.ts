/** What every part of the configuration is read with: typed access to YAML nodes, each problem with its place. */

import { isAlias, isMap, isScalar, isSeq, Scalar } from 'yaml';
import type { Alias, Node, Pair, ParsedNode, YAMLMap } from 'yaml';
import { type Issue, type Place, issueAt } from '../value/issue.ts';
import type { JsonValue } from '../value/json.ts';
import { alike } from './alike.ts';
import { locateScalar } from './scalar.ts';
import type { ScalarStyle } from './scalar.ts';
import type { Located, Source } from './source.ts';
import { placeIn } from './source.ts';

/** A document being read. `issues` grows; a reader function that finds an error adds it and answers `undefined`. */
export interface Reader {
  readonly source: Source;
  readonly issues: Issue[];
  /** What each alias stands for; settled before anything is read. */
  readonly aliases: ReadonlyMap<Alias, Node>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Values that may still be copied out as JSON: bounds what aliases can multiply. */
  nodesLeft: number;
}

/** A node as it stands in a map or a list; YAML leaves it out where nothing is written. */
export type Item = Node | null | undefined;

/** An entry of a map. */
export interface Entry {
  readonly key: string;
  readonly keyPlace: Place;
  readonly value: Item;
  /** The place of the value, or of the key where nothing is written. */
  readonly place: Place;
}

const NODES_MAX = 500_000;
/** Deeper than a document may nest, because aliases add to it. */
const JSON_DEPTH_MAX = 96;

export function readerOf(
  source: Source,
  issues: Issue[],
  aliases: ReadonlyMap<Alias, Node>,
  environment: Readonly<Record<string, string | undefined>>,
): Reader {
  return { source, issues, aliases, environment, nodesLeft: NODES_MAX };
}

/** Adds an error at `place` and answers `undefined`, so that readers can return it. */
export function refuse(reader: Reader, place: Place, code: string, message: string, hint?: string): undefined {
  reader.issues.push(issueAt(reader.source.file, 'error', place, code, message, hint));
}

/** Adds a warning at `place`. */
export function warn(reader: Reader, place: Place, code: string, message: string, hint?: string): void {
  reader.issues.push(issueAt(reader.source.file, 'warning', place, code, message, hint));
}

/** The place of `item`, or `fallback` where nothing is written. */
export function placeOf(reader: Reader, item: Item, fallback: Place): Place {
  const range = item?.range;
  return range === undefined || range === null ? fallback : placeIn(reader.source, range[0]);
}

/** The node itself, an alias replaced by what it stands for. */
export function target(reader: Reader, item: Item): Item {
  return isAlias(item) ? reader.aliases.get(item) : item;
}

/** The entries of a map in file order, or `undefined` with an error; `what` names the value in the message. */
export function readEntries(reader: Reader, item: Item, place: Place, what: string): readonly Entry[] | undefined {
  const node = target(reader, item);
  if (!isMap(node)) return wrongType(reader, node, place, what, 'a map');
  return (node as YAMLMap<ParsedNode, Item>).items.map((pair: Pair<ParsedNode, Item>) => {
    const keyPlace = placeOf(reader, pair.key, place);
    const key = isScalar(pair.key) ? String(pair.key.value) : '';
    return { key, keyPlace, value: pair.value, place: placeOf(reader, pair.value, keyPlace) };
  });
}

/**
 * Reads a map with a known set of keys: each is handed to its parser, one of `later` is refused as not available
 * yet, and any other is unknown. A key becomes available by moving from `later` to `parsers`.
 */
export function readFields(
  reader: Reader,
  item: Item,
  place: Place,
  what: string,
  parsers: Readonly<Record<string, (entry: Entry) => void>>,
  later: readonly string[] = [],
): boolean {
  const entries = readEntries(reader, item, place, what);
  for (const entry of entries ?? []) {
    const parser = Object.hasOwn(parsers, entry.key) ? parsers[entry.key] : undefined;
    if (parser !== undefined) parser(entry);
    else if (later.includes(entry.key)) refuseLater(reader, entry.keyPlace, `\`${entry.key}\` of ${what}`);
    else unknownKey(reader, entry, what, [...Object.keys(parsers), ...later]);
  }
  return entries !== undefined;
}

/** Refuses what the format has and this version does not do yet. */
export function refuseLater(reader: Reader, place: Place, what: string): undefined {
  const hint = 'remove it: this version would not enforce it, and nothing written here is silently ignored';
  return refuse(reader, place, 'not-available-yet', `${what} is not available yet`, hint);
}

function unknownKey(reader: Reader, entry: Entry, what: string, known: readonly string[]): void {
  const near = alike(entry.key, known);
  const hint = near === undefined ? `known keys: ${known.join(', ')}` : `did you mean \`${near}\`?`;
  refuse(reader, entry.keyPlace, 'unknown-key', `${what} has no key \`${entry.key}\``, hint);
}

/** An entry's key as text with its place. */
export function locateKey(entry: Entry): Located {
  return { text: entry.key, marks: [{ offset: 0, ...entry.keyPlace }] };
}

/** The items of a list with their places, or `undefined` with an error. */
export function readItems(
  reader: Reader,
  item: Item,
  place: Place,
  what: string,
): readonly { readonly item: Item; readonly place: Place }[] | undefined {
  const node = target(reader, item);
  if (!isSeq(node)) return wrongType(reader, node, place, what, 'a list');
  return (node.items as Item[]).map((inner) => ({ item: inner, place: placeOf(reader, inner, place) }));
}

/** Non-empty text with the places of its characters, or `undefined` with an error. */
export function readText(reader: Reader, item: Item, place: Place, what: string): Located | undefined {
  const node = target(reader, item);
  if (!isScalar(node) || typeof node.value !== 'string') return wrongType(reader, node, place, what, 'text');
  if (node.value === '') return refuse(reader, place, 'wrong-value', `expected ${what} to be text, got empty text`);
  if (!node.value.isWellFormed()) {
    return refuse(reader, place, 'wrong-value', `expected ${what} to be Unicode text, got half a surrogate pair`);
  }
  return locateScalar(reader.source, node.value, node.range?.[0] ?? 0, styleOf(node));
}

/** A list of non-empty texts, or `undefined` with an error. */
export function readTexts(reader: Reader, item: Item, place: Place, what: string): readonly Located[] | undefined {
  const items = readItems(reader, item, place, what);
  const texts = items?.map((inner, index) => readText(reader, inner.item, inner.place, `item ${index} of ${what}`));
  return texts?.every((text) => text !== undefined) === true ? texts : undefined;
}

/** A whole number within bounds, or `undefined` with an error. */
export function readWhole(
  reader: Reader,
  item: Item,
  place: Place,
  what: string,
  min: number,
  max: number,
): number | undefined {
  const node = target(reader, item);
  const value = isScalar(node) ? node.value : undefined;
  if (typeof value !== 'number') return wrongType(reader, node, place, what, `a whole number of ${min} to ${max}`);
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  return refuse(
    reader,
    place,
    'wrong-value',
    `expected ${what} to be a whole number of ${min} to ${max}, got \`${value}\``,
  );
}

export function readBoolean(reader: Reader, item: Item, place: Place, what: string): boolean | undefined {
  const node = target(reader, item);
  if (isScalar(node) && typeof node.value === 'boolean') return node.value;
  return wrongType(reader, node, place, what, '`true` or `false`');
}

/** One of a closed set of words, or `undefined` with an error. */
export function readWord<T extends string>(
  reader: Reader,
  item: Item,
  place: Place,
  what: string,
  words: readonly T[],
): T | undefined {
  const node = target(reader, item);
  const list = words.map((word) => `\`${word}\``).join(', ');
  if (!isScalar(node) || typeof node.value !== 'string') return wrongType(reader, node, place, what, `one of ${list}`);
  const written = node.value;
  const found = words.find((word) => word === written);
  if (found !== undefined) return found;
  const near = alike(written, words);
  const hint = near === undefined ? undefined : `did you mean \`${near}\`?`;
  return refuse(reader, place, 'wrong-value', `expected ${what} to be one of ${list}, got \`${shown(written)}\``, hint);
}

/** The whole of `item` as JSON, or `undefined` with an error. */
export function readJson(reader: Reader, item: Item, place: Place, what: string, depth = 0): JsonValue | undefined {
  const node = target(reader, item);
  reader.nodesLeft -= 1;
  if (depth > JSON_DEPTH_MAX)
    return refuse(reader, place, 'too-deep', `${what} nests more than ${JSON_DEPTH_MAX} deep`);
  if (reader.nodesLeft < 0) {
    const message = `expected ${what} to hold at most ${NODES_MAX} values, aliases counted each time, got more`;
    return reader.nodesLeft === -1 ? refuse(reader, place, 'too-large', message) : undefined;
  }
  if (isMap(node)) return jsonMap(reader, node, place, what, depth);
  if (isSeq(node)) {
    const items = (node.items as Item[]).map((inner) =>
      readJson(reader, inner, placeOf(reader, inner, place), what, depth + 1),
    );
    return items.every((inner) => inner !== undefined) ? items : undefined;
  }
  return jsonScalar(reader, isScalar(node) ? node : new Scalar(null), place, what);
}

function jsonMap(reader: Reader, node: YAMLMap, place: Place, what: string, depth: number): JsonValue | undefined {
  const result: Record<string, JsonValue> = {};
  let whole = true;
  for (const entry of readEntries(reader, node, place, what) ?? []) {
    const value = readJson(reader, entry.value, entry.place, what, depth + 1);
    // Not an assignment: `__proto__` must become an ordinary member.
    if (value === undefined) whole = false;
    else Object.defineProperty(result, entry.key, { value, enumerable: true, configurable: true, writable: true });
  }
  return whole ? result : undefined;
}

function jsonScalar(reader: Reader, scalar: Scalar, place: Place, what: string): JsonValue | undefined {
  const { value } = scalar;
  if (value === null || value === undefined || typeof value === 'boolean') return value ?? null;
  if (typeof value === 'string') {
    if (value.isWellFormed()) return value;
    return refuse(reader, place, 'wrong-value', `expected ${what} to be Unicode text, got half a surrogate pair`);
  }
  // Adding 0 turns -0 into 0, as where JSON is read.
  if (typeof value === 'number' && isExact(value, scalar.source)) return value + 0;
  const range = 'a finite number, and an integer within ±(2^53−1)';
  return refuse(
    reader,
    place,
    'wrong-value',
    `expected a number in ${what} to be ${range}, got \`${numberText(value)}\``,
  );
}

/** As where JSON is read: an integer is exact, or so large that it is written and printed with an exponent. */
function isExact(value: number, source: string | undefined): boolean {
  if (!Number.isFinite(value)) return false;
  if (!Number.isInteger(value) || Number.isSafeInteger(value)) return true;
  return Math.abs(value) >= 1e21 && /e/iu.test(source ?? '');
}

function wrongType(reader: Reader, node: Item, place: Place, what: string, expected: string): undefined {
  const got = describe(node);
  const quotable = expected === 'text' && isScalar(node) && node.value !== null;
  const hint = quotable ? 'put it in quotes' : undefined;
  return refuse(reader, place, 'wrong-type', `expected ${what} to be ${expected}, got ${got}`, hint);
}

function describe(node: Item): string {
  if (isMap(node)) return 'a map';
  if (isSeq(node)) return 'a list';
  const value: unknown = isScalar(node) ? node.value : null;
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'string') return `\`${shown(value)}\``;
  return `the ${typeof value} \`${numberText(value)}\``;
}

function numberText(value: unknown): string {
  return typeof value === 'number' || typeof value === 'boolean' ? `${value}` : typeof value;
}

/** User text in one line, and never too much of it. */
export function shown(text: string): string {
  const line = text.replaceAll(/\s+/gu, ' ').replaceAll(/\p{Cc}|\p{Cf}/gu, '·');
  return line.length > 80 ? `${line.slice(0, 80)}…` : line;
}

function styleOf(node: Scalar): ScalarStyle {
  switch (node.type) {
    case Scalar.QUOTE_SINGLE:
      return 'single';
    case Scalar.QUOTE_DOUBLE:
      return 'double';
    case Scalar.BLOCK_FOLDED:
    case Scalar.BLOCK_LITERAL:
      return 'block';
    default:
      return 'plain';
  }
}
