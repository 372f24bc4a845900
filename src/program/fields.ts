/** The fields of one part of a program, each read at most once and as what it must be. */

import { alike } from '../document/alike.ts';
import { readDuration } from '../document/duration.ts';
import {
  type Entry,
  type Reader,
  readFields,
  readJson,
  readText,
  readTexts,
  readWhole,
  refuse,
  shown,
} from '../document/reader.ts';
import type { Located } from '../document/source.ts';
import { schemaFault } from '../schema/schema.ts';
import type { Place } from '../value/issue.ts';
import { type JsonObject, isJsonObject } from '../value/json.ts';
import { readTemplate } from './read-template.ts';
import type { WrittenTemplate } from './written.ts';

/** Readers answer nothing where nothing is written, and where what is written is refused. */
export interface Fields {
  readonly what: string;
  readonly place: Place;
  entry(key: string): Entry | undefined;
  text(key: string): Located | undefined;
  /** As `text`; that nothing is written is an error with this hint. */
  needed(key: string, hint: string): Located | undefined;
  texts(key: string): readonly Located[] | undefined;
  whole(key: string, min: number, max: number): number | undefined;
  duration(key: string): number | undefined;
  template(key: string): WrittenTemplate | undefined;
  schema(key: string): JsonObject | undefined;
}

/** The fields of `entries`, of which only `known` may be there. */
export function fieldsOf(
  reader: Reader,
  entries: readonly Entry[],
  place: Place,
  what: string,
  known: readonly string[],
): Fields {
  const byKey = new Map(entries.map((entry) => [entry.key, entry]));
  for (const { key, keyPlace } of entries) {
    if (known.includes(key)) continue;
    const near = alike(key, known);
    const hint = near === undefined ? `known keys: ${known.join(', ')}` : `did you mean \`${near}\`?`;
    refuse(reader, keyPlace, 'unknown-key', `${what} has no key \`${shown(key)}\``, hint);
  }
  const at = <T>(key: string, read: (entry: Entry, name: string) => T | undefined): T | undefined => {
    const entry = byKey.get(key);
    return entry === undefined ? undefined : read(entry, `\`${key}\` of ${what}`);
  };
  const text = (key: string): Located | undefined =>
    at(key, (entry, name) => readText(reader, entry.value, entry.place, name));
  return {
    what,
    place,
    entry: (key) => byKey.get(key),
    text,
    needed: (key, hint) => {
      if (byKey.has(key)) return text(key);
      return refuse(reader, place, 'missing-key', `${what} has no \`${key}\``, hint);
    },
    texts: (key) => at(key, (entry, name) => readTexts(reader, entry.value, entry.place, name)),
    whole: (key, min, max) => at(key, (entry, name) => readWhole(reader, entry.value, entry.place, name, min, max)),
    duration: (key) => at(key, (entry, name) => readDuration(reader, entry, name)),
    template: (key) => at(key, (entry, name) => readTemplate(reader, entry.value, entry.place, name)),
    schema: (key) => at(key, (entry, name) => schemaAt(reader, entry, name)),
  };
}

/** A JSON Schema that values can be judged by. */
export function schemaAt(reader: Reader, entry: Entry, what: string): JsonObject | undefined {
  const value = readJson(reader, entry.value, entry.place, what);
  if (value === undefined) return undefined;
  if (!isJsonObject(value)) return refuse(reader, entry.place, 'wrong-type', `expected ${what} to be a map`);
  const fault = schemaFault(value);
  if (fault === undefined) return value;
  return refuse(reader, entry.place, 'schema-unusable', `${what} cannot be judged by: ${fault}`);
}

/** A map with some known keys inside a field. */
export function within(
  reader: Reader,
  fields: Fields,
  key: string,
  parsers: Readonly<Record<string, (entry: Entry) => void>>,
): void {
  const entry = fields.entry(key);
  if (entry !== undefined) readFields(reader, entry.value, entry.place, `\`${key}\` of ${fields.what}`, parsers);
}
