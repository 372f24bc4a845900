/**
 * A server's JSON Schema in a form that is safe to judge with: a copy holding known keywords only, checked for shape,
 * its regular expressions taken out, every node counting its visits. Nothing is fetched.
 */

import { dereference } from '@cfworker/json-schema';
import type { Schema, SchemaDraft } from '@cfworker/json-schema';
import { isJsonObject } from '../value/json.ts';
import type { JsonObject, JsonValue } from '../value/json.ts';
import { burn } from './schema-fuel.ts';
import type { Fuel } from './schema-fuel.ts';
import { compilePattern, constraintOf } from './schema-text.ts';
import type { TextConstraint } from './schema-text.ts';

/** A node with `patternProperties`, whose patterns are replaced by the names they match before each judgement. */
export interface PatternSlot {
  readonly node: SchemaNode;
  readonly patterns: readonly { readonly test: (text: string) => boolean; readonly schema: SchemaNode | boolean }[];
}

export type SchemaNode = Record<string, unknown>;

export interface SafeSchema {
  readonly root: Schema | boolean;
  readonly draft: SchemaDraft;
  readonly lookup: Record<string, Schema | boolean>;
  /** By the name that stands in `format` of the copy. */
  readonly texts: ReadonlyMap<string, TextConstraint>;
  readonly slots: readonly PatternSlot[];
  readonly fuel: Fuel;
  readonly nodes: number;
  /** Whether judging may take longer than every node once for every value: references, comparisons of all pairs. */
  readonly unbounded: boolean;
}

const DEPTH_MAX = 200;
const NODES_MAX = 50_000;

const SCHEMA: ReadonlySet<string> = new Set([
  'additionalItems',
  'unevaluatedItems',
  'contains',
  'additionalProperties',
  'unevaluatedProperties',
  'propertyNames',
  'not',
  'if',
  'then',
  'else',
]);
const SCHEMAS: ReadonlySet<string> = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems']);
const SCHEMA_MAP: ReadonlySet<string> = new Set(['$defs', 'definitions', 'properties', 'dependentSchemas']);
const NUMBERS: ReadonlySet<string> = new Set(['minimum', 'maximum']);
const EXCLUSIVE: ReadonlySet<string> = new Set(['exclusiveMinimum', 'exclusiveMaximum']);
const COUNTS: ReadonlySet<string> = new Set([
  'minProperties',
  'maxProperties',
  'minContains',
  'maxContains',
  'minItems',
  'maxItems',
  'minLength',
  'maxLength',
]);
const FLAGS: ReadonlySet<string> = new Set(['uniqueItems', '$recursiveAnchor']);
const NAMES: ReadonlySet<string> = new Set(['$id', '$anchor', '$ref', '$recursiveRef']);
const TYPES: ReadonlySet<JsonValue> = new Set(['array', 'boolean', 'integer', 'null', 'number', 'object', 'string']);
/** Annotations, and what is handled apart. */
const DROPPED: ReadonlySet<string> = new Set([
  'pattern',
  'format',
  'default',
  'examples',
  '$schema',
  '$comment',
  '$vocabulary',
]);

/** The copy being made. `unusable` is the first reason why it cannot be used. */
interface Making {
  readonly draft: SchemaDraft;
  readonly texts: Map<string, TextConstraint>;
  readonly slots: PatternSlot[];
  readonly fuel: Fuel;
  readonly references: SchemaNode[];
  nodes: number;
  unbounded: boolean;
  unusable: string | undefined;
}

/** The safe form of `schema`, or in one line why no call can be judged by it. */
export function safeForm(
  schema: JsonObject,
): { readonly ok: true; readonly schema: SafeSchema } | { readonly ok: false; readonly message: string } {
  const draft = draftOf(schema);
  const shared = { draft, texts: new Map(), slots: [], fuel: { left: 0 }, references: [] };
  const making: Making = { ...shared, nodes: 0, unbounded: false, unusable: undefined };
  const root = copy(making, schema, 0);
  if (making.unusable !== undefined) return { ok: false, message: making.unusable };
  try {
    const lookup = dereference(root);
    for (const node of making.references) {
      const target = node['__absolute_ref__'] ?? node['$ref'];
      if (typeof target === 'string' && lookup[target] !== undefined) continue;
      return {
        ok: false,
        message: `it refers to \`${String(node['$ref']).slice(0, 80)}\`, which is not in it, and nothing is fetched`,
      };
    }
    const { texts, slots, fuel, nodes, unbounded } = making;
    return { ok: true, schema: { root, draft, lookup, texts, slots, fuel, nodes, unbounded } };
  } catch {
    return { ok: false, message: 'its `$id`, `$anchor` and `$ref` do not fit together' };
  }
}

function draftOf(schema: JsonObject): SchemaDraft {
  const uri = Object.hasOwn(schema, '$schema') ? schema['$schema'] : undefined;
  const match = typeof uri === 'string' ? /draft[-/]?(0[467]|2019-09)/u.exec(uri) : null;
  if (match === null) return '2020-12';
  if (match[1] === '2019-09') return '2019-09';
  return match[1] === '04' ? '4' : '7';
}

function copy(making: Making, value: JsonValue, depth: number): SchemaNode | boolean {
  making.nodes += 1;
  if (depth > DEPTH_MAX || making.nodes > NODES_MAX) return unusable(making, 'it is too large');
  if (typeof value === 'boolean') return value;
  if (!isJsonObject(value)) return unusable(making, 'it has something else where a schema belongs');
  const node: SchemaNode = Object.create(null) as SchemaNode;
  let weight = 1;
  for (const [keyword, inner] of Object.entries(value)) {
    const copied = copyKeyword(making, keyword, inner, depth);
    if (copied !== undefined) node[keyword] = copied;
    if (Array.isArray(inner)) weight += inner.length;
    else if (isJsonObject(inner)) weight += Object.keys(inner).length;
  }
  if (making.draft !== '4') modernize(node);
  copyText(making, value, node);
  if (isJsonObject(value['patternProperties'])) copyPatterns(making, value['patternProperties'], node, depth);
  if (node['$ref'] !== undefined) making.references.push(node);
  if (['$ref', '$recursiveRef', 'uniqueItems'].some((keyword) => node[keyword] !== undefined)) making.unbounded = true;
  countVisits(node, making.fuel, weight);
  return node;
}

/** Bounds as draft 4 wrote them, which servers still send under later drafts: `minimum: 0, exclusiveMinimum: true`. */
function modernize(node: SchemaNode): void {
  for (const [exclusive, bound] of [
    ['exclusiveMinimum', 'minimum'],
    ['exclusiveMaximum', 'maximum'],
  ] as const) {
    if (node[exclusive] === true && node[bound] !== undefined) node[exclusive] = node[bound];
    else if (typeof node[exclusive] === 'boolean') delete node[exclusive];
  }
}

/** The validator reads `$recursiveAnchor` once at each visit of a node; reading it burns fuel. */
function countVisits(node: SchemaNode, fuel: Fuel, weight: number): void {
  const anchor = node['$recursiveAnchor'];
  Object.defineProperty(node, '$recursiveAnchor', {
    enumerable: false,
    get() {
      burn(fuel, weight);
      return anchor;
    },
  });
}

function copyKeyword(making: Making, keyword: string, value: JsonValue, depth: number): unknown {
  if (SCHEMA.has(keyword)) return copy(making, value, depth + 1);
  if (keyword === 'items' && !Array.isArray(value)) return copy(making, value, depth + 1);
  if (SCHEMAS.has(keyword) || keyword === 'items') return copyList(making, keyword, value, depth);
  if (SCHEMA_MAP.has(keyword)) return copyMap(making, keyword, value, depth, false);
  if (keyword === 'dependencies') return copyMap(making, keyword, value, depth, true);
  if (keyword === 'const') return value;
  if (keyword === '$dynamicRef') return unusable(making, 'it uses `$dynamicRef`, which is not supported');
  if (keyword === 'id') return making.draft === '4' && typeof value === 'string' ? value : undefined;
  if (DROPPED.has(keyword) || keyword.startsWith('__')) return undefined;
  const fits = shapeOf(making.draft, keyword, value);
  if (fits === undefined) return copyUnknown(making, value, depth);
  return fits ? value : unusable(making, `its \`${keyword}\` is malformed`);
}

/** Whether the value of a plain keyword has the shape that its vocabulary gives it; nothing for other keywords. */
function shapeOf(draft: SchemaDraft, keyword: string, value: JsonValue): boolean | undefined {
  if (keyword === 'type')
    return Array.isArray(value) ? value.every((item: JsonValue) => TYPES.has(item)) : TYPES.has(value);
  if (keyword === 'enum') return Array.isArray(value);
  if (keyword === 'required') return areTexts(value);
  if (keyword === 'dependentRequired') return isJsonObject(value) && Object.values(value).every(areTexts);
  if (keyword === 'patternProperties') return isJsonObject(value);
  if (keyword === 'multipleOf') return typeof value === 'number' && value > 0;
  if (NUMBERS.has(keyword)) return typeof value === 'number';
  if (EXCLUSIVE.has(keyword)) return typeof value === 'boolean' || (draft !== '4' && typeof value === 'number');
  if (COUNTS.has(keyword)) return typeof value === 'number' && Number.isInteger(value) && value >= 0;
  if (FLAGS.has(keyword)) return typeof value === 'boolean';
  if (NAMES.has(keyword)) return typeof value === 'string' && (keyword !== '$recursiveRef' || value === '#');
  return undefined;
}

function areTexts(value: JsonValue): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function copyList(making: Making, keyword: string, value: JsonValue, depth: number): unknown {
  if (!Array.isArray(value)) return unusable(making, `its \`${keyword}\` is malformed`);
  return value.map((item: JsonValue) => copy(making, item, depth + 1));
}

function copyMap(making: Making, keyword: string, value: JsonValue, depth: number, lists: boolean): unknown {
  if (!isJsonObject(value)) return unusable(making, `its \`${keyword}\` is malformed`);
  const map: SchemaNode = Object.create(null) as SchemaNode;
  for (const [name, inner] of Object.entries(value)) {
    map[name] = lists && areTexts(inner) ? inner : copy(making, inner, depth + 1);
  }
  return map;
}

/** Keywords nobody knows assert nothing, but a `$ref` may point into them. */
function copyUnknown(making: Making, value: JsonValue, depth: number): unknown {
  if (!isJsonObject(value)) return undefined;
  const apart: Making = { ...making, texts: new Map(making.texts), slots: [], references: [], unusable: undefined };
  const copied = copy(apart, value, depth + 1);
  making.nodes = apart.nodes;
  making.unbounded ||= apart.unbounded;
  if (apart.unusable !== undefined) return undefined;
  for (const [name, constraint] of apart.texts) making.texts.set(name, constraint);
  making.slots.push(...apart.slots);
  making.references.push(...apart.references);
  return copied;
}

function copyText(making: Making, value: JsonObject, node: SchemaNode): void {
  const [pattern, format] = ['pattern', 'format'].map((keyword) =>
    Object.hasOwn(value, keyword) ? value[keyword] : undefined,
  );
  if ((pattern !== undefined && typeof pattern !== 'string') || (format !== undefined && typeof format !== 'string')) {
    unusable(making, 'its `pattern` or `format` is malformed');
    return;
  }
  const constraint = constraintOf(pattern, format);
  if (typeof constraint === 'string') unusable(making, constraint);
  if (constraint === undefined || typeof constraint === 'string') return;
  const name = `interlock:${making.texts.size}`;
  making.texts.set(name, constraint);
  node['format'] = name;
}

function copyPatterns(making: Making, value: JsonObject, node: SchemaNode, depth: number): void {
  const patterns: PatternSlot['patterns'][number][] = [];
  const map: SchemaNode = Object.create(null) as SchemaNode;
  for (const [pattern, inner] of Object.entries(value)) {
    const compiled = compilePattern(pattern);
    if (!compiled.ok) {
      unusable(making, compiled.message);
      return;
    }
    const schema = copy(making, inner, depth + 1);
    map[pattern] = schema;
    patterns.push({ test: compiled.test, schema });
  }
  node['patternProperties'] = map;
  making.slots.push({ node, patterns });
}

function unusable(making: Making, message: string): false {
  making.unusable ??= message;
  return false;
}
