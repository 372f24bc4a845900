/** Judges values by a JSON Schema that a stranger wrote, within bounds, without generated code and without fetching. */

import { format, validate } from '@cfworker/json-schema';
import { isJsonObject } from '../value/json.ts';
import type { JsonObject, JsonValue } from '../value/json.ts';
import { safeForm } from './schema-form.ts';
import type { SafeSchema, SchemaNode } from './schema-form.ts';
import { burn, FUEL_MAX, metered } from './schema-fuel.ts';
import type { Fuel } from './schema-fuel.ts';
import { quickForm } from './schema-quick.ts';
import { problemsOf } from './schema-message.ts';
import type { SchemaProblem } from './schema-message.ts';
import { exactly } from './schema-text.ts';
import type { TextConstraint } from './schema-text.ts';

export type { SchemaProblem } from './schema-message.ts';

/** Below this many pairs of schema node and value, a schema that visits each pair once cannot take long. */
const PAIRS_MAX = 20_000;
/** Distinct names of members that patterns of names are tried on. */
const NAMES_MAX = 2_000;

interface Form {
  readonly safe: ReturnType<typeof safeForm>;
  /** True when arguments surely fit; absent when the schema is not of the common kind. */
  readonly quick: ((args: JsonObject) => boolean) | undefined;
}

const forms = new WeakMap<JsonObject, Form>();

function formOf(schema: JsonObject): Form {
  const known = forms.get(schema);
  if (known !== undefined) return known;
  const safe = safeForm(schema);
  // Bounds of draft 4 mean something else.
  const form = { safe, quick: safe.ok && safe.schema.draft !== '4' ? quickForm(schema) : undefined };
  forms.set(schema, form);
  return form;
}

/** In one line why no call of a tool with this schema can be judged, and so none is allowed; nothing when all is well. */
export function schemaFault(schema: JsonObject): string | undefined {
  const form = formOf(schema).safe;
  return form.ok ? undefined : form.message;
}

/**
 * What is wrong with `args`, at most a few problems; empty when they fit. The draft is the one `$schema` names, 2020-12
 * by default. A schema that cannot be used, and one that takes too long, are problems too: an error never widens.
 */
export function checkArguments(
  { inputSchema }: { readonly inputSchema: JsonObject },
  args: JsonValue,
): readonly SchemaProblem[] {
  const { safe } = formOf(inputSchema);
  if (safe.ok && !isJsonObject(args)) return [{ pointer: '', message: 'must be an object' }];
  return checkValue(inputSchema, args);
}

/** As `checkArguments`, of any value: what is wrong with it, at most a few problems. */
export function checkValue(schema: JsonObject, value: JsonValue): readonly SchemaProblem[] {
  const { safe, quick } = formOf(schema);
  if (!safe.ok) return [{ pointer: '', message: `cannot be judged: the schema is unusable, ${safe.message}` }];
  return isJsonObject(value) && quick?.(value) === true ? FITS : judge(safe.schema, value);
}

const FITS: readonly SchemaProblem[] = [];

function judge(schema: SafeSchema, args: JsonValue): readonly SchemaProblem[] {
  const { fuel, root, draft, lookup, texts } = schema;
  fuel.left = FUEL_MAX;
  const names = new Set<string>();
  const size = measure(args, names);
  if (schema.slots.length > 0 && names.size > NAMES_MAX) {
    return [{ pointer: '', message: `must have at most ${NAMES_MAX} different names of members` }];
  }
  fillSlots(schema, names);
  const instance = schema.unbounded || size * schema.nodes > PAIRS_MAX ? metered(args, fuel) : args;
  // The library looks formats up in this table; ours stand in it only while it runs.
  for (const [name, constraint] of texts) format[name] = (text) => testText(constraint, text, fuel);
  try {
    const result = validate(instance, root, draft, lookup, false);
    return result.valid ? [] : problemsOf(result.errors, texts);
  } catch {
    return [{ pointer: '', message: 'cannot be judged: it takes too long or nests too deep for its schema' }];
  } finally {
    for (const name of texts.keys()) delete format[name];
  }
}

function testText(constraint: TextConstraint, text: string, fuel: Fuel): boolean {
  burn(fuel, Math.ceil((constraint.cost * text.length) / 64));
  return constraint.test(text);
}

/** How many values there are; collects the names of members. */
function measure(value: JsonValue, names: Set<string>): number {
  if (typeof value !== 'object' || value === null) return 1;
  let size = 1;
  if (!isJsonObject(value)) {
    for (const item of value) size += measure(item, names);
    return size;
  }
  for (const [name, item] of Object.entries(value)) {
    names.add(name);
    size += measure(item, names);
  }
  return size;
}

/** Replaces every pattern of names by the names it matches here, which the library then compares in linear time. */
function fillSlots(schema: SafeSchema, names: ReadonlySet<string>): void {
  for (const { node, patterns } of schema.slots) {
    const filled: SchemaNode = Object.create(null) as SchemaNode;
    for (const [index, { test, schema: inner }] of patterns.entries()) {
      const matched = [...names].filter(test);
      if (matched.length > 0) filled[exactly(matched, index)] = inner;
    }
    node['patternProperties'] = filled;
  }
}
