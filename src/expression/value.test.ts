import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import type { JsonValue } from '../value/json.ts';
import { typeOfSchema } from './schema.ts';
import { DYN } from './type.ts';
import type { CelType } from './type.ts';
import {
  convert,
  Duration,
  JsonMap,
  MapValue,
  Optional,
  ownMember,
  Timestamp,
  timestampOf,
  toCel,
  toJson,
  typeName,
} from './value.ts';
import type { CelValue, MapKey } from './value.ts';
import { TypeValue, Uint } from './value.ts';

test('JSON goes in and comes out unchanged', () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      assert.deepEqual(toJson(toCel(value as JsonValue, DYN)), value);
    }),
  );
});

test('integers keep their value through int, and are told as text where a number would not hold them', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      assert.equal(toJson(toCel(value, { kind: 'int' })), value);
    }),
  );
  assert.equal(toJson(2n ** 63n - 1n), '9223372036854775807');
  assert.equal(toJson(new Uint(2n ** 64n - 1n)), '18446744073709551615');
});

test('a number is int where its type says so and double elsewhere', () => {
  assert.equal(toCel(5, { kind: 'int' }), 5n);
  assert.equal(toCel(5, { kind: 'double' }), 5);
  assert.equal(toCel(5, DYN), 5);
  assert.ok(toCel(5, { kind: 'uint' }) instanceof Uint);
});

test('a value that is not of its type is read by its own nature', () => {
  assert.equal(toCel('x', { kind: 'int' }), 'x');
  assert.equal(toCel(1.5, { kind: 'int' }), 1.5);
  assert.equal(convert(1.5, { kind: 'int' }), undefined);
});

test('what an expression makes has a JSON form', () => {
  const made = new MapValue(
    new Map<MapKey, readonly [CelValue, CelValue]>([
      ['a', ['a', [1n, 2.5, null, true, new Uint8Array([1])]]],
      [1n, [1n, new Optional(undefined)]],
    ]),
  );
  assert.deepEqual(toJson(made), { a: [1, 2.5, null, true, 'AQ=='], 1: null });
  assert.equal(toJson(timestampOf(0)), '1970-01-01T00:00:00Z');
  assert.equal(toJson(new Duration(1_500_000_000n)), '1.5s');
  assert.equal(toJson(new TypeValue('int')), 'int');
  assert.equal(toJson(Number.NaN), 'NaN');
});

test('every kind of value has its CEL type name', () => {
  const named: readonly (readonly [ReturnType<typeof toCel>, string])[] = [
    [null, 'null_type'],
    [true, 'bool'],
    [1n, 'int'],
    [1, 'double'],
    ['', 'string'],
    [new Uint8Array(), 'bytes'],
    [new Uint(1n), 'uint'],
    [new Timestamp(0n), 'google.protobuf.Timestamp'],
    [new Duration(0n), 'google.protobuf.Duration'],
    [new TypeValue('int'), 'type'],
    [new Optional(null), 'optional_type'],
    [[], 'list'],
    [toCel([], DYN), 'list'],
    [toCel({}, DYN), 'map'],
    [new MapValue(new Map()), 'map'],
  ];
  for (const [value, name] of named) assert.equal(typeName(value), name);
});

test('own members are told from inherited ones, whatever they are called', () => {
  const hostile = JSON.parse('{"__proto__": 1, "constructor": 2, "toString": null}') as Record<string, JsonValue>;
  assert.equal(ownMember(hostile, '__proto__'), 1);
  assert.equal(ownMember(hostile, 'constructor'), 2);
  assert.equal(ownMember(hostile, 'toString'), null);
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'absent']) {
    assert.equal(ownMember({}, name), undefined, name);
    assert.equal(ownMember(Object.create(null) as Record<string, JsonValue>, name), undefined, name);
  }
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.integer()), fc.string(), (record, name) => {
      assert.equal(ownMember(record, name), Object.hasOwn(record, name) ? record[name] : undefined);
    }),
  );
});

test('a member read by place is the one read by name', () => {
  const type: CelType = typeOfSchema({ type: 'object', properties: { a: {}, b: {}, c: {} } });
  assert.ok(type.kind === 'object');
  const view = new JsonMap({ b: 2, a: null }, type);
  for (let times = 0; times < 2; times += 1) {
    assert.equal(view.known(type, 0, 'a'), null);
    assert.equal(view.known(type, 1, 'b'), 2);
    assert.equal(view.known(type, 2, 'c'), undefined);
  }
  assert.equal(view.known({ kind: 'object', fields: new Map() }, 0, 'b'), 2, 'another type has other places');
});
