/** From a tool's JSON Schema to the types of its arguments. */

import type { JsonObject, JsonValue } from '../value/json.ts';
import { isJsonObject } from '../value/json.ts';
import type { CelType, ObjectType } from './type.ts';
import { DYN, STRING } from './type.ts';

/** Schemas inside one another, references followed: beyond it a value is untyped. */
const DEPTH_MAX = 32;

/** Schemas looked at, once for each reference: beyond it a value is untyped, so that no schema makes a huge type. */
const SCHEMAS_MAX = 10_000;

interface Walk {
  readonly root: JsonValue;
  schemas: number;
}

/**
 * The type of the values that `schema` (JSON Schema, any draft) accepts. Where they have no one type the answer is
 * `dyn`; a schema with `properties` is an object whose other members are unknown to conditions even where the schema
 * allows them. References are followed within `schema` only.
 */
export function typeOfSchema(schema: JsonValue): CelType {
  return typeOf(schema, { root: schema, schemas: 0 }, 0);
}

function typeOf(schema: JsonValue | undefined, walk: Walk, depth: number): CelType {
  walk.schemas += 1;
  if (depth > DEPTH_MAX || walk.schemas > SCHEMAS_MAX || !isJsonObject(schema)) return DYN;
  const reference = member(schema, '$ref');
  if (reference !== undefined) return typeOf(resolve(reference, walk.root), walk, depth + 1);
  if (hasAny(schema, UNTYPED)) return DYN;
  const constant = member(schema, 'const');
  if (constant !== undefined) return typeOfValues([constant]);
  const values = member(schema, 'enum');
  const type = oneType(member(schema, 'type'));
  if (type === undefined && isArray(values)) return typeOfValues(values);
  return typeNamed(type, schema, walk, depth);
}

/** Keywords under which a value's type is decided elsewhere. */
const UNTYPED = ['oneOf', 'anyOf', 'allOf', 'if', 'not', '$dynamicRef', '$recursiveRef', 'dependentSchemas'];

function hasAny(schema: JsonObject, keywords: readonly string[]): boolean {
  return keywords.some((keyword) => Object.hasOwn(schema, keyword));
}

function isArray(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function member(schema: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(schema, name) ? schema[name] : undefined;
}

function oneType(type: JsonValue | undefined): string | undefined {
  const only = isArray(type) && type.length === 1 ? type[0] : type;
  return typeof only === 'string' ? only : undefined;
}

function typeNamed(type: string | undefined, schema: JsonObject, walk: Walk, depth: number): CelType {
  switch (type) {
    case 'integer':
      return { kind: 'int' };
    case 'number':
      return { kind: 'double' };
    case 'string':
      return STRING;
    case 'boolean':
      return { kind: 'bool' };
    case 'null':
      return { kind: 'null' };
    case 'array':
      return typeOfArray(schema, walk, depth);
    case 'object':
      return typeOfObject(schema, walk, depth);
    default:
      return DYN;
  }
}

function typeOfArray(schema: JsonObject, walk: Walk, depth: number): CelType {
  // With positions of their own the elements have no one type.
  if (hasAny(schema, ['prefixItems', 'additionalItems'])) return { kind: 'list', item: DYN };
  return { kind: 'list', item: typeOf(member(schema, 'items'), walk, depth + 1) };
}

function typeOfObject(schema: JsonObject, walk: Walk, depth: number): CelType {
  const properties = member(schema, 'properties');
  if (!isJsonObject(properties)) {
    const value = hasAny(schema, ['patternProperties'])
      ? DYN
      : typeOf(member(schema, 'additionalProperties'), walk, depth + 1);
    return { kind: 'map', key: STRING, value };
  }
  const required = member(schema, 'required');
  const names = new Set(isArray(required) ? required : []);
  const fields = new Map<string, { type: CelType; required: boolean }>();
  for (const name of Object.keys(properties)) {
    fields.set(name, { type: typeOf(properties[name], walk, depth + 1), required: names.has(name) });
  }
  return { kind: 'object', fields } satisfies ObjectType;
}

/** The schema a local reference (`#`, `#/$defs/…`, RFC 6901) names; nothing for any other. */
function resolve(reference: JsonValue, root: JsonValue): JsonValue | undefined {
  if (typeof reference !== 'string' || !/^#(\/|$)/.test(reference)) return undefined;
  let at: JsonValue | undefined = root;
  for (const token of decode(reference).split('/').slice(1)) {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~');
    if (isArray(at)) at = at[Number(name)];
    else at = isJsonObject(at) ? member(at, name) : undefined;
  }
  return at;
}

function decode(reference: string): string {
  try {
    return decodeURIComponent(reference);
  } catch {
    return reference;
  }
}

/** The type that all of `values` have: nothing else is accepted, so whole numbers are int. */
function typeOfValues(values: readonly JsonValue[]): CelType {
  const kinds = new Set(values.map((value) => (value === null ? 'null' : typeof value)));
  const [kind] = kinds;
  if (kinds.size !== 1) return DYN;
  if (kind === 'string') return STRING;
  if (kind === 'boolean') return { kind: 'bool' };
  if (kind === 'number') return values.every((value) => Number.isInteger(value)) ? { kind: 'int' } : { kind: 'double' };
  return kind === 'null' ? { kind: 'null' } : DYN;
}
