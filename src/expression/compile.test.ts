import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { ExpressionIssue } from './compile.ts';
import { compile } from './compile.ts';
import { SOURCE_LENGTH_MAX } from './limits.ts';
import { typeOfSchema } from './schema.ts';
import type { Vocabulary } from './type.ts';
import { typeText } from './type.ts';

const ARGS = typeOfSchema({
  type: 'object',
  properties: {
    amount: { type: 'integer' },
    price: { type: 'number' },
    currency: { type: 'string' },
    note: { type: 'string' },
    customer: { type: 'object', properties: { age: { type: 'integer' }, name: { type: 'string' } }, required: ['age'] },
    items: { type: 'array', items: { type: 'object', properties: { sku: { type: 'string' } }, required: ['sku'] } },
    tags: { type: 'array', items: { type: 'string' } },
    free: { type: 'object' },
  },
  required: ['amount', 'price', 'currency', 'customer', 'items', 'tags', 'free'],
});
const VOCABULARY: Vocabulary = new Map([
  ['args', ARGS],
  ['now', { kind: 'timestamp' }],
]);

/** The one issue that refuses `source`. */
function refusal(source: string): ExpressionIssue {
  const compiled = compile(source, VOCABULARY);
  assert.ok(!compiled.ok, `expected \`${source}\` to be refused`);
  const [issue] = compiled.issues;
  assert.ok(issue !== undefined && compiled.issues.length === 1);
  assert.doesNotMatch(issue.message, /\n|undefined|Object\.|google\.protobuf/);
  assert.equal(issue.severity, 'error');
  return issue;
}

function accept(source: string, expect: 'bool' | 'any' = 'bool'): string {
  const compiled = compile(source, VOCABULARY, { expect });
  assert.ok(compiled.ok, compiled.ok ? '' : `${source}: ${compiled.issues[0]?.message ?? ''}`);
  return typeText(compiled.expression.type);
}

test('a misspelt member is refused where it stands, with the name that was meant', () => {
  assert.deepEqual(refusal('args.amout > 1'), {
    code: 'unknown-member',
    severity: 'error',
    offset: 5,
    message: '`args` has no member `amout`',
    hint: 'did you mean `amount`?',
  });
  assert.deepEqual(refusal('args.customer.nmae == "x"').hint, 'did you mean `name`?');
  assert.deepEqual(refusal('args.items.all(i, i.skU == "x")').hint, 'did you mean `sku`?');
  assert.equal(refusal('has(args.notes)').hint, 'did you mean `note`?');
  assert.equal(refusal('args.items[0].zzz == 1').code, 'unknown-member');
  assert.equal(refusal('cel.bind(c, args.customer, c.agee > 1)').hint, 'did you mean `age`?');
});

test('brackets read a known object untyped, and free-form members are untyped', () => {
  assert.equal(accept('args["anything"] == 1'), 'bool');
  assert.equal(accept('args["anything"].deeper.still', 'any'), 'dyn');
  assert.equal(accept('args.free.whatever.it == "is"'), 'bool');
});

test('a known object used as a whole is a map', () => {
  for (const source of [
    '"note" in args',
    'args == args',
    'args.customer == {"age": 1}',
    'args.size() > 1',
    'args.all(k, k != "x")',
  ]) {
    assert.equal(accept(source), 'bool', source);
  }
});

test('unknown names and functions are refused with what was meant', () => {
  assert.deepEqual(refusal('arg.amount > 1').hint, 'did you mean `args`?');
  assert.deepEqual(refusal('zebra > 1').hint, 'known names: args, now');
  assert.deepEqual(refusal('args.currency.startWith("u")').hint, 'did you mean `startsWith`?');
  assert.match(refusal('args.currency.startsWith("u", 1)').message, /takes a receiver and 1 arguments/);
  assert.equal(refusal('math > 1').hint, '`math` holds functions: call one of them');
  assert.equal(refusal('b"x".json() == {}').code, 'unknown-function', 'extras of the library are not offered');
});

test('int and double mix in order, not in equality or arithmetic, and the hint says how to write it', () => {
  assert.equal(accept('args.amount < 1.5 && args.price >= 2'), 'bool');
  assert.equal(refusal('args.price == 2').hint, 'write `2.0`');
  assert.equal(refusal('args.price + 1 > 2.0').hint, 'write `1.0`');
  assert.equal(refusal('args.amount == 2.0').hint, 'write `2`');
  assert.equal(refusal('args.amount == 2u').hint, 'write `2`');
  assert.equal(refusal('args.amount == args.price').hint, 'write `double(args.amount)`');
  assert.equal(refusal('args.amount == 2.5').hint, 'write `double(args.amount)`');
});

test('text and numbers are not compared', () => {
  for (const source of ['args.amount == "5"', 'args.currency < 5', 'args.currency + 1 == "a"', '5 == args.currency']) {
    const issue = refusal(source);
    assert.equal(issue.code, 'type-mismatch', source);
    assert.match(issue.hint ?? '', /text and numbers never mix/);
  }
});

test('a condition is a bool, or untyped until it is there', () => {
  assert.equal(refusal('args.amount').code, 'not-boolean');
  assert.equal(accept('args.free.flag'), 'dyn');
  assert.equal(accept('args.amount', 'any'), 'int');
});

test('types are found through lists, maps and macros', () => {
  assert.equal(accept('args.items.map(i, i.sku)', 'any'), 'list(string)');
  assert.equal(accept('args.items.filter(i, i.sku == "a")[0].sku', 'any'), 'string');
  assert.equal(accept('args.tags.transformMap(i, t, t)', 'any'), 'map(int, string)');
  assert.equal(accept('cel.bind(x, args.amount, [x])', 'any'), 'list(int)');
  assert.equal(accept('now - duration("1h")', 'any'), 'timestamp');
  assert.equal(accept('duration("1h") + now', 'any'), 'timestamp');
  assert.equal(accept('args.?note.orValue("none")', 'any'), 'string');
});

test('what comes out of an empty literal is untyped', () => {
  for (const source of [
    '[][0] > 1',
    '{}.a + 1 == 2',
    '[].exists(x, x > 1)',
    '{}.?a.b.hasValue()',
    '(true ? [] : [])[0] < 2',
  ]) {
    assert.equal(accept(source), 'bool', source);
  }
});

test('a pattern that is not RE2 is refused at load', () => {
  const issue = refusal('args.currency.matches("^u(?=s)")');
  assert.deepEqual([issue.code, issue.offset], ['invalid-pattern', 22]);
  assert.equal(issue.hint, 'patterns are RE2: no look-around, no back-references');
  assert.equal(refusal('matches(args.currency, "(")').code, 'invalid-pattern');
});

test('syntax errors say what was expected and what came', () => {
  const said = (source: string): string => refusal(source).message;
  assert.equal(said('args.amount >'), 'expected an operand, got the end');
  assert.equal(said('(args.amount > 1'), 'expected `)`, got the end');
  assert.equal(said('"abc'), 'the string does not end');
  assert.equal(said('if > 1'), '`if` is a reserved word');
  assert.equal(refusal('args.amount = 1').hint, 'equality is `==`');
  assert.equal(refusal('true and false').hint, 'the operators are `&&`, `||` and `!`');
  assert.equal(refusal('true & false').hint, 'the operator is `&&`');
  assert.equal(refusal('').message, 'expected an operand, got the end');
  assert.equal(refusal('has(args["x"])').code, 'expression-syntax');
  assert.equal(refusal('args.tags.all(t.x, true)').code, 'expression-syntax');
  assert.equal(refusal('args.tags.all(t, t, true)').message, '`all` takes two different names');
});

test('integers that do not fit are refused, the least one is not', () => {
  assert.match(refusal('9223372036854775808 > 0').message, /does not fit int/);
  assert.match(refusal('-9223372036854775809 < 0').message, /does not fit int/);
  assert.equal(accept('-9223372036854775808 < 0'), 'bool');
});

test('nesting and length are bounded, each with its own code', () => {
  assert.equal(refusal(`${'('.repeat(1000)}true${')'.repeat(1000)}`).code, 'expression-too-deep');
  assert.equal(refusal(`${'!'.repeat(100_000)}true`).code, 'expression-too-deep');
  assert.equal(refusal(`${'['.repeat(180)}1${']'.repeat(180)} == []`).code, 'expression-too-deep');
  assert.equal(refusal(`args.free${'.a'.repeat(180)}`).code, 'expression-too-deep');
  assert.equal(refusal(`${'true ? true : '.repeat(500)}true`).code, 'expression-too-deep');
  assert.equal(refusal(`args.amount in [${'1,'.repeat(30_000)}1]`).code, 'expression-too-long');
  assert.equal(refusal(`true // ${'x'.repeat(SOURCE_LENGTH_MAX)}`).code, 'expression-too-long');
});

test('clauses are the operands of the top-level && chain, with their text and place', () => {
  const compiled = compile('args.amount > 1 &&\n  (args.price > 2.0 || false) && has(args.note)', VOCABULARY);
  assert.ok(compiled.ok);
  const { clauses } = compiled.expression;
  assert.deepEqual(
    clauses.map(({ text, offset }) => [text, offset]),
    [
      ['args.amount > 1', 0],
      ['(args.price > 2.0 || false)', 21],
      ['has(args.note)', 52],
    ],
  );
  const bracketed = compile('(args.amount > 1 && true) && args.price > 2.0', VOCABULARY);
  assert.ok(bracketed.ok);
  assert.deepEqual(
    bracketed.expression.clauses.map(({ text }) => text),
    ['(args.amount > 1 && true)', 'args.price > 2.0'],
  );
});

test('names of the prototype are no members, unless the schema lists them', () => {
  for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    assert.equal(refusal(`args.${name} == 1`).code, 'unknown-member', name);
  }
  const listed = JSON.parse('{"__proto__": {"type": "integer"}, "constructor": {"type": "string"}}') as Record<
    string,
    never
  >;
  const args = typeOfSchema({ type: 'object', properties: listed });
  const vocabulary: Vocabulary = new Map([['args', args]]);
  assert.equal(compile('args.__proto__ == 1 && args.constructor == "x"', vocabulary).ok, true);
  assert.equal(compile('args.__proto__ == "1"', vocabulary).ok, false);
});
