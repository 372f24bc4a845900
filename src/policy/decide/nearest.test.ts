import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { JsonObject, JsonValue } from '../../value/json.ts';
import { compilePolicy } from '../compile.ts';
import type { Policy } from '../compile.ts';
import { parseConfiguration } from '../document/configuration.ts';
import { decide as decideBare, withNearest } from './decide.ts';
import type { FactValues } from './decide.ts';
import type { Decision, Request } from './decision.ts';
import { budgetKeys } from '../meter/budget.ts';
import { defineTool } from '../tool/tool.ts';

const SCHEMA: JsonObject = {
  type: 'object',
  required: ['amount'],
  properties: {
    amount: { type: 'integer', minimum: 0 },
    rate: { type: 'number' },
    currency: { type: 'string' },
    urgent: { type: 'boolean' },
    note: { enum: ['a', 'b'] },
    to: { type: 'object', properties: { 'a/b': { type: 'string' }, age: { type: 'integer' } } },
  },
};

function policyOf(rules: readonly JsonObject[], more: JsonObject = {}, schema: JsonObject = SCHEMA): Policy {
  const defined = defineTool('bank', { name: 'pay', inputSchema: schema });
  assert.ok(defined.ok);
  const data = { interlock: 1, servers: { bank: { command: 'x' } }, rules, ...more };
  const parsed = parseConfiguration(JSON.stringify(data), { file: 'f', environment: {} });
  assert.ok(parsed.ok, JSON.stringify(parsed));
  const { policy, issues } = compilePolicy(parsed.value, new Map([['bank.pay', defined.tool]]));
  assert.ok(policy !== undefined, JSON.stringify(issues));
  return policy;
}

function requestOf(args: JsonObject): Request {
  const call = { id: 'c', attempt: 1, key: '' };
  return { principal: 'local', tool: 'bank.pay', args, call, run: { id: 'r', depth: 0 }, now: 0 };
}

function decide(policy: Policy, request: Request, facts: FactValues = new Map()): Decision {
  return withNearest(policy, request, facts, decideBare(policy, request, facts));
}

function textOf(decision: Decision): string | undefined {
  return decision.nearest?.text;
}

const LIMIT = { allow: 'bank.pay', when: 'args.amount <= 20000 && args.currency in ["usd", "eur"]' };

test('a number that is too large is told the largest that is allowed', () => {
  const decision = decide(policyOf([LIMIT]), requestOf({ amount: 30_000, currency: 'usd' }));
  assert.deepEqual(decision.nearest, {
    path: '/amount',
    op: '<=',
    value: 20_000,
    text: '`amount` ≤ 20000 would be allowed',
  });
});

test('a number that an ask would hold up is told what needs no answer', () => {
  const rules = [LIMIT, { ask: 'bank.pay', when: 'args.amount > 5000' }];
  const decision = decide(policyOf(rules), requestOf({ amount: 30_000, currency: 'usd' }));
  assert.equal(textOf(decision), '`amount` ≤ 5000 would be allowed');
});

test('a stretch that ends is told with both ends, a single number as itself', () => {
  const between = policyOf([{ allow: 'bank.pay', when: 'args.amount > 10 && args.amount < 100' }]);
  assert.equal(textOf(decide(between, requestOf({ amount: 500 }))), '`amount` from 11 to 99 would be allowed');
  assert.equal(textOf(decide(between, requestOf({ amount: 1 }))), '`amount` from 11 to 99 would be allowed');
  const single = policyOf([{ allow: 'bank.pay', when: 'args.amount == 7' }]);
  assert.equal(textOf(decide(single, requestOf({ amount: 8 }))), '`amount` = 7 would be allowed');
});

test('nothing is said of numbers between when the argument is used otherwise as well', () => {
  const policy = policyOf([{ allow: 'bank.pay', when: 'args.amount <= 100 && args.amount % 10 == 0' }]);
  assert.equal(textOf(decide(policy, requestOf({ amount: 500 }))), '`amount` = 100 would be allowed');
});

test('texts, flags and what is missing are told the values that are allowed', () => {
  const limit = policyOf([LIMIT]);
  assert.deepEqual(decide(limit, requestOf({ amount: 1, currency: 'gbp' })).nearest, {
    path: '/currency',
    op: 'in',
    value: ['usd', 'eur'],
    text: '`currency` in ["usd", "eur"] would be allowed',
  });
  assert.equal(textOf(decide(limit, requestOf({ amount: 1 }))), '`currency` in ["usd", "eur"] would be allowed');
  const flag = policyOf([{ allow: 'bank.pay' }, { deny: 'bank.pay', when: 'has(args.urgent) && args.urgent' }]);
  assert.equal(textOf(decide(flag, requestOf({ amount: 1, urgent: true }))), '`urgent` = false would be allowed');
  const deep = policyOf([{ allow: 'bank.pay', when: 'args.to.age >= 18' }]);
  assert.deepEqual(decide(deep, requestOf({ amount: 1, to: { age: 3 } })).nearest, {
    path: '/to/age',
    op: '>=',
    value: 18,
    text: '`to.age` ≥ 18 would be allowed',
  });
});

test('what is left of a budget is the nearest amount that it has room for', () => {
  const more = {
    budgets: { refunds: { limit: 50_000, unit: 'usd-cents', per: ['principal'], window: '24h' } },
    tools: { 'bank.pay': { cost: { refunds: 'args.amount' } } },
  };
  const policy = policyOf([{ allow: 'bank.pay' }], more);
  const request = requestOf({ amount: 30_000 });
  const budget = policy.configuration.budgets.get('refunds');
  assert.ok(budget !== undefined);
  const [key = ''] = budgetKeys(budget, request);
  const decision = decide(policy, request, new Map([[key, 38_000]]));
  assert.equal(decision.code, 'budget-exhausted');
  assert.equal(textOf(decision), '`amount` ≤ 12000 would be allowed');
});

test('nothing is offered where no change of one argument is allowed', () => {
  const two = policyOf([LIMIT]);
  assert.equal(decide(two, requestOf({ amount: 30_000, currency: 'gbp' })).nearest, undefined);
  const never = policyOf([{ allow: 'bank.pay', when: 'args.amount <= 10' }, { deny: 'bank.pay' }]);
  assert.equal(decide(never, requestOf({ amount: 30 })).nearest, undefined);
});

test('a value that the schema has not is never offered', () => {
  const policy = policyOf([{ allow: 'bank.pay', when: 'args.amount < 0 || args.amount > 100' }]);
  assert.equal(textOf(decide(policy, requestOf({ amount: 5 }))), '`amount` ≥ 101 would be allowed');
});

const CLAUSES = [
  ...['<', '<=', '>', '>=', '==', '!='].flatMap((op) => [
    `args.amount ${op} 3`,
    `args.amount ${op} 6`,
    `args.rate ${op} 2.5`,
  ]),
  'args.currency == "usd"',
  'args.currency in ["usd", "eur"]',
  'args.currency != "gbp"',
  'args.currency.startsWith("u")',
  'args.urgent',
  '!args.urgent',
  'has(args.urgent)',
  '!has(args.note)',
  'args.note == "a"',
  'args.to.age > 2',
  'args.amount % 2 == 0',
  'args.amount + 1 < 5',
  'size(args) < 4',
  'args == {"amount": 3}',
  'has(args.to.age)',
];

const RULE: fc.Arbitrary<JsonObject> = fc
  .tuple(
    fc.constantFrom('allow', 'allow', 'ask', 'deny'),
    fc.subarray(CLAUSES, { minLength: 1, maxLength: 3 }),
    fc.constantFrom(' && ', ' || '),
  )
  .map(([effect, clauses, joint]) => ({ [effect]: 'bank.pay', when: clauses.join(joint) }));

const ARGS: fc.Arbitrary<JsonObject> = fc.record<Record<string, JsonValue>>(
  {
    amount: fc.nat(9),
    rate: fc.constantFrom(0, 2.5, 2.6, 100),
    currency: fc.constantFrom('usd', 'eur', 'gbp', 'x'),
    urgent: fc.boolean(),
    note: fc.constantFrom('a', 'b'),
    to: fc.constantFrom<JsonValue>({}, { age: 1 }, { age: 5 }),
  },
  { requiredKeys: ['amount'] },
);

function changed(args: JsonObject, pointer: string, value: JsonValue): JsonObject {
  const [name = '', inner] = pointer.slice(1).split('/');
  if (inner === undefined) return { ...args, [name]: value };
  const before = args[name];
  return { ...args, [name]: { ...(typeof before === 'object' ? before : {}), [inner]: value } };
}

test('what is offered is allowed: the value itself, each of several, and every number of its stretch', () => {
  const seen = { '<=': 0, '>=': 0, '==': 0, in: 0 };
  const rules = fc.array(RULE, { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(
      rules,
      ARGS,
      fc.integer(),
      fc.double({ noNaN: true, min: -10, max: 10 }),
      (written, args, whole, part) => {
        const policy = policyOf(written);
        const request = requestOf(args);
        const { nearest, effect } = decide(policy, request);
        if (nearest === undefined) return;
        assert.equal(effect, 'deny');
        const { op, value, until, path } = nearest;
        seen[op] += 1;
        const values: JsonValue[] = typeof value === 'object' ? [...value] : [value];
        if (op === '<=' || op === '>=') {
          const inside = (each: number): boolean => {
            const near = op === '<=' ? each <= Number(value) : each >= Number(value);
            return near && (until === undefined || (op === '<=' ? each >= until : each <= until));
          };
          for (const each of [until ?? value, whole, whole % 10, part, Number(value) + (op === '<=' ? -1 : 1)]) {
            if (typeof each === 'number' && inside(each)) values.push(each);
          }
        }
        for (const each of values) {
          const decision = decide(policy, requestOf(changed(args, path, each)));
          // A number of the stretch that the schema has not is no offer.
          if (decision.code === 'schema-mismatch' && each !== value) continue;
          assert.equal(decision.effect, 'allow', `${nearest.text}: ${JSON.stringify(each)} is ${decision.explanation}`);
        }
      },
    ),
    { numRuns: 1_000 },
  );
  const offered = Object.values(seen).reduce((sum, count) => sum + count, 0);
  assert.ok(offered > 50 && seen['<='] > 2 && seen['>='] > 2, `each was tried: ${JSON.stringify(seen)}`);
});
