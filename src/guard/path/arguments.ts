/** Finds the arguments of a call that are paths and replaces them by their real targets. */

import type { JsonObject, JsonValue } from '../../value/json.ts';
import { type PathRoot, resolvePath } from './resolve.ts';

const NAMED_LIKE_A_PATH =
  /^(?:path|paths|file|files|filename|filenames|filepath|filepaths|dir|directory|directories|folder|folders|source|destination|src|dst|root|cwd)$|(?:_|-)(?:path|paths|file|files|filename|dir|directory|folder)$|(?:Path|Paths|File|Files|Filename|Dir|Directory|Folder)$/u;
const PATH_FORMATS: ReadonlySet<string> = new Set(['path', 'file-path', 'directory-path']);

export type GuardedArguments =
  | { readonly ok: true; readonly args: JsonObject }
  | { readonly ok: false; readonly argument: string; readonly reason: string };

/**
 * Every path in `args` resolved under `root`, nested ones and lists included. `named` says which
 * top-level arguments are paths; without it, each one whose name or schema `format` marks it as one.
 * A named argument that holds anything but text refuses the call.
 */
export async function guardPathArguments(
  root: PathRoot,
  args: JsonObject,
  schema: JsonObject,
  named?: readonly string[],
): Promise<GuardedArguments> {
  const guarded: Record<string, JsonValue> = {};
  for (const [name, value] of Object.entries(args)) {
    const answer = await guardValue(root, value, isPath(name, propertySchema(schema, name), named), {
      name,
      schema: propertySchema(schema, name),
      strict: named?.includes(name) ?? false,
    });
    if (!answer.ok) return { ok: false, argument: name, reason: answer.reason };
    Object.defineProperty(guarded, name, { value: answer.value, enumerable: true, writable: true, configurable: true });
  }
  return { ok: true, args: guarded };
}

/** The JSON pointers (RFC 6901) of the texts in `args` that `guardPathArguments` resolves. */
export function* guardedPaths(
  args: JsonObject,
  schema: JsonObject,
  named?: readonly string[],
  at = '',
): Generator<string, void> {
  for (const [name, value] of Object.entries(args)) {
    const inner = propertySchema(schema, name);
    yield* pathsIn(
      value,
      isPath(name, inner, named),
      inner,
      `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
    );
  }
}

function* pathsIn(value: JsonValue, path: boolean, schema: JsonObject, at: string): Generator<string, void> {
  if (typeof value === 'string') {
    if (path) yield at;
  } else if (Array.isArray(value)) {
    for (const [index, item] of (value as readonly JsonValue[]).entries()) {
      yield* pathsIn(item, path, itemSchema(schema), `${at}/${index}`);
    }
  } else if (typeof value === 'object' && value !== null)
    yield* guardedPaths(value as JsonObject, schema, undefined, at);
}

interface Position {
  readonly name: string;
  readonly schema: JsonObject;
  readonly strict: boolean;
}
type Guarded = { readonly ok: true; readonly value: JsonValue } | { readonly ok: false; readonly reason: string };

async function guardValue(root: PathRoot, value: JsonValue, path: boolean, position: Position): Promise<Guarded> {
  if (typeof value === 'string') {
    if (!path) return { ok: true, value };
    const answer = await resolvePath(root, value);
    return answer.ok ? { ok: true, value: answer.target } : { ok: false, reason: answer.reason };
  }
  if (Array.isArray(value)) {
    const items: JsonValue[] = [];
    for (const item of value as readonly JsonValue[]) {
      const answer = await guardValue(root, item, path, { ...position, schema: itemSchema(position.schema) });
      if (!answer.ok) return answer;
      items.push(answer.value);
    }
    return { ok: true, value: items };
  }
  if (typeof value === 'object' && value !== null) {
    const inner = await guardPathArguments(root, value as JsonObject, position.schema);
    return inner.ok ? { ok: true, value: inner.args } : { ok: false, reason: inner.reason };
  }
  if (path && position.strict && value !== null) return { ok: false, reason: 'it is not text' };
  return { ok: true, value };
}

function isPath(name: string, schema: JsonObject, named: readonly string[] | undefined): boolean {
  if (named !== undefined) return named.includes(name);
  if (typeof schema['format'] === 'string' && PATH_FORMATS.has(schema['format'])) return true;
  return NAMED_LIKE_A_PATH.test(name);
}

function propertySchema(schema: JsonObject, name: string): JsonObject {
  const properties = Object.hasOwn(schema, 'properties') ? asObject(schema['properties']) : {};
  return Object.hasOwn(properties, name) ? asObject(properties[name]) : {};
}

function itemSchema(schema: JsonObject): JsonObject {
  return Object.hasOwn(schema, 'items') ? asObject(schema['items']) : {};
}

function asObject(value: JsonValue | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}
