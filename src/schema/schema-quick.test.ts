import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { JsonObject, JsonValue } from '../value/json.ts';
import { checkArguments } from './schema.ts';
import { quickForm } from './schema-quick.ts';

const small = fc.integer({ min: -2, max: 4 });
const text = fc.constantFrom('', 'a', 'ab', '😀', '😀😀', '2020-01-01', 'a@b.c', 'x'.repeat(5_000));
const scalar: fc.Arbitrary<JsonValue> = fc.oneof(
  small,
  fc.constantFrom(0.5, -0, 1e300),
  text,
  fc.constantFrom(true, null),
);

const SCHEMA: fc.Arbitrary<JsonObject> = fc.letrec<{ schema: JsonObject }>((tie) => ({
  schema: fc
    .record(
      {
        type: fc.oneof<fc.Arbitrary<JsonValue>[]>(
          fc.constantFrom('string', 'integer', 'number', 'object', 'array'),
          fc.constantFrom('string', 'integer', 'object', 'boolean', 'null', ['string', 'null'], ['integer', 'object']),
        ),
        enum: fc.array(scalar, { minLength: 1, maxLength: 4 }),
        const: scalar,
        minimum: small,
        maximum: small,
        exclusiveMinimum: small,
        minLength: fc.nat(3),
        maxLength: fc.nat(3),
        pattern: fc.constantFrom('^a', '[0-9]+', '.'),
        format: fc.constantFrom('date', 'email', 'colour'),
        description: fc.constant('about it'),
        items: fc.oneof<fc.Arbitrary<JsonValue>[]>(tie('schema'), fc.boolean()),
        minItems: fc.nat(2),
        maxItems: fc.nat(2),
        properties: fc.dictionary(fc.constantFrom('a', 'b', 'toString', '__proto__'), tie('schema'), { maxKeys: 2 }),
        required: fc.subarray(['a', 'b', 'constructor']),
        additionalProperties: fc.boolean(),
      },
      { requiredKeys: [] },
    )
    // All at once fit nothing: a few keywords of each.
    .chain((all) => fc.subarray(Object.entries(all), { maxLength: 3 }).map((some) => Object.fromEntries(some))),
})).schema;

const VALUE: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof<fc.Arbitrary<JsonValue>[]>(
    { maxDepth: 3 },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__'), tie('value'), { maxKeys: 3 }),
  ),
})).value;

function problems(schema: JsonObject, args: JsonValue): readonly unknown[] {
  return checkArguments({ inputSchema: schema }, args);
}

test('judging quickly gives the verdict of the library', () => {
  let fits = 0;
  let quickly = 0;
  fc.assert(
    fc.property(SCHEMA, VALUE, (inner, value) => {
      const schema = { type: 'object', properties: { it: inner } };
      // The library alone knows `allOf`.
      const library = problems({ ...schema, allOf: [] }, { it: value });
      assert.deepEqual(problems(schema, { it: value }), library);
      if (library.length > 0) return;
      fits += 1;
      if (quickForm(schema)?.({ it: value }) === true) quickly += 1;
    }),
    { numRuns: 3_000 },
  );
  assert.ok(fits > 500 && quickly > 0.8 * fits, `${quickly} of ${fits} were judged quickly`);
});

test('what the common keywords do not say is left to the library', () => {
  for (const inner of [{ $ref: '#' }, { anyOf: [{}] }, { multipleOf: 2 }, { minProperties: 1 }, { enum: [[1]] }]) {
    assert.equal(quickForm({ type: 'object', properties: { it: inner } }), undefined);
  }
});

test('a large value is left to the library, which counts what it costs', () => {
  const quick = quickForm({ type: 'object', properties: { it: { type: 'array', items: { type: 'integer' } } } });
  assert.equal(quick?.({ it: [1, 2, 3] }), true);
  assert.equal(quick?.({ it: Array.from({ length: 2_000 }, () => 1) }), false);
});
