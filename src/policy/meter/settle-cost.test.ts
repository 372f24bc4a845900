import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALLOW_ALL, EVENING, policyOf, requestOf } from '../../../test/sample-policy.ts';
import type { JsonValue } from '../../value/json.ts';
import { decide, settleCost, settleFailed } from '../decide/decide.ts';
import { outputOf } from '../tool/output.ts';

const BUDGETS = `budgets:
  money: { limit: 100, unit: usd-cents, window: 24h }
  calls: { limit: 9, unit: calls, window: 1h }
`;
const DAY = 'budget/money/all@2026-11-20T00:00:00.000Z';
const HOUR = 'budget/calls/all@2026-11-20T18:00:00.000Z';

const policy = policyOf(`${BUDGETS}tools:
  bank.pay:
    cost: { money: args.amount, calls: 1 }
    actualCost: { money: output.paid }
    failed: no-effect
  bank.refund:
    cost: { money: 10, calls: 2 }
    actualCost: { money: output.used, calls: "args.amount" }
${ALLOW_ALL}`);

const settled = (output: JsonValue): ReturnType<typeof settleCost> =>
  settleCost(policy, requestOf('bank.pay', { amount: 50 }), { structuredContent: output });

test('what a call turned out to take is charged in the window that was reserved in, and nowhere else', () => {
  assert.deepEqual(settled({ paid: 20 }), { ok: true, charged: { [DAY]: 20 } });
  assert.deepEqual(settled({ paid: 50 }), { ok: true, charged: { [DAY]: 50 } });
  assert.deepEqual(settled({ paid: 0 }), { ok: true, charged: { [DAY]: 0 } });
  assert.deepEqual(settled({ paid: 5_000 }), { ok: true, charged: { [DAY]: 5_000 } }, 'an overrun is charged in full');
  const request = requestOf('bank.pay', { amount: 50 });
  const reserved = Object.keys(decide(policy, request).reservation?.reserved ?? {});
  const { charged } = settled({ paid: 1 });
  assert.ok(Object.keys(charged).every((key) => reserved.includes(key)));
  const next = settleCost(policy, { ...request, now: EVENING + 86_400_000 }, { structuredContent: { paid: 1 } });
  assert.deepEqual(Object.keys(next.charged), ['budget/money/all@2026-11-21T00:00:00.000Z']);
});

test('what cannot be told stays as it was reserved, and says why', () => {
  for (const [paid, why] of [
    [-1, /is negative/],
    [0.5, /type-mismatch|cannot be evaluated|no whole number/],
    [1e300, /2\^53-1|cannot be evaluated/],
    ['5', /no number|cannot be evaluated/],
    [null, /no number|cannot be evaluated/],
  ] as const) {
    const result = settled({ paid });
    assert.ok(!result.ok, JSON.stringify(paid));
    assert.deepEqual(result.charged, {});
    assert.match(result.reason, why);
  }
  for (const output of [{}, null, 'text', [], 7, { constructor: 1 }]) assert.equal(settled(output).ok, false);
});

test('of several budgets those that can be told are charged', () => {
  const charge = (used: JsonValue): ReturnType<typeof settleCost> =>
    settleCost(policy, requestOf('bank.refund', { amount: 3 }), { structuredContent: { used } });
  assert.deepEqual(charge(4), { ok: true, charged: { [DAY]: 4, [HOUR]: 3 } });
  assert.deepEqual(charge(4.5), {
    ok: false,
    charged: { [HOUR]: 3 },
    reason: '`actualCost` of money is no whole number',
  });
});

test('a tool without an actual cost, or none at all, settles nothing', () => {
  const plain = policyOf(`${BUDGETS}tools: { bank.pay: { cost: { money: 1 } } }\n${ALLOW_ALL}`);
  for (const tool of ['bank.pay', 'bank.refund', 'no.such']) {
    assert.deepEqual(settleCost(plain, requestOf(tool), { paid: 1 }), { ok: true, charged: {} });
    assert.deepEqual(settleFailed(plain, requestOf(tool)), { ok: true, charged: {} });
  }
});

test('a failure without an effect takes nothing, any other keeps its charge', () => {
  const request = requestOf('bank.pay', { amount: 50 });
  assert.deepEqual(settleFailed(policy, request), { ok: true, charged: { [DAY]: 0, [HOUR]: 0 } });
  assert.deepEqual(settleFailed(policy, requestOf('bank.refund')), { ok: true, charged: {} });
});

test('the output is what the answer holds, not its envelope', () => {
  const text = (value: string): JsonValue => ({ content: [{ type: 'text', text: value }] });
  assert.deepEqual(outputOf({ structuredContent: { a: 1 }, content: [{ type: 'text', text: '2' }] }), { a: 1 });
  assert.deepEqual(outputOf(text('{"a": 1}')), { a: 1 });
  assert.equal(outputOf(text('12')), 12);
  assert.equal(outputOf(text('twelve')), 'twelve');
  assert.equal(outputOf(text('{"a": 1, "a": 2}')), '{"a": 1, "a": 2}', 'what is not one value is text');
  const two = {
    content: [
      { type: 'text', text: '1' },
      { type: 'text', text: '2' },
    ],
  };
  assert.equal(outputOf(two), two);
  const image = { content: [{ type: 'image', data: '' }] };
  assert.equal(outputOf(image), image);
  for (const other of [null, 7, 'x', [], {}, { content: 5 }, { content: [] }, { content: [3] }]) {
    assert.equal(outputOf(other), other);
  }
});
