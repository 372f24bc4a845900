import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Bound, compile } from '../../expression/compile.ts';
import { typeOfSchema } from '../../expression/schema.ts';
import { toCel } from '../../expression/value.ts';
import type { JsonObject, JsonValue } from '../../value/json.ts';
import { holds } from '../condition/holds.ts';
import type { TypedRule } from '../policy.ts';
import { indexRules } from './rule-index.ts';
import { WITHOUT_ARGS, withNames } from '../condition/vocabulary.ts';

const ARGS = typeOfSchema({
  type: 'object',
  required: ['n'],
  properties: {
    n: { type: 'integer' },
    d: { type: 'number' },
    s: { type: 'string' },
    b: { type: 'boolean' },
    o: { type: 'object', properties: { n: { type: 'integer' } } },
    any: {},
  },
});
const VOCABULARY = withNames(WITHOUT_ARGS, { args: ARGS });

const OPERATORS = ['==', '!=', '<', '<=', '>', '>='] as const;
const int = fc.integer({ min: -3, max: 3 });
const text = fc.constantFrom('', 'a', 'ab', 'b', '😀', 'a😀', '__proto__');
const operator = fc.constantFrom(...OPERATORS);

/** Clauses of every kind that the index reads, and of kinds that it must leave alone. */
const CLAUSE: fc.Arbitrary<string> = fc.oneof(
  fc.tuple(operator, int).map(([op, n]) => `args.n ${op} ${n}`),
  fc.tuple(operator, int).map(([op, n]) => `${n} ${op} args.n`),
  fc.tuple(operator, int).map(([op, n]) => `!(args.n ${op} ${n})`),
  fc.tuple(operator, fc.constantFrom('0.0', '-0.0', '0.5', '2.0', '1e300')).map(([op, d]) => `args.d ${op} ${d}`),
  fc.tuple(fc.constantFrom('<', '<=', '>', '>='), int).map(([op, n]) => `args.d ${op} ${n}`),
  fc.tuple(operator, text).map(([op, s]) => `args.s ${op} ${JSON.stringify(s)}`),
  fc.array(text, { maxLength: 3 }).map((list) => `args.s in ${JSON.stringify(list)}`),
  fc.array(int, { maxLength: 3 }).map((list) => `!(args.n in ${JSON.stringify(list)})`),
  fc
    .tuple(fc.constantFrom('startsWith', 'endsWith', 'contains'), text)
    .map(([name, s]) => `args.s.${name}(${JSON.stringify(s)})`),
  fc.constantFrom('args.b', '!args.b', 'args.b == true', 'args.b != true', 'false == args.b'),
  fc.constantFrom('has(args.s)', '!has(args.s)', 'has(args.d)', 'has(args.any)', 'has(args.o)', '!has(args.n)'),
  fc.constantFrom('args.o.n < 1', 'args.any == 1.0', 'args.any.x', 'args.n / 0 == 1', '1 / args.n == 1', 'true'),
  fc.constantFrom('args.n == 1 || args.s == "a"', '(args.n > 0 && args.b)', 'args.s.matches("a+")', 'args.n == 3 * 1'),
);

const RULE: fc.Arbitrary<TypedRule> = fc.array(CLAUSE, { maxLength: 4 }).map((clauses): TypedRule => {
  const place = { line: 1, column: 1 };
  const rule = { id: 'r', place, effect: 'allow', pattern: { text: '*', runs: ['', ''], place } } as const;
  if (clauses.length === 0) return { rule, order: 0 };
  const result = compile(clauses.join(' && '), VOCABULARY);
  if (!result.ok) throw new Error(`${clauses.join(' && ')}: ${JSON.stringify(result.issues)}`);
  return { rule, order: 0, condition: result.expression };
});

/** Values of their types, and values that no schema check has seen. */
const VALUES: fc.Arbitrary<JsonObject> = fc.record(
  {
    n: fc.oneof<fc.Arbitrary<JsonValue>[]>(int, int, fc.constantFrom(0.5, 'a', null, 2 ** 53)),
    d: fc.oneof<fc.Arbitrary<JsonValue>[]>(int, fc.constantFrom(0.5, -0, 1e300, -1e300, true)),
    s: fc.oneof<fc.Arbitrary<JsonValue>[]>(text, text, fc.constantFrom(1, null, 'a'.repeat(5_000), ['a'])),
    b: fc.constantFrom<JsonValue>(true, false, null),
    o: fc.constantFrom<JsonValue>({ n: 0 }, { n: 1 }, {}, null),
    any: fc.constantFrom<JsonValue>(1, null, { x: true }),
  },
  { requiredKeys: [] },
);

test('the index finds of every rule what evaluating it finds', () => {
  const tally = { yes: 0, no: 0, error: 0 };
  const rules = fc.array(RULE, { maxLength: 40, size: 'max' });
  fc.assert(
    fc.property(rules, fc.array(VALUES, { minLength: 4, maxLength: 4 }), (typed, all) => {
      const index = indexRules(typed, ARGS);
      for (const args of all) {
        const bound = new Bound({ args: toCel(args, ARGS) });
        const slow = typed.map((rule) => [rule, holds(rule, bound)] as const);
        for (const [, how] of slow) tally[how] += 1;
        assert.deepEqual(
          index.find(args, () => bound).map(([rule, how]) => [typed.indexOf(rule), how]),
          slow.filter(([, how]) => how !== 'no').map(([rule, how]) => [typed.indexOf(rule), how]),
        );
      }
    }),
    { numRuns: 200 },
  );
  for (const count of Object.values(tally)) assert.ok(count > 500, `each answer was tried: ${JSON.stringify(tally)}`);
});

test('what the comparisons settle is not evaluated', () => {
  const conditions = Array.from({ length: 70 }, (_, i) => `args.n == ${i} && args.s == "a"`);
  const typed = conditions.map((source): TypedRule => {
    const place = { line: 1, column: 1 };
    const rule = { id: source, place, effect: 'deny', pattern: { text: '*', runs: ['', ''], place } } as const;
    const result = compile(source, VOCABULARY);
    assert.ok(result.ok);
    return { rule, order: 0, condition: result.expression };
  });
  const index = indexRules(typed, ARGS);
  const never = (): Bound => assert.fail('nothing is in doubt');
  assert.deepEqual(
    index.find({ n: 69, s: 'a' }, never).map(([{ rule }]) => rule.id),
    ['args.n == 69 && args.s == "a"'],
  );
  assert.deepEqual(index.find({ n: 70, s: 'a' }, never), []);
});
