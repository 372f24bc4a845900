import assert from 'node:assert/strict';
import { test } from 'node:test';
import { validate } from '@cfworker/json-schema';
import * as fc from 'fast-check';
import { isJsonObject, parseJson } from '../value/json.ts';
import type { JsonObject, JsonValue } from '../value/json.ts';
import { checkArguments, schemaFault } from './schema.ts';
import type { SchemaProblem } from './schema.ts';

function check(inputSchema: JsonObject, args: JsonValue): readonly SchemaProblem[] {
  return checkArguments({ inputSchema }, args);
}

function properties(members: JsonObject, args: JsonObject): readonly SchemaProblem[] {
  return check({ type: 'object', properties: members }, args);
}

const nested = (depth: number): JsonValue => {
  let value: JsonValue = [];
  for (let level = 0; level < depth; level += 1) value = [value];
  return value;
};

test('arguments that fit have no problem, and each that does not is named with what was expected', () => {
  const schema = {
    type: 'object',
    required: ['amount'],
    properties: { amount: { type: 'integer', maximum: 100 }, currency: { enum: ['usd', 'eur'] } },
    additionalProperties: false,
  };
  assert.deepEqual(check(schema, { amount: 3, currency: 'usd' }), []);
  assert.deepEqual(check(schema, { amount: '3' }), [{ pointer: '/amount', message: 'must be integer, is string' }]);
  assert.deepEqual(check(schema, { currency: 'usd' }), [{ pointer: '', message: 'lacks `amount`' }]);
  assert.deepEqual(check(schema, { amount: 101, x: 1 }), [
    { pointer: '/amount', message: 'must be at most 100' },
    { pointer: '', message: 'has `x`, which is not among its properties' },
  ]);
  assert.deepEqual(check(schema, { amount: 1, currency: 'gbp' }), [
    { pointer: '/currency', message: 'must be ["usd","eur"]' },
  ]);
});

test('a message never shows a value of the call', () => {
  const members = {
    a: { type: 'integer' },
    b: { maximum: 5 },
    c: { pattern: '^x$' },
    d: { enum: ['x'] },
    e: { format: 'uuid' },
    f: { maxLength: 3 },
    g: { uniqueItems: true },
    h: { const: 1 },
  };
  const secret = 7_775_551;
  const text = 'hunter2';
  const problems = properties(members, {
    a: text,
    b: secret,
    c: text,
    d: text,
    e: text,
    f: text,
    g: [text, text],
    h: text,
  });
  assert.equal(problems.length, 8);
  assert.doesNotMatch(JSON.stringify(problems), /hunter2|7775551/);
});

test('a pointer is RFC 6901, whatever the names are', () => {
  const problems = properties({ 'a b/~é': { properties: { '%41': { type: 'string' } } } }, { 'a b/~é': { '%41': 1 } });
  assert.deepEqual(problems, [{ pointer: '/a b~1~0é/%41', message: 'must be string, is number' }]);
});

test('arguments that are no object are refused even where the schema is silent', () => {
  assert.deepEqual(check({}, []), [{ pointer: '', message: 'must be an object' }]);
  assert.deepEqual(check({}, null), [{ pointer: '', message: 'must be an object' }]);
});

test('the draft is the one `$schema` names: draft 7 ignores what stands beside `$ref`, 2020-12 does not', () => {
  const members = { a: { $ref: '#/definitions/n', maximum: 1 } };
  const schema = { properties: members, definitions: { n: { type: 'number' } } };
  assert.equal(check({ ...schema, $schema: 'http://json-schema.org/draft-07/schema#' }, { a: 5 }).length, 0);
  assert.equal(check(schema, { a: 5 }).length, 1);
});

test('bounds as draft 4 wrote them hold under every draft', () => {
  for (const $schema of [
    'http://json-schema.org/draft-04/schema#',
    'http://json-schema.org/draft-07/schema#',
    undefined,
  ]) {
    const schema: JsonObject = {
      properties: { a: { minimum: 0, exclusiveMinimum: true }, b: { maximum: 9, exclusiveMaximum: false } },
    };
    const named = $schema === undefined ? schema : { ...schema, $schema };
    assert.equal(check(named, { a: 0 }).length, 1);
    assert.deepEqual(check(named, { a: 1, b: 9 }), []);
    assert.equal(check(named, { b: 10 }).length, 1);
  }
});

test('a pattern that backtracks elsewhere is matched in linear time', () => {
  const started = performance.now();
  const text = `${'a'.repeat(50_000)}!`;
  assert.equal(properties({ a: { pattern: '^(a+)+$' } }, { a: text }).length, 1);
  assert.notEqual(check({ propertyNames: { pattern: '^(a|a)*$' } }, { [`${'a'.repeat(60)}!`]: 1 }).length, 0);
  assert.equal(check({ patternProperties: { '^(a+)+$': false } }, { [`${'a'.repeat(60)}!`]: 1 }).length, 0);
  assert.equal(properties({ a: { format: 'url' } }, { a: `http://${'a'.repeat(50_000)}!` }).length, 0);
  assert.ok(performance.now() - started < 2_000);
});

test('a pattern that cannot be matched in linear time makes the schema unusable', () => {
  for (const pattern of [
    '(?=a)a',
    '(?<!a)b',
    String.raw`(a)\1`,
    '(',
    '(a{1000}){1000}',
    'a'.repeat(3_000),
    String.raw`\Aa\z`,
  ]) {
    assert.match(schemaFault({ properties: { a: { pattern } } }) ?? '', /linear time/, pattern);
    assert.match(properties({ a: { pattern } }, {})[0]?.message ?? '', /cannot be judged/);
  }
  assert.match(schemaFault({ patternProperties: { '(?=a)': true } }) ?? '', /linear time/);
});

test('patterns of names apply to exactly the names they match', () => {
  const schema = {
    patternProperties: { '^x-': { type: 'string' }, '[0-9]$': { minimum: 5 }, '(?:)': true },
    properties: { a: true },
  };
  assert.deepEqual(check(schema, { 'x-1': 'text', 'y.$^2': 7 }), []);
  assert.equal(check(schema, { 'x-a': 1 }).length, 1);
  assert.equal(check(schema, { 'y.$^2': 1 }).length, 1);
  const closed = { patternProperties: { '^x-': true }, additionalProperties: false };
  assert.deepEqual(check(closed, { 'x-(a|b)*': 1 }), []);
  assert.equal(check(closed, { 'y-': 1 }).length, 1);
  // The same schema again: what was filled in for one call is gone in the next.
  assert.equal(check(closed, { 'x-a': 1 }).length, 0);
  assert.equal(check(closed, { 'y-a': 1 }).length, 1);
  assert.equal(check(closed, { 'x-b': 1 }).length, 0);
});

test('nothing is fetched: a reference out of the schema makes it unusable', () => {
  for (const $ref of ['https://example.com/schema.json', 'other.json', '#/$defs/none', '#none', '#/x-data/y', '%']) {
    assert.notEqual(schemaFault({ properties: { a: { $ref } } }), undefined, $ref);
    assert.equal(properties({ a: { $ref } }, {}).length, 1);
  }
});

test('references into the schema are followed, through unknown keywords too', () => {
  const schema = {
    $id: 'https://example.com/root',
    properties: {
      a: { $ref: '#/$defs/n' },
      b: { $ref: 'item' },
      c: { $ref: '#/components/schemas/s' },
      d: { $ref: '#anchored' },
    },
    $defs: { n: { type: 'number' }, i: { $id: 'item', type: 'string' }, e: { $anchor: 'anchored', type: 'null' } },
    components: { schemas: { s: { type: 'boolean', pattern: 'x' } } },
  };
  assert.deepEqual(check(schema, { a: 1, b: 'x', c: true, d: null }), []);
  assert.equal(check(schema, { a: 'x', b: 1, c: 'y', d: 0 }).length, 5);
});

test('a malformed schema denies every call instead of letting it pass', () => {
  const malformed: readonly JsonObject[] = [
    { type: 'objekt' },
    { required: 'a' },
    { properties: [] },
    { properties: { a: 1 } },
    { anyOf: {} },
    { enum: 'a' },
    { minProperties: -1 },
    { minProperties: '1' },
    { properties: { a: { pattern: 1 } } },
    { $dynamicRef: '#meta' },
    { allOf: [{ $id: 'x' }, { $id: 'x' }] },
  ];
  for (const schema of malformed) assert.equal(check(schema, {}).length, 1, JSON.stringify(schema));
});

test('a schema made to take forever is stopped, and the call denied', () => {
  const doubling: Record<string, JsonValue> = { d0: { type: 'string' } };
  for (let level = 1; level <= 50; level += 1) {
    doubling[`d${level}`] = { allOf: [{ $ref: `#/$defs/d${level - 1}` }, { $ref: `#/$defs/d${level - 1}` }] };
  }
  const branch = { items: { $ref: '#/$defs/a' } };
  const hostile: readonly (readonly [JsonObject, JsonObject])[] = [
    [{ $defs: doubling, $ref: '#/$defs/d50' }, {}],
    [{ $ref: '#' }, {}],
    [
      {
        properties: { a: { $ref: '#/$defs/a' } },
        $defs: {
          a: {
            anyOf: [
              { ...branch, maxItems: 0 },
              { ...branch, type: 'array' },
            ],
          },
        },
      },
      { a: nested(100) },
    ],
    [{ properties: { a: { uniqueItems: true } } }, { a: Array.from({ length: 50_000 }, (_, index) => ({ index })) }],
    [
      { anyOf: Array.from({ length: 500 }, () => ({ additionalProperties: false })) },
      Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`k${index}`, 1])),
    ],
  ];
  for (const [schema, args] of hostile) {
    const started = performance.now();
    assert.match(check(schema, args)[0]?.message ?? '', /cannot be judged/);
    assert.ok(performance.now() - started < 5_000);
  }
});

test('large honest arguments are judged, referenced schemas too', () => {
  const item = { type: 'object', required: ['x'], properties: { x: { type: 'number' } }, additionalProperties: false };
  const schema = { properties: { a: { type: 'array', items: { $ref: '#/$defs/item' } } }, $defs: { item } };
  const list = (last: JsonValue): JsonObject => ({ a: [...Array.from({ length: 20_000 }, (_, x) => ({ x })), last] });
  assert.deepEqual(check(schema, list({ x: 0 })), []);
  assert.deepEqual(check(schema, list({ x: '0' })), [{ pointer: '/a/20000/x', message: 'must be number, is string' }]);
});

test('names from the prototype of objects are ordinary names', () => {
  const args = parseJson('{"__proto__": 1, "toString": 2}');
  assert.ok(args.ok);
  assert.deepEqual(
    check({ properties: { constructor: { type: 'string' } }, additionalProperties: false }, args.value).map(
      ({ message }) => message,
    ),
    ['has `__proto__`, which is not among its properties', 'has `toString`, which is not among its properties'],
  );
  const schema = parseJson('{"properties": {"__proto__": {"type": "string"}}, "required": ["hasOwnProperty"]}');
  assert.ok(schema.ok && isJsonObject(schema.value));
  assert.deepEqual(check(schema.value, args.value).length, 2);
  assert.deepEqual(properties({ a: { format: 'constructor' }, b: { format: '__proto__' } }, { a: 'x', b: 'y' }), []);
});

test('frozen definitions and arguments are judged, and neither is changed', () => {
  const freeze = <T extends JsonValue>(value: T): T => {
    if (typeof value === 'object' && value !== null) Object.values(value).forEach(freeze);
    return Object.freeze(value);
  };
  const schema: JsonObject = freeze({ properties: { a: { $ref: '#/$defs/a' } }, $defs: { a: { items: { pattern: '^x' } } } });
  const before = JSON.stringify(schema);
  assert.deepEqual(check(schema, freeze({ a: ['x', 'xy'] })), []);
  assert.equal(check(schema, freeze({ a: ['x', 'y'] })).length, 1);
  assert.equal(JSON.stringify(schema), before);
});

test('the safe form judges as the library does', () => {
  const { schema } = fc.letrec<{ schema: JsonValue; node: JsonValue }>((tie) => ({
    schema: fc.oneof({ maxDepth: 3, depthSize: 'medium' }, fc.boolean(), tie('node')),
    node: fc.record(
      {
        type: fc.constantFrom('object', 'array', 'string', 'integer', 'number', 'null'),
        properties: fc.dictionary(fc.constantFrom('a', 'b', 'pattern'), tie('schema'), { maxKeys: 3 }),
        patternProperties: fc.dictionary(fc.constantFrom('^a', 'b$', '.'), tie('schema'), { maxKeys: 2 }),
        additionalProperties: tie('schema'),
        unevaluatedProperties: tie('schema'),
        items: tie('schema'),
        prefixItems: fc.array(tie('schema'), { maxLength: 2 }),
        contains: tie('schema'),
        allOf: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }),
        anyOf: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }),
        oneOf: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }),
        not: tie('schema'),
        if: tie('schema'),
        // Computed, lest a linter take the record for a promise.
        ['then' as const]: tie('schema'),
        else: tie('schema'),
        required: fc.array(fc.constantFrom('a', 'b'), { maxLength: 2 }),
        enum: fc.constantFrom<JsonValue>(['a', 1], [null, { a: 1 }]),
        pattern: fc.constantFrom('^a', 'b$', '[ab]'),
        minimum: fc.constantFrom(0, 2),
        uniqueItems: fc.boolean(),
        maxItems: fc.constantFrom(1, 2),
        description: fc.constant('text'),
      },
      { requiredKeys: [] },
    ),
  }));
  const args = fc.dictionary(
    fc.constantFrom('a', 'b', 'ab', 'pattern'),
    fc.jsonValue({ maxDepth: 2, depthSize: 'small' }) as fc.Arbitrary<JsonValue>,
    { maxKeys: 3 },
  );
  fc.assert(
    fc.property(schema, args, (inner, instance) => {
      const whole = { allOf: [inner] };
      const plain: unknown = JSON.parse(JSON.stringify(whole));
      const expected = validate(instance, plain as Parameters<typeof validate>[1], '2020-12').valid;
      assert.equal(check(whole, instance).length === 0, expected);
    }),
    { numRuns: 400 },
  );
});
