/** What a changed JSON Schema means for a caller: whether it takes more than before, less, or something else. */

import { canonicalText } from '../../value/canonical.ts';
import { isJsonObject } from '../../value/json.ts';
import type { JsonObject, JsonValue } from '../../value/json.ts';

/** `reworded`: it takes the same and says it in other words. `changed`: neither only more nor only less. */
export type SchemaChange = 'same' | 'reworded' | 'widened' | 'narrowed' | 'changed';

const WORDS: ReadonlySet<string> = new Set(['title', 'description', 'examples', 'default', '$comment', 'deprecated']);
const LEAST: ReadonlySet<string> = new Set(['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties']);
const MOST: ReadonlySet<string> = new Set(['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties']);
/** Deeper ones are not compared. */
const DEPTH_MAX = 64;

/** How `after` differs from `before`. Where that cannot be told for sure it is `changed`. */
export function compareSchemas(before: JsonValue, after: JsonValue, depth = 0): SchemaChange {
  if (isEqual(before, after)) return 'same';
  if (before === false) return 'widened';
  if (after === false) return 'narrowed';
  const [from, to] = [open(before), open(after)];
  if (from === undefined || to === undefined || depth > DEPTH_MAX) return 'changed';
  const keywords = new Set([...Object.keys(from), ...Object.keys(to)]);
  return [...keywords].map((keyword) => compareKeyword(keyword, from, to, depth)).reduce(both, 'same');
}

/** `true` and `{}` both take anything. */
function open(schema: JsonValue): JsonObject | undefined {
  if (schema === true) return {};
  return isJsonObject(schema) ? schema : undefined;
}

function compareKeyword(keyword: string, from: JsonObject, to: JsonObject, depth: number): SchemaChange {
  const [before, after] = [own(from, keyword), own(to, keyword)];
  if (keyword === 'properties') return compareProperties(from, to, depth);
  if (isEqual(before ?? null, after ?? null)) return 'same';
  if (WORDS.has(keyword)) return 'reworded';
  if (keyword === 'required') return compareSets(members(after), members(before));
  if (keyword === 'additionalProperties' || keyword === 'items') {
    return compareSchemas(before ?? true, after ?? true, depth + 1);
  }
  if (before === undefined) return 'narrowed';
  if (after === undefined) return 'widened';
  if (keyword === 'enum' || keyword === 'type') return compareSets(members(before), members(after));
  if (typeof before !== 'number' || typeof after !== 'number') return 'changed';
  if (LEAST.has(keyword)) return after < before ? 'widened' : 'narrowed';
  return MOST.has(keyword) ? (after > before ? 'widened' : 'narrowed') : 'changed';
}

/** A property that only one of them names is in the other what `additionalProperties` says. */
function compareProperties(from: JsonObject, to: JsonObject, depth: number): SchemaChange {
  const [before, after] = [own(from, 'properties') ?? {}, own(to, 'properties') ?? {}];
  if (!isJsonObject(before) || !isJsonObject(after)) return isEqual(before, after) ? 'same' : 'changed';
  const rest = (schema: JsonObject): JsonValue => own(schema, 'additionalProperties') ?? true;
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names]
    .map((name) => compareSchemas(own(before, name) ?? rest(from), own(after, name) ?? rest(to), depth + 1))
    .reduce(both, 'same');
}

/** As sets of what is taken. */
function compareSets(before: ReadonlySet<string>, after: ReadonlySet<string>): SchemaChange {
  const isWider = before.isSubsetOf(after);
  const isNarrower = after.isSubsetOf(before);
  if (isWider && isNarrower) return 'same';
  if (isWider) return 'widened';
  return isNarrower ? 'narrowed' : 'changed';
}

function members(value: JsonValue | undefined): ReadonlySet<string> {
  const list = Array.isArray(value) ? (value as readonly JsonValue[]) : value === undefined ? [] : [value];
  return new Set(list.map((item) => canonicalText(item)));
}

function both(one: SchemaChange, other: SchemaChange): SchemaChange {
  if (one === other || other === 'same') return one;
  if (one === 'same' || one === 'reworded') return other;
  return other === 'reworded' ? one : 'changed';
}

function own(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function isEqual(one: JsonValue, other: JsonValue): boolean {
  return one === other || canonicalText(one) === canonicalText(other);
}
