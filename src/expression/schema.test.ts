import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { JsonValue } from '../value/json.ts';
import { typeOfSchema } from './schema.ts';
import type { CelType } from './type.ts';
import { typeText } from './type.ts';

function fieldsOf(type: CelType): Record<string, string> {
  assert.ok(type.kind === 'object');
  return Object.fromEntries(
    Array.from(type.fields, ([name, field]) => [name, `${typeText(field.type)}${field.required ? '' : '?'}`]),
  );
}

test('scalars have the type of their name, integer and number apart', () => {
  const type = typeOfSchema({
    type: 'object',
    properties: {
      amount: { type: 'integer' },
      price: { type: 'number' },
      name: { type: 'string' },
      ok: { type: 'boolean' },
      none: { type: 'null' },
      tags: { type: 'array', items: { type: 'string' } },
      pair: { type: 'array', prefixItems: [{ type: 'string' }] },
      list: { type: 'array' },
      bag: { type: 'object' },
      counts: { type: 'object', additionalProperties: { type: 'integer' } },
    },
    required: ['amount', 'bag'],
  });
  assert.deepEqual(fieldsOf(type), {
    amount: 'int',
    price: 'double?',
    name: 'string?',
    ok: 'bool?',
    none: 'null?',
    tags: 'list(string)?',
    pair: 'list(dyn)?',
    list: 'list(dyn)?',
    bag: 'map(string, dyn)',
    counts: 'map(string, int)?',
  });
});

test('what has no one type is untyped', () => {
  const untyped: readonly JsonValue[] = [
    {},
    true,
    { type: ['string', 'null'] },
    { oneOf: [{ type: 'string' }, { type: 'integer' }] },
    { anyOf: [{ type: 'string' }] },
    { type: 'string', allOf: [{ minLength: 1 }] },
    { enum: ['a', 1] },
    { $ref: 'https://example.com/schema' },
    { $ref: '#/$defs/missing' },
    { $dynamicRef: '#x' },
  ];
  for (const schema of untyped) assert.equal(typeOfSchema(schema).kind, 'dyn', JSON.stringify(schema));
});

test('enumerations and constants have the type of their values', () => {
  assert.equal(typeOfSchema({ enum: ['usd', 'eur'] }).kind, 'string');
  assert.equal(typeOfSchema({ enum: [1, 2] }).kind, 'int');
  assert.equal(typeOfSchema({ enum: [1, 2.5] }).kind, 'double');
  assert.equal(typeOfSchema({ const: true }).kind, 'bool');
  assert.equal(typeOfSchema({ type: ['string'] }).kind, 'string');
});

test('local references are followed, and names in them decoded', () => {
  const schema = {
    $defs: { 'a/b c': { type: 'integer' } },
    definitions: { old: { type: 'string' } },
    type: 'object',
    properties: { x: { $ref: '#/$defs/a~1b%20c' }, y: { $ref: '#/definitions/old' } },
  };
  assert.deepEqual(fieldsOf(typeOfSchema(schema)), { x: 'int?', y: 'string?' });
});

test('recursive and exploding schemas end', () => {
  assert.equal(typeOfSchema({ $ref: '#' }).kind, 'dyn');
  const tree = {
    type: 'object',
    properties: { left: { $ref: '#' }, right: { $ref: '#' }, value: { type: 'integer' } },
  };
  assert.equal(typeOfSchema(tree).kind, 'object');
});

test('names of the prototype are ordinary properties', () => {
  const properties = Object.fromEntries([
    ['__proto__', { type: 'integer' }],
    ['constructor', { type: 'string' }],
  ]);
  Object.defineProperty(properties, '__proto__', { value: { type: 'integer' }, enumerable: true });
  const type = typeOfSchema({ type: 'object', properties });
  assert.ok(type.kind === 'object');
  assert.deepEqual([...type.fields.keys()].toSorted(), ['__proto__', 'constructor']);
  assert.equal(typeOfSchema(JSON.parse('{"__proto__": {"type": "string"}}') as JsonValue).kind, 'dyn');
});
