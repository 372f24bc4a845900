/** Spending over time: what decisions counted, what outcomes gave back or charged instead. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../value/json.ts';
import { spendingsOf } from './budget.ts';
import { policyTexts } from './rules.ts';
import { storyOf } from './story.ts';

const KEY = 'budget/money/principal=local@2026-11-20T00:00:00.000Z';
const NEXT = 'budget/money/principal=local@2026-11-21T00:00:00.000Z';

function spendings(...entries: readonly JsonObject[]) {
  const configuration = JSON.stringify({ budgets: { money: { limit: 500, unit: 'usd-cents' } } });
  const content = { type: 'policy.content', content: 'sha256:p', part: 0, parts: 1, text: configuration };
  const story = storyOf(
    [content, ...entries].map((fields, position) => ({
      position,
      leaf: JSON.stringify({ at: `2026-11-20T18:00:0${position}.000Z`, ...fields }),
    })),
  );
  return spendingsOf(story, policyTexts(story));
}

function intent(attempt: string, reserved: JsonObject, facts: JsonObject = {}): JsonObject {
  const policy = { effect: 'allow', code: 'allowed', rules: [], digest: 'sha256:p', reserved, facts };
  return { type: 'call.intent', call: attempt, attempt, policy };
}

test('a reservation counts, is given back, or is replaced by what was charged', () => {
  const [money, ...others] = spendings(
    intent('a', { [KEY]: 100 }),
    { type: 'call.not-started', call: 'a', attempt: 'a' },
    intent('b', { [KEY]: 200 }),
    { type: 'call.succeeded', call: 'b', attempt: 'b', charged: { [KEY]: 150 } },
    { type: 'call.unknown', call: 'c', attempt: 'c' },
  );
  assert.deepEqual(others, []);
  assert.deepEqual(
    [money?.name, money?.scope, money?.unit, money?.limit],
    ['money', 'principal=local', 'usd-cents', 500],
  );
  assert.deepEqual(
    money?.points.map(({ spent, what }) => [spent, what]),
    [
      [100, 'reserved'],
      [0, 'given back'],
      [200, 'reserved'],
      [150, 'charged'],
    ],
  );
});

test('what others spent meanwhile is in the facts of the next decision, and a new window begins at nothing', () => {
  const [money] = spendings(
    intent('a', { [KEY]: 100 }),
    intent('b', { [KEY]: 10 }, { [KEY]: 300 }),
    { type: 'call.denied', call: 'c', policy: { effect: 'deny', code: 'budget-exhausted', facts: { [KEY]: 310 } } },
    intent('d', { [NEXT]: 5 }),
  );
  assert.deepEqual(
    money?.points.map(({ spent, what }) => [spent, what]),
    [
      [100, 'reserved'],
      [310, 'reserved'],
      [310, 'denied: budget-exhausted'],
      [5, 'reserved'],
    ],
  );
});

test('windows that a decision read together count together', () => {
  const [money] = spendings(intent('a', { [NEXT]: 1 }, { [KEY]: 20, [NEXT]: 300 }));
  assert.equal(money?.points[0]?.spent, 321);
});
