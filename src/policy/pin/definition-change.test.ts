import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { JsonObject, JsonValue } from '../../value/json.ts';
import { changesOf, valueChanges } from './definition-change.ts';
import { checkArguments } from '../../schema/schema.ts';
import { compareSchemas } from './schema-change.ts';
import { defineTool } from '../tool/tool.ts';
import type { ToolDefinition } from '../tool/tool.ts';

function toolOf(raw: JsonObject): ToolDefinition {
  const defined = defineTool('bank', { name: 'pay', inputSchema: { type: 'object' }, ...raw });
  assert.ok(defined.ok);
  return defined.tool;
}

test('a change is told by its kind, part by part', () => {
  const input = (properties: JsonObject, more: JsonObject = {}): JsonObject => ({
    inputSchema: { type: 'object', properties, ...more },
  });
  const n: JsonObject = { type: 'integer', maximum: 10 };
  const closed: JsonObject = { additionalProperties: false };
  const cases: readonly (readonly [JsonObject, JsonObject, readonly string[]])[] = [
    [{}, {}, []],
    [{}, { _meta: { a: 1 } }, []],
    [{ description: 'a' }, { description: 'b' }, ['its description changed']],
    [{}, { title: 'b', description: 'x' }, ['its title was added', 'its description was added']],
    [{ description: 'a' }, {}, ['its description was removed']],
    [{}, { annotations: { readOnlyHint: true } }, ['its annotations changed']],
    [{}, { outputSchema: { type: 'object' } }, ['its output schema was narrowed']],
    [input({ n }), input({ n: { ...n, maximum: 20 } }), ['its input schema was widened']],
    [input({ n }), input({ n: { ...n, maximum: 5 } }), ['its input schema was narrowed']],
    [input({ n }), input({ n: { ...n, description: 'x' } }), ['its input schema was reworded']],
    [input({ n }, closed), input({ n, m: n }, closed), ['its input schema was widened']],
    [input({ n }), input({ n, m: n }), ['its input schema was narrowed']],
    [input({ n }), input({ n }, { required: ['n'] }), ['its input schema was narrowed']],
    [input({ n }, { required: ['n'] }), input({ n }), ['its input schema was widened']],
    [input({ n }), input({ n: { enum: [1] } }), ['its input schema changed']],
    [input({ n: { enum: [1] } }), input({ n: { enum: [1, 2] } }), ['its input schema was widened']],
    [input({ n }), input({ n: { type: 'string' } }), ['its input schema changed']],
  ];
  for (const [before, after, expected] of cases) {
    assert.deepEqual(changesOf(toolOf(before), toolOf(after)), expected, JSON.stringify([before, after]));
  }
});

test('every value that changed is named by its place', () => {
  const before = toolOf({ description: 'a', annotations: { 'a/b': 1, kept: [1] } });
  const after = toolOf({ title: 't', description: 'b', annotations: { 'a/b': 2, kept: [1], new: null } });
  assert.deepEqual(valueChanges(before, after), [
    { path: '/description', before: 'a', after: 'b' },
    { path: '/annotations/a~1b', before: 1, after: 2 },
    { path: '/annotations/new', after: null },
    { path: '/title', after: 't' },
  ]);
});

const LEAF: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.boolean(),
  fc.record({ minimum: fc.integer({ min: 0, max: 4 }), maximum: fc.integer({ min: 0, max: 4 }) }, { requiredKeys: [] }),
  fc.record({ enum: fc.uniqueArray(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 3 }) }),
  fc.record({ type: fc.constantFrom('integer', 'string', ['integer', 'string']) }),
);
const SCHEMA = fc.record(
  {
    properties: fc.dictionary(fc.constantFrom('a', 'b'), LEAF, { maxKeys: 2 }),
    required: fc.uniqueArray(fc.constantFrom('a', 'b'), { maxLength: 2 }),
    additionalProperties: LEAF,
  },
  { requiredKeys: [] },
);

test('a schema that was widened takes what it took before, and one that was narrowed takes nothing new', () => {
  const value = fc.dictionary(
    fc.constantFrom('a', 'b', 'c'),
    fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constant('x')),
  );
  fc.assert(
    fc.property(SCHEMA, SCHEMA, fc.array(value, { maxLength: 20 }), (one, other, values) => {
      const change = compareSchemas(one, other);
      const takes = (schema: JsonObject, args: JsonObject): boolean =>
        checkArguments(toolOf({ inputSchema: schema }), args).length === 0;
      for (const args of values) {
        const [before, after] = [takes(one, args), takes(other, args)];
        if (change === 'widened' || change === 'same') assert.ok(after || !before);
        if (change === 'narrowed' || change === 'same') assert.ok(before || !after);
      }
    }),
    { numRuns: 2_000 },
  );
});
