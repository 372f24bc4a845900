/** A shadow beside the policy in force: what it would have said is recorded, and it stops nobody. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type Opening, countersOf, openWorld, policyOf } from '../../test/authority-world.ts';
import type { Policy } from '../policy/compile.ts';
import type { JsonValue } from '../value/json.ts';
import { isJsonObject } from '../value/json.ts';

const TOOLS = `interlock: 1
tools:
  bank.pay:
    input: { type: object, required: [amount], properties: { amount: {type: integer} } }
    cost: { money: args.amount }
  bank.read: { effect: read, input: { type: object, properties: { amount: {type: integer} } } }
budgets:
  money: { limit: 1000, unit: usd-cents, window: 1h }
`;
const LAX = `${TOOLS}rules:\n  - allow: bank.*\n`;
const STRICT = `${TOOLS}rules:\n  - allow: bank.pay\n  - deny: bank.pay\n    when: args.amount > 100\n`;

async function beside(main: string, shadow: Policy): Promise<Opening> {
  const opening = await openWorld({ policy: main });
  await opening.authority.load(policyOf(main), { kind: 'loaded', policy: shadow });
  return opening;
}

/** What the last decision says of its shadow. */
function said(world: Opening): JsonValue | undefined {
  const decided = world.entries().findLast(({ policy }) => policy !== undefined);
  return isJsonObject(decided?.['policy']) ? decided['policy']['shadow'] : undefined;
}

test('a shadow that denies stops nothing, and its answer is recorded where it differs [R-shadow]', async () => {
  const shadow = policyOf(STRICT);
  const world = await beside(LAX, shadow);
  assert.equal((await world.call('bank.pay', { amount: 500 })).state, 'succeeded');
  const { digest } = shadow;
  assert.deepEqual(said(world), { digest, effect: 'deny', code: 'denied-by-rule', rules: ['rules/1'] });
  assert.equal((await world.call('bank.pay', { amount: 5 })).state, 'succeeded');
  assert.deepEqual(said(world), { digest });
  assert.equal((await world.call('bank.read')).state, 'succeeded');
  assert.deepEqual(said(world), { digest, effect: 'deny', code: 'no-rule', rules: [] });
  assert.equal(world.effects.length, 3);
});

test('a shadow that allows lets nothing through [R-shadow]', async () => {
  const world = await beside(STRICT, policyOf(LAX));
  assert.equal((await world.call('bank.pay', { amount: 500 })).decision?.code, 'denied-by-rule');
  assert.equal(isJsonObject(said(world)) && (said(world) as { effect?: string }).effect, 'allow');
  assert.deepEqual(world.effects, []);
});

test('a shadow sees what is counted under its keys and reserves nothing itself', async () => {
  const shadow = policyOf(
    LAX.replace('limit: 1000', 'limit: 600')
      .replace('1h }', '1h }\n  own: { limit: 10, unit: calls, window: 1h }')
      .replace('cost: {', 'cost: { own: 1,'),
  );
  const world = await beside(LAX, shadow);
  for (const amount of [300, 300]) {
    await world.call('bank.pay', { amount });
    assert.deepEqual(said(world), { digest: shadow.digest });
  }
  assert.equal((await world.call('bank.pay', { amount: 200 })).state, 'succeeded');
  assert.equal((said(world) as { code?: string }).code, 'budget-exhausted');
  const keys = [...countersOf(world).keys()];
  assert.deepEqual([keys.length, keys.every((key) => key.startsWith('budget/money/'))], [1, true]);
});

test('gates that are no policy are not asked of a shadow', async () => {
  const world = await beside(LAX, policyOf(STRICT));
  await world.call('bank.pay', { amount: 500 }, { available: false });
  assert.deepEqual(said(world), { digest: policyOf(STRICT).digest });
});

test('a shadow that fails stops nothing and says so', async () => {
  const sound = policyOf(STRICT);
  let reads = 0;
  const failing: Policy = {
    ...sound,
    // Its tools are there for its facts, and gone when it decides.
    get tools() {
      reads += 1;
      if (reads > 2) throw new Error('gone');
      return sound.tools;
    },
  };
  const world = await beside(LAX, failing);
  assert.equal((await world.call('bank.pay', { amount: 500 })).state, 'succeeded');
  assert.deepEqual(said(world), { digest: sound.digest, error: 'gone' });
});

test('a shadow that does not load is recorded once, and decisions are made without it [R-shadow]', async () => {
  const world = await openWorld({ policy: LAX });
  for (let times = 0; times < 2; times += 1) {
    await world.authority.load(policyOf(LAX), { kind: 'invalid', message: 'next.yaml:1:1: no' });
  }
  const loaded = world.entries().filter(({ type }) => type === 'policy.loaded');
  assert.deepEqual(
    loaded.map(({ shadow }) => shadow ?? null),
    [null, { error: 'next.yaml:1:1: no' }],
  );
  assert.equal((await world.call('bank.pay', { amount: 500 })).state, 'succeeded');
  assert.equal(said(world), undefined);
});

test('with a shadow every call is answered as without it', async () => {
  const rule = fc.record({ effect: fc.constantFrom('allow', 'ask', 'deny'), max: fc.integer({ min: 0, max: 3 }) });
  const written = (rules: readonly { effect: string; max: number }[]): string =>
    TOOLS +
    `rules:\n  - allow: bank.read\n${rules.map(({ effect, max }) => `  - ${effect}: bank.pay\n    when: args.amount > ${max}\n`).join('')}`;
  await fc.assert(
    fc.asyncProperty(
      fc.array(rule),
      fc.array(rule),
      fc.array(fc.integer({ min: 0, max: 4 })),
      async (main, other, amounts) => {
        const alone = await openWorld({ policy: written(main) });
        const watched = await beside(written(main), policyOf(written(other)));
        for (const amount of amounts) {
          const [expected, got] = [
            await alone.call('bank.pay', { amount }),
            await watched.call('bank.pay', { amount }),
          ];
          assert.deepEqual([got.state, got.decision], [expected.state, expected.decision]);
        }
        assert.deepEqual(watched.effects, alone.effects);
        assert.deepEqual([...countersOf(watched)], [...countersOf(alone)]);
      },
    ),
    { numRuns: 60 },
  );
});
