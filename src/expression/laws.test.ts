import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import type { JsonValue } from '../value/json.ts';
import type { Evaluation, Expression } from './compile.ts';
import { assemble, compile, parseSource } from './compile.ts';
import { emitter } from './emit.ts';
import { openEnvironment } from './environment.ts';
import { readTree } from './read.ts';
import { typeOfSchema } from './schema.ts';
import type { Vocabulary } from './type.ts';
import { DYN } from './type.ts';
import { timestampOf, toCel, toJson } from './value.ts';

const ARGS = typeOfSchema({
  type: 'object',
  properties: {
    amount: { type: 'integer' },
    price: { type: 'number' },
    name: { type: 'string' },
    ok: { type: 'boolean' },
    note: { type: 'string' },
    who: { type: 'object', properties: { age: { type: 'integer' } }, required: ['age'] },
    items: { type: 'array', items: { type: 'object', properties: { qty: { type: 'integer' } } } },
    free: {},
  },
  required: ['amount', 'price', 'name', 'ok', 'who', 'items', 'free'],
});
const VOCABULARY: Vocabulary = new Map([
  ['args', ARGS],
  ['now', { kind: 'timestamp' }],
]);

const ATOMS = [
  ['1', '-1', '0', '2u', '1.5', '"s"', '"a😀"', 'b"x"', 'true', 'false', 'null', '[]', '{}', '9223372036854775807'],
  ['args', 'args.amount', 'args.price', 'args.name', 'args.ok', 'args.note', 'args.who', 'args.who.age', 'args.items'],
  ['args.free', 'args["zz"]', 'args.items[0].qty', 'args.?note', 'now', 'x', 'y', 'int', 'duration("1h")'],
  ['timestamp("2020-01-01T00:00:00Z")', 'optional.none()', '[1, "a"]', '{"a": 1}', '{1: 2}', '[[]]'],
].flat();
const BINARY = ['+', '-', '*', '/', '%', '==', '!=', '<', '<=', '>', '>=', 'in', '&&', '||'];
const CALLS = [
  'size',
  'int',
  'uint',
  'double',
  'string',
  'bytes',
  'timestamp',
  'duration',
  'dyn',
  'type',
  'has',
  'math.abs',
  'optional.of',
];
const METHODS = [
  'size()',
  'trim()',
  'reverse()',
  'join()',
  'hasValue()',
  'getHours()',
  'contains("a")',
  'matches("a.c")',
  'split("a")',
  'charAt(1)',
  'orValue(1)',
  'format([1])',
];
const LOOPS = ['all', 'exists', 'exists_one', 'map', 'filter'];

/** Sources that parse and mostly do not type: what a checker must survive. */
const { any: sources, typed: conditions } = fc.letrec<{ any: string; typed: string; number: string; text: string }>(
  (tie) => ({
    any: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      fc.constantFrom(...ATOMS),
      fc.tuple(tie('any'), fc.constantFrom(...BINARY), tie('any')).map(([a, operator, b]) => `(${a} ${operator} ${b})`),
      fc.tuple(fc.constantFrom('!', '-'), tie('any')).map(([operator, a]) => `${operator}${a}`),
      fc.tuple(tie('any'), tie('any'), tie('any')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
      fc.tuple(tie('any'), tie('any')).map(([a, b]) => `[${a}, ${b}]`),
      fc.tuple(tie('any'), tie('any')).map(([a, b]) => `{${a}: ${b}}`),
      fc.tuple(tie('any'), tie('any')).map(([a, b]) => `(${a})[${b}]`),
      fc.tuple(fc.constantFrom(...CALLS), tie('any')).map(([name, a]) => `${name}(${a})`),
      fc.tuple(tie('any'), fc.constantFrom(...METHODS)).map(([a, method]) => `(${a}).${method}`),
      fc.tuple(tie('any'), fc.constantFrom(...LOOPS), tie('any')).map(([a, loop, b]) => `(${a}).${loop}(x, ${b})`),
      fc.tuple(tie('any'), tie('any')).map(([a, b]) => `(${a}).transformMap(x, y, ${b})`),
      fc.tuple(tie('any'), tie('any')).map(([a, b]) => `cel.bind(x, ${a}, ${b})`),
      fc.tuple(tie('any'), fc.constantFrom('a', 'qty', 'age', 'constructor')).map(([a, name]) => `(${a}).${name}`),
    ),
    /** Sources that type, and are bool: what policies hold. */
    typed: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      fc.constantFrom(
        'args.ok',
        'has(args.note)',
        'args.free == 1',
        'args.free.deep',
        'dyn(args).amount == 1',
        'true',
        'now > now',
      ),
      fc.tuple(tie('number'), fc.constantFrom('<', '<=', '>', '>='), tie('number')).map((parts) => parts.join(' ')),
      fc
        .tuple(
          fc.constantFrom('args.amount', 'args.who.age'),
          fc.constantFrom('==', '!='),
          fc.constantFrom('1', '-5', 'args.amount'),
        )
        .map((parts) => parts.join(' ')),
      fc.tuple(tie('text'), fc.constantFrom('==', '!=', '<', '>='), tie('text')).map((parts) => parts.join(' ')),
      fc.constantFrom(
        'args.name in ["a", "b"]',
        'args.amount in [1, 2, 3]',
        'args.price in [1.0, 2.5]',
        '1 in [args.amount]',
        'args.note in ["a"]',
      ),
      tie('text').map((text) => `${text}.matches("^a+$")`),
      tie('typed').map((a) => `!(${a})`),
      fc.tuple(tie('typed'), tie('typed')).map(([a, b]) => `${a} && ${b}`),
      fc.tuple(tie('typed'), tie('typed')).map(([a, b]) => `(${a} || ${b})`),
      fc.tuple(tie('typed'), tie('typed'), tie('typed')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
      fc
        .tuple(fc.constantFrom('all', 'exists', 'exists_one'), tie('typed'))
        .map(([loop, a]) => `args.items.${loop}(i, i.qty > 1 && ${a})`),
    ),
    number: fc.oneof(
      { maxDepth: 2, depthSize: 'small' },
      fc.constantFrom(
        '1',
        '-7',
        '2.5',
        'args.amount',
        'args.price',
        'args.who.age',
        'args.items.size()',
        'args.name.size()',
        'int(args.name)',
      ),
      fc
        .tuple(
          fc.constantFrom('args.amount', 'args.who.age', '3'),
          fc.constantFrom('+', '-', '*', '/', '%'),
          fc.constantFrom('args.amount', '0', '5'),
        )
        .map((parts) => `(${parts.join(' ')})`),
    ),
    text: fc.constantFrom(
      '"a"',
      '""',
      'args.name',
      'args.note',
      '(args.name + "a")',
      'string(args.amount)',
      'args.name.charAt(0)',
    ),
  }),
);

const scalar = fc.oneof(fc.integer({ min: -3, max: 5 }), fc.constantFrom(1.5, 'a', 'b', '', '5', true, false, null));

/** Arguments that mostly fit their types, and sometimes do not or are not there. */
const args = fc.record(
  {
    amount: fc.oneof({ weight: 5, arbitrary: fc.integer({ min: -5, max: 5 }) }, { weight: 1, arbitrary: scalar }),
    price: fc.oneof({ weight: 5, arbitrary: fc.constantFrom(1, 2.5, -1) }, { weight: 1, arbitrary: scalar }),
    name: fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom('a', 'b', '', 'aa', '5') },
      { weight: 1, arbitrary: scalar },
    ),
    ok: fc.oneof({ weight: 5, arbitrary: fc.boolean() }, { weight: 1, arbitrary: scalar }),
    note: fc.constantFrom('a', 'zz'),
    who: fc.oneof(fc.record({ age: fc.integer({ min: 0, max: 5 }) }), scalar),
    items: fc.oneof(
      fc.array(fc.record({ qty: fc.integer({ min: 0, max: 3 }) }, { requiredKeys: [] }), { maxLength: 3 }),
      scalar,
    ),
    free: fc.oneof(scalar, fc.record({ deep: scalar, a: scalar }, { requiredKeys: [] })),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<Record<string, JsonValue>>;

function bindings(value: JsonValue): Parameters<Expression['evaluate']>[0] {
  return { args: toCel(value, ARGS), now: timestampOf(1_000_000_000_000) };
}

/** What two ways of evaluating must agree on. */
function outcome(evaluated: Evaluation): JsonValue {
  return evaluated.ok ? { value: toJson(evaluated.value) } : 'error';
}

function compiled(source: string): Expression {
  const result = compile(source, VOCABULARY);
  assert.ok(result.ok, result.ok ? '' : `${source}: ${result.issues[0]?.message ?? ''}`);
  return result.expression;
}

test('compiling answers with an expression or with located issues, for any source', () => {
  const messy = fc.array(
    fc.constantFrom(...ATOMS, ...BINARY, '(', ')', '[', ']', '{', '}', '.', ',', '?', ':', '"', '//', '\n', ' '),
    { maxLength: 12 },
  );
  const any = fc.oneof(
    sources,
    messy.map((parts) => parts.join('')),
    fc.string(),
  );
  fc.assert(
    fc.property(any, (source) => {
      const result = compile(source, VOCABULARY, { expect: 'any' });
      for (const issue of result.ok ? result.warnings : result.issues) {
        assert.ok(issue.offset >= 0 && issue.offset <= source.length);
        assert.doesNotMatch(issue.message, /\n/);
      }
    }),
    { numRuns: 3000 },
  );
});

test('evaluation ends and never throws, whatever the source, the arguments and the fuel', () => {
  fc.assert(
    fc.property(sources, args, fc.nat(2000), (source, value, fuel) => {
      const result = compile(source, VOCABULARY, { expect: 'any' });
      if (!result.ok) return;
      const evaluated = result.expression.evaluate(bindings(value), fuel);
      if (evaluated.ok) toJson(evaluated.value);
      else assert.ok(evaluated.error.offset >= 0 && evaluated.error.offset <= source.length);
    }),
    { numRuns: 6000 },
  );
});

test('what is specialised by types answers as the untyped evaluator does', () => {
  fc.assert(
    fc.property(conditions, args, (source, value) => {
      const environment = openEnvironment(VOCABULARY);
      const tree = readTree(parseSource(source, environment).ast, environment);
      const untyped = assemble({ source, tree, type: DYN, emission: emitter(() => DYN), expect: 'bool' });
      const given = bindings(value);
      assert.deepEqual(outcome(compiled(source).evaluate(given)), outcome(untyped.evaluate(given)), source);
    }),
    { numRuns: 3000 },
  );
});

test('the whole is the conjunction of its clauses', () => {
  fc.assert(
    fc.property(fc.array(conditions, { minLength: 1, maxLength: 5 }), args, (terms, value) => {
      const expression = compiled(terms.join(' && '));
      const given = bindings(value);
      const parts = expression.clauses.map((clause) => clause.evaluate(given));
      const refuted = parts.some((part) => part.ok && part.value === false);
      const failed = parts.some((part) => !part.ok);
      const expected = refuted ? { value: false } : failed ? 'error' : { value: true };
      assert.deepEqual(outcome(expression.evaluate(given)), expected);
    }),
    { numRuns: 1500 },
  );
});

test('&& and || do not depend on the order of their operands, and one operand may decide alone', () => {
  fc.assert(
    fc.property(conditions, conditions, args, (a, b, value) => {
      const given = bindings(value);
      const answer = (source: string): JsonValue => outcome(compiled(source).evaluate(given));
      assert.deepEqual(answer(`(${a}) && (${b})`), answer(`(${b}) && (${a})`));
      assert.deepEqual(answer(`(${a}) || (${b})`), answer(`(${b}) || (${a})`));
      assert.deepEqual(answer(`(${a}) && false`), { value: false });
      assert.deepEqual(answer(`(${a}) || true`), { value: true });
      assert.deepEqual(answer(`!((${a}) && (${b}))`), answer(`!(${a}) || !(${b})`));
    }),
    { numRuns: 700 },
  );
});

test('more fuel never changes an answer', () => {
  fc.assert(
    fc.property(conditions, args, fc.nat(60), (source, value, fuel) => {
      const expression = compiled(source);
      const given = bindings(value);
      const little = expression.evaluate(given, fuel);
      if (little.ok || little.error.code !== 'fuel-exhausted') assert.deepEqual(expression.evaluate(given), little);
    }),
    { numRuns: 1500 },
  );
});
