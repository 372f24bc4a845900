/**
 * The common schemas judged without the library: objects, arrays and scalars with types, bounds, choices and texts.
 * It says yes or it says nothing: what it cannot tell at once the library judges, which also has the words for a no.
 */

import { isJsonObject } from '../value/json.ts';
import type { JsonObject, JsonValue } from '../value/json.ts';
import { constraintOf } from './schema-text.ts';

/** Whether a value surely fits. `left` counts down the values that may still be looked at. */
type Quick = (value: JsonValue, left: { values: number }) => boolean;

/** More is for the library, which counts what it costs. */
const VALUES_MAX = 1_000;
const TEXT_MAX = 4_096;
const DEPTH_MAX = 16;
const CHOICES_MAX = 256;
/** They assert nothing. */
const ANNOTATIONS: ReadonlySet<string> = new Set([
  '$schema',
  '$comment',
  'title',
  'description',
  'default',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
]);

const always: Quick = () => true;

/** The quick form of `schema` (of a draft later than 4, and one that is usable at all), or nothing. */
export function quickForm(schema: JsonObject): ((args: JsonObject) => boolean) | undefined {
  const quick = quickOf(schema, 0);
  return quick === undefined ? undefined : (args) => quick(args, { values: VALUES_MAX });
}

function quickOf(schema: JsonValue, depth: number): Quick | undefined {
  if (schema === true) return always;
  if (!isJsonObject(schema) || depth > DEPTH_MAX) return undefined;
  const tests: Quick[] = [];
  for (const keyword of Object.keys(schema)) {
    if (ANNOTATIONS.has(keyword)) continue;
    const test = testOf(keyword, schema, depth);
    if (test === undefined) return undefined;
    if (test !== always) tests.push(test);
  }
  const [first = always, second = always, ...others] = tests;
  return (value, left) => {
    left.values -= 1;
    if (left.values < 0 || !first(value, left) || !second(value, left)) return false;
    for (const test of others) if (!test(value, left)) return false;
    return true;
  };
}

/** What one keyword of `schema` asserts; nothing for one that is not among the common. */
function testOf(keyword: string, schema: JsonObject, depth: number): Quick | undefined {
  const value = schema[keyword] ?? null;
  switch (keyword) {
    case 'type':
      return typeTest(value);
    case 'const':
      return choiceTest([value]);
    case 'enum':
      return Array.isArray(value) ? choiceTest(value) : undefined;
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
      return typeof value === 'number' ? boundTest(keyword, value) : undefined;
    case 'minLength':
    case 'maxLength':
      return typeof value === 'number' ? lengthTest(keyword, value) : undefined;
    case 'pattern':
    case 'format':
      return textTest(keyword, value);
    case 'items':
      return itemsTest(value, depth);
    case 'minItems':
      return typeof value === 'number' ? (list) => !Array.isArray(list) || list.length >= value : undefined;
    case 'maxItems':
      return typeof value === 'number' ? (list) => !Array.isArray(list) || list.length <= value : undefined;
    case 'properties':
      return propertiesTest(value, depth);
    case 'required':
      return requiredTest(value);
    case 'additionalProperties':
      return additionalTest(value, schema['properties'] ?? {});
    default:
      return undefined;
  }
}

type Test = (value: JsonValue) => boolean;

const TYPE_TESTS: ReadonlyMap<JsonValue, Test> = new Map<JsonValue, Test>([
  ['string', (value) => typeof value === 'string'],
  ['integer', (value) => Number.isInteger(value)],
  ['number', (value) => typeof value === 'number'],
  ['boolean', (value) => typeof value === 'boolean'],
  ['null', (value) => value === null],
  ['array', (value) => Array.isArray(value)],
  ['object', isJsonObject],
]);

function typeTest(type: JsonValue): Quick | undefined {
  if (!Array.isArray(type)) return TYPE_TESTS.get(type);
  const tests = type.map((one: JsonValue) => TYPE_TESTS.get(one));
  return (value) => tests.some((test) => test?.(value) === true);
}

function choiceTest(choices: readonly JsonValue[]): Quick | undefined {
  const scalars = choices.filter((choice) => typeof choice !== 'object' || choice === null);
  if (scalars.length < choices.length || choices.length > CHOICES_MAX) return undefined;
  return (value) => (typeof value !== 'object' || value === null) && scalars.includes(value);
}

function boundTest(keyword: 'minimum' | 'maximum' | 'exclusiveMinimum' | 'exclusiveMaximum', bound: number): Quick {
  switch (keyword) {
    case 'minimum':
      return (value) => typeof value !== 'number' || value >= bound;
    case 'maximum':
      return (value) => typeof value !== 'number' || value <= bound;
    case 'exclusiveMinimum':
      return (value) => typeof value !== 'number' || value > bound;
    case 'exclusiveMaximum':
      return (value) => typeof value !== 'number' || value < bound;
  }
}

/** Lengths are of code points, which are one or two units each: only between these the library counts. */
function lengthTest(keyword: 'minLength' | 'maxLength', bound: number): Quick {
  if (keyword === 'minLength') return (value) => typeof value !== 'string' || value.length >= 2 * bound - 1;
  return (value) => typeof value !== 'string' || value.length <= bound;
}

function textTest(keyword: 'pattern' | 'format', value: JsonValue): Quick | undefined {
  if (typeof value !== 'string') return undefined;
  const constraint = keyword === 'pattern' ? constraintOf(value, undefined) : constraintOf(undefined, value);
  if (constraint === undefined) return always;
  if (typeof constraint === 'string') return undefined;
  return (text) => typeof text !== 'string' || (text.length <= TEXT_MAX && constraint.test(text));
}

function itemsTest(schema: JsonValue, depth: number): Quick | undefined {
  const item = quickOf(schema, depth + 1);
  if (item === undefined) return undefined;
  return (value, left) => !Array.isArray(value) || value.every((each: JsonValue) => item(each, left));
}

function propertiesTest(schemas: JsonValue, depth: number): Quick | undefined {
  if (!isJsonObject(schemas)) return undefined;
  const tests: (readonly [string, Quick])[] = [];
  for (const [name, schema] of Object.entries(schemas)) {
    const test = quickOf(schema, depth + 1);
    // The library sees what every object inherits.
    if (test === undefined || name in Object.prototype) return undefined;
    tests.push([name, test]);
  }
  return (value, left) => {
    if (!isJsonObject(value)) return true;
    for (const [name, test] of tests) {
      const member = value[name];
      if (member !== undefined && !test(member, left)) return false;
    }
    return true;
  };
}

function requiredTest(names: JsonValue): Quick | undefined {
  if (!Array.isArray(names)) return undefined;
  const required = names.filter((name: JsonValue) => typeof name === 'string');
  return (value) => {
    if (!isJsonObject(value)) return true;
    for (const name of required) if (!Object.hasOwn(value, name)) return false;
    return true;
  };
}

function additionalTest(value: JsonValue, properties: JsonValue): Quick | undefined {
  if (value === true) return always;
  if (value !== false || !isJsonObject(properties)) return undefined;
  const names = new Set(Object.keys(properties));
  return (object) => {
    if (!isJsonObject(object)) return true;
    for (const name of Object.keys(object)) if (!names.has(name)) return false;
    return true;
  };
}
