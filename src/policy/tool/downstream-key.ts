/** `downstreamKey:` — where a tool takes an idempotency key of its own, which the gateway then gives it. */

import { isJsonObject } from '../../value/json.ts';
import type { JsonObject } from '../../value/json.ts';
import { LATER } from '../document/later.ts';
import { readFields, readText, refuse } from '../../document/reader.ts';
import type { Entry, Reader } from '../../document/reader.ts';
import type { Located } from '../../document/source.ts';

/** An argument of the tool, or a member of the request's `_meta`. */
export interface DownstreamKey {
  readonly in: 'arg' | 'meta';
  readonly name: Located;
}

const OURS = 'interlock/';
const HINT = 'write `{ arg: NAME }` or `{ meta: NAME }`';

export function readDownstreamKey(reader: Reader, entry: Entry, what: string): DownstreamKey | undefined {
  const found: DownstreamKey[] = [];
  const reading = (where: DownstreamKey['in']) => (inner: Entry) => {
    const name = readText(reader, inner.value, inner.place, `\`${where}\` of ${what}`);
    if (name !== undefined) found.push({ in: where, name });
  };
  const parsers = { arg: reading('arg'), meta: reading('meta') };
  const before = reader.issues.length;
  if (!readFields(reader, entry.value, entry.place, what, parsers, LATER.downstreamKey)) return undefined;
  if (reader.issues.length > before) return undefined;
  const [key, another] = found;
  if (key === undefined || another !== undefined) {
    return refuse(reader, entry.place, 'wrong-value', `expected ${what} to name one place for the key`, HINT);
  }
  if (key.in === 'meta' && key.name.text.startsWith(OURS)) {
    return refuse(reader, entry.place, 'wrong-value', `${what} names \`${OURS}…\`, which is never passed on`, HINT);
  }
  return Object.freeze(key);
}

/** Why the tool with this schema takes no key in its argument `name`; nothing when it does. */
export function keyArgumentFault(schema: JsonObject, name: string): string | undefined {
  const property = propertyOf(schema, name);
  if (property === undefined) return `has no argument \`${name}\` to put a key in`;
  const { type } = property;
  const isText = type === undefined || type === 'string' || (Array.isArray(type) && type.includes('string'));
  return isText ? undefined : `takes no text as its argument \`${name}\``;
}

/** The schema of what callers give: without the argument that is the gateway's to give. */
export function withoutKeyArgument(schema: JsonObject, name: string): JsonObject {
  const { properties, required } = schema;
  if (!isJsonObject(properties) || !Object.hasOwn(properties, name)) return schema;
  const { [name]: _, ...others } = properties;
  const needed = Array.isArray(required) ? { required: required.filter((one) => one !== name) } : {};
  return { ...schema, properties: others, ...needed };
}

function propertyOf(schema: JsonObject, name: string): JsonObject | undefined {
  const { properties } = schema;
  const property = isJsonObject(properties) && Object.hasOwn(properties, name) ? properties[name] : undefined;
  return isJsonObject(property) ? property : undefined;
}
