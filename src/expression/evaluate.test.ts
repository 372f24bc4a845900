import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { JsonValue } from '../value/json.ts';
import type { Evaluation } from './compile.ts';
import { Bound, compile } from './compile.ts';
import { typeOfSchema } from './schema.ts';
import type { CelType } from './type.ts';
import { DYN } from './type.ts';
import { timestampOf, toCel, toJson } from './value.ts';

function evaluateTyped(source: string, args: JsonValue, type: CelType, fuel?: number): Evaluation {
  const compiled = compile(source, new Map([['args', type]]), { expect: 'any' });
  assert.ok(compiled.ok, compiled.ok ? '' : `${source}: ${compiled.issues[0]?.message ?? ''}`);
  return compiled.expression.evaluate({ args: toCel(args, type) }, fuel);
}

function evaluate(source: string, args: JsonValue = {}, fuel?: number): Evaluation {
  return evaluateTyped(source, args, DYN, fuel);
}

function value(source: string, args: JsonValue = {}): JsonValue {
  const evaluated = evaluate(source, args);
  assert.ok(evaluated.ok, evaluated.ok ? '' : `${source}: ${evaluated.error.message}`);
  return toJson(evaluated.value);
}

function fault(source: string, args: JsonValue = {}, fuel?: number): string {
  const evaluated = evaluate(source, args, fuel);
  assert.ok(!evaluated.ok, `expected \`${source}\` to be an error`);
  return evaluated.error.code;
}

const LIMITED = typeOfSchema({
  type: 'object',
  properties: {
    amount: { type: 'integer' },
    price: { type: 'number' },
    currency: { type: 'string' },
    flag: { type: 'boolean' },
  },
});

test('a false operand decides && and a true one ||, whatever error stands on the other side', () => {
  assert.equal(value('1/0 == 1 && false'), false);
  assert.equal(value('false && 1/0 == 1'), false);
  assert.equal(value('1/0 == 1 || true'), true);
  assert.equal(value('[1, 0].exists(x, 1/x == 1)'), true);
  assert.equal(value('[0, 2].all(x, 1/x == 1)'), false);
  assert.equal(fault('1/0 == 1 && true'), 'division-by-zero');
  assert.equal(fault('1/0 == 1 || false'), 'division-by-zero');
  assert.equal(fault('[0, 1].all(x, 1/x == 1)'), 'division-by-zero');
  assert.equal(fault('[0, 1].exists_one(x, 1/x == 1)'), 'division-by-zero');
});

test('integers are exact 64-bit and never wrap', () => {
  assert.equal(value('9007199254740993 + 2'), '9007199254740995');
  assert.equal(fault('9223372036854775807 + 1'), 'overflow');
  assert.equal(fault('-9223372036854775808 - 1'), 'overflow');
  assert.equal(fault('-(-9223372036854775808)'), 'overflow');
  assert.equal(fault('18446744073709551615u + 1u'), 'overflow');
  assert.equal(fault('0u - 1u'), 'overflow');
  assert.equal(fault('1 % 0'), 'division-by-zero');
});

test('numbers are ordered and equal by value across their types', () => {
  assert.equal(value('dyn(1) == 1u && dyn(1u) == 1.0 && 1 < 1.5 && dyn(2u) > 1'), true);
  assert.equal(value('dyn(1.5) == 1'), false);
  // An integer beside a double is rounded, in a list of literals too.
  assert.equal(value('dyn(9223372036854775808.0) == 9223372036854775807'), true);
  assert.equal(value('dyn(9223372036854775808.0) in [9223372036854775807]'), true);
  assert.equal(value('{1: "a"}[dyn(1u)] == "a" && dyn(1.0) in {1: 2}'), true);
});

test('text is measured, cut and ordered by code points', () => {
  assert.equal(value('"a😀b".size()'), 3);
  assert.equal(value('"a😀b".charAt(1)'), '😀');
  assert.equal(value('"a😀b".substring(2)'), 'b');
  assert.equal(value('"a😀b".indexOf("b")'), 2);
  assert.equal(value('"😀" > "\\uffee"'), true);
  assert.equal(value('"a😀".reverse()'), '😀a');
  assert.equal(fault('"a😀b".charAt(4)'), 'index-out-of-range');
});

test('what is missing is an error with its name and place, never a value', () => {
  const evaluated = evaluateTyped('args.currency == "usd"', {}, LIMITED);
  assert.deepEqual(evaluated, {
    ok: false,
    error: { code: 'no-such-member', message: '`args.currency` is missing', offset: 5 },
  });
  assert.equal(fault('args.a.b', { a: {} }), 'no-such-member');
  assert.equal(fault('args["a"]'), 'no-such-key');
  assert.equal(fault('args.list[3]', { list: [1] }), 'index-out-of-range');
  assert.equal(fault('args.a.b', { a: 5 }), 'no-such-overload');
  const unbound = compile('args.amount > 1', new Map([['args', LIMITED]]));
  assert.ok(unbound.ok);
  const nothing = unbound.expression.evaluate({});
  assert.equal(nothing.ok ? '' : nothing.error.code, 'unbound-name');
});

test('a value that is not of its declared type is an error, in fast paths and slow', () => {
  const wrong = { amount: 1.5, price: 'x', currency: 5, flag: 'yes' };
  for (const source of [
    'args.amount <= 20000',
    'args.amount + 1 == 2',
    'args.amount in [1, 2]',
    'args.price > 1.0',
    'args.currency == "5"',
    'args.currency != "5"',
    'args.currency in ["5"]',
    'args.currency.startsWith("5")',
    'args.flag',
    'args.flag && true',
    'args.exists(k, args[k] == 7)',
  ]) {
    const evaluated = evaluateTyped(source, wrong, LIMITED);
    assert.ok(!evaluated.ok, source);
    assert.equal(evaluated.error.code, 'type-mismatch', source);
    assert.doesNotMatch(evaluated.error.message, /yes|1\.5/, 'errors tell shapes, not values');
  }
});

test('null is present, and equal to itself only', () => {
  assert.equal(value('has(args.x) && args.x == null', { x: null }), true);
  assert.equal(value('args.x == 0 || args.x == "" || args.x == false', { x: null }), false);
});

test('members named like the prototype are data', () => {
  const args = JSON.parse('{"__proto__": 1, "constructor": 2, "nested": {"__proto__": {"x": 3}}}') as JsonValue;
  assert.equal(value('args.__proto__ == 1 && args.constructor == 2 && args.nested.__proto__.x == 3', args), true);
  assert.equal(
    value('"__proto__" in args && has(args.constructor) && !has(args.toString) && !("valueOf" in args)', args),
    true,
  );
  assert.equal(fault('args.toString', args), 'no-such-member');
  assert.deepEqual(value('{"__proto__": 1, "constructor": 2}.map(k, k)'), ['__proto__', 'constructor']);
  assert.equal(JSON.stringify(value('{"__proto__": 1}')), '{"__proto__":1}');
  const type = typeOfSchema({
    type: 'object',
    properties: JSON.parse('{"__proto__": {"type": "integer"}}') as Record<string, JsonValue>,
  });
  const typed = evaluateTyped('args.__proto__ == 1', args, type);
  assert.ok(typed.ok && typed.value === true);
});

test('a map literal refuses a key twice and keys that are none', () => {
  assert.equal(fault('{"a": 1, "a": 2}'), 'repeated-key');
  assert.equal(fault('{1: 1, dyn(1u): 2}'), 'repeated-key');
  assert.equal(fault('{1.5: 1}'), 'no-such-overload');
});

test('an untyped condition that is not a bool is an error', () => {
  const compiled = compile('args.x', new Map([['args', DYN]]));
  assert.ok(compiled.ok);
  const evaluated = compiled.expression.evaluate({ args: toCel({ x: 1 }, DYN) });
  assert.equal(evaluated.ok ? '' : evaluated.error.code, 'not-boolean');
});

test('a pattern known only now is RE2 as well', () => {
  assert.equal(value('"grey".matches(args.p)', { p: 'gr(a|e)y' }), true);
  assert.equal(fault('"grey".matches(args.p)', { p: '(?=g)' }), 'invalid-pattern');
  assert.equal(fault('"grey".matches(args.p)', { p: 'x{1000}'.repeat(100) }), 'invalid-pattern');
  assert.equal(fault('[1, 2, 3].exists(i, "grey".matches(args.p))', { p: 'x{900}'.repeat(8) }), 'fuel-exhausted');
});

test('spent fuel ends the evaluation, and no operator hides it', () => {
  const forever = '[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]';
  const nested = `${forever}.all(a, `.repeat(9) + 'true' + ')'.repeat(9);
  assert.equal(fault(nested), 'fuel-exhausted');
  assert.equal(fault(`${nested} || true`), 'fuel-exhausted');
  assert.equal(fault(`${nested} && false`), 'fuel-exhausted');
  assert.equal(fault(`[1].exists(x, ${nested} || true)`), 'fuel-exhausted');
  assert.equal(fault(`1/0 == 1 || ${nested} || false`), 'fuel-exhausted', 'not even an earlier error');
  assert.equal(fault(`[0, 1].all(x, 1/x == 1 && ${nested})`), 'fuel-exhausted');
  assert.equal(fault('true && true', {}, 1), 'fuel-exhausted');
});

test('work is paid for by its size: doubling texts, lists and answers run out, not memory', () => {
  const double = (start: string, sum: string): string => {
    let source = 'x40.size() > 0';
    for (let i = 40; i > 0; i -= 1) source = `cel.bind(x${i}, ${sum.replaceAll('_', `x${i - 1}`)}, ${source})`;
    return `cel.bind(x0, ${start}, ${source})`;
  };
  assert.equal(fault(double('"ab"', '_ + _')), 'fuel-exhausted');
  assert.equal(fault(double('[1]', '_ + _')), 'fuel-exhausted');
  assert.equal(fault(double('"ab"', '_.replace("a", "aa").replace("b", "bb")')), 'fuel-exhausted');
  assert.equal(fault(double('["ab"]', '[_.join(), _.join()]')), 'fuel-exhausted');
  assert.equal(
    fault(double('[1]', '[_, _]').replace('x40.size() > 0', 'x40')),
    'fuel-exhausted',
    'shared parts are printed apart',
  );
  assert.equal(fault(double('[1]', '[_, _]').replace('x40.size() > 0', 'x40 == x40')), 'fuel-exhausted');
});

test('searching and matching are paid for by the length of the text', () => {
  const text = { text: 'a'.repeat(20_000), pattern: '^b' };
  const calls = [
    'matches("^b")',
    'matches(args.pattern)',
    'contains("b")',
    'indexOf("b") == 1',
    'lowerAscii() == ""',
    'split("b") == []',
  ];
  for (const call of calls) {
    assert.equal(evaluate(`args.text.${call}`, text).ok, true, call);
    assert.equal(fault(`args.text.${call}`, text, 3000), 'fuel-exhausted', call);
  }
});

test('fuel spent is the same each time', () => {
  const source = 'args.list.map(x, x + 1.0).exists(x, string(x).matches(args.p)) || "abc".contains("c")';
  const args = { list: [1, 2, 3], p: '^4' };
  const least = (): number => {
    let low = 0;
    let high = 10_000;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (evaluate(source, args, middle).ok) high = middle;
      else low = middle + 1;
    }
    return low;
  };
  assert.equal(least(), least());
  assert.ok(least() > 10);
});

test('chains of 5,000 terms compile and evaluate', () => {
  const terms = (operator: string, term: string): string =>
    Array.from({ length: 5000 }, () => term).join(` ${operator} `);
  const check = (source: string, expected: JsonValue): void => {
    const evaluated = evaluateTyped(source, { amount: 1, price: 1, currency: 'a', flag: true }, LIMITED, 10_000_000);
    assert.ok(evaluated.ok, evaluated.ok ? '' : evaluated.error.message);
    assert.equal(toJson(evaluated.value), expected);
  };
  check(terms('&&', 'args.amount <= 20000'), true);
  check(terms('||', 'args.amount > 20000'), false);
  check(terms('+', 'args.amount'), 5000);
  check(`(${terms('+', 'args.currency')}).size()`, 5000);
  check(`[1].all(x, ${terms('&&', 'x == 1')} && ${terms('||', 'x > 1')} || ${terms('-', 'x')} < 0)`, true);
  // Four times as many, for the checker of the library recurses where it is let.
  const many = `(${Array.from({ length: 20_000 }, () => 'args.flag').join(' && ')})`;
  check(many, true);
  check(many.replaceAll('&&', '||'), true);
  check(`${many.replaceAll('&&', '!=')} == false`, true);
  const compiled = compile(terms('&&', 'args.amount <= 20000'), new Map([['args', LIMITED]]));
  assert.ok(compiled.ok);
  assert.equal(compiled.expression.clauses.length, 5000);
});

test('time is what the bindings say, in any zone', () => {
  const compiled = compile(
    'now - timestamp("2001-09-09T01:46:40Z") < duration("1s") && now.getHours("Asia/Tokyo") == 10',
    new Map([['now', { kind: 'timestamp' }]]),
  );
  assert.ok(compiled.ok);
  assert.deepEqual(compiled.expression.evaluate({ now: timestampOf(1_000_000_000_000) }), { ok: true, value: true });
  assert.equal(fault('timestamp("2001-09-09T01:46:40Z").getHours("Mars/Olympus")'), 'invalid-argument');
});

test('bindings that are looked up once serve every expression', () => {
  const vocabulary = new Map<string, CelType>([
    ['args', LIMITED],
    ['limit', { kind: 'int' }],
  ]);
  const bound = new Bound({ limit: 5n, args: toCel({ amount: 4 }, LIMITED) });
  const holds = (source: string, over: ReadonlyMap<string, CelType>): unknown => {
    const compiled = compile(source, over);
    assert.ok(compiled.ok);
    return compiled.expression.evaluate(bound);
  };
  assert.deepEqual(holds('args.amount < limit', vocabulary), { ok: true, value: true });
  assert.deepEqual(holds('limit == 5', new Map([['limit', { kind: 'int' }]])), { ok: true, value: true });
});
