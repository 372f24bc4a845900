import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Opening, openWorld } from '../../test/authority-world.ts';
import type { Answer, Performed } from './answer.ts';
import { newId } from './draft.ts';

const policy = (more: string, tool = ''): string => `
interlock: 1
tools:
  bank.pay:
    input: { type: object, required: [amount], properties: { amount: {type: integer}, id: {type: string} } }
    ${tool}
rules:
  - allow: bank.pay
${more}
`;
const BUDGET = `budgets:
  money: { limit: 1000, unit: usd-cents, per: [principal], window: 1h }
`;
const COST = 'cost: { money: args.amount }';

async function outcomes(calls: readonly Promise<Answer>[]): Promise<Record<string, number>> {
  const counted: Record<string, number> = {};
  for (const { decision, state } of await Promise.all(calls)) {
    const name = decision?.code ?? state;
    counted[name] = (counted[name] ?? 0) + 1;
  }
  return counted;
}

function many(world: Opening, count: number, amount: number): Promise<Answer>[] {
  return Array.from({ length: count }, (_, index) => world.call('bank.pay', { amount, id: `${index}` }));
}

describe('a budget', () => {
  test('for m calls lets exactly m of many concurrent ones through [R-budgets]', async () => {
    const world = await openWorld({ policy: policy(BUDGET, COST) });
    assert.deepEqual(await outcomes(many(world, 200, 100)), { succeeded: 10, 'budget-exhausted': 190 });
    assert.equal(world.effects.length, 10);
  });

  test('is shared by two processes on one log', async () => {
    const one = await openWorld({ policy: policy(BUDGET, COST) });
    const two = await openWorld({ ...one, policy: policy(BUDGET, COST) });
    const calls = Array.from({ length: 100 }, (_, index) => [
      one.call('bank.pay', { amount: 100, id: `a${index}` }),
      two.call('bank.pay', { amount: 100, id: `b${index}` }),
    ]).flat();
    assert.deepEqual(await outcomes(calls), { succeeded: 10, 'budget-exhausted': 190 });
    assert.equal(one.effects.length, 10);
  });

  test('gets back what never started, and nothing else', async () => {
    const world = await openWorld({ policy: policy(BUDGET, COST) });
    const ended = async (performed: Performed): Promise<void> => {
      await world.call('bank.pay', { amount: 1000 }, { perform: () => Promise.resolve(performed) });
    };
    await ended({ kind: 'not-started', reason: 'refused' });
    assert.equal((await world.call('bank.pay', { amount: 400, id: 'a' })).state, 'succeeded');
    await world.call('bank.pay', { amount: 600 }, { perform: () => Promise.resolve({ kind: 'failed', output: {} }) });
    assert.equal((await world.call('bank.pay', { amount: 1, id: 'b' })).decision?.code, 'budget-exhausted');
  });

  test('keeps what an unknown call reserved', async () => {
    const world = await openWorld({ policy: policy(BUDGET, COST) });
    await world.call(
      'bank.pay',
      { amount: 1000 },
      { perform: () => Promise.resolve({ kind: 'unknown', reason: 'x' }) },
    );
    assert.equal((await world.call('bank.pay', { amount: 1, id: 'b' })).decision?.code, 'budget-exhausted');
  });

  test('opens again with its next window', async () => {
    const world = await openWorld({ policy: policy(BUDGET, COST) });
    await world.call('bank.pay', { amount: 1000 });
    assert.equal((await world.call('bank.pay', { amount: 1, id: 'b' })).decision?.code, 'budget-exhausted');
    world.world.advance(3_600_000);
    assert.equal((await world.call('bank.pay', { amount: 1, id: 'c' })).state, 'succeeded');
  });

  test('is settled to the actual cost, and what exceeds the reservation is an overrun', async () => {
    const costs = `${COST}\n    actualCost: { money: output.charged }`;
    const world = await openWorld({ policy: policy(BUDGET, costs) });
    const charged = (amount: number, actual: number, id: string): Promise<Answer> =>
      world.call(
        'bank.pay',
        { amount, id },
        {
          perform: () =>
            Promise.resolve({ kind: 'succeeded', output: { structuredContent: { charged: actual }, charged: actual } }),
        },
      );
    await charged(900, 100, 'a');
    await charged(900, 1200, 'b');
    assert.equal((await charged(1, 1, 'c')).decision?.code, 'budget-exhausted');
    const overruns = world.entries().flatMap((entry) => (entry['overrun'] === undefined ? [] : [entry['charged']]));
    assert.equal(overruns.length, 1);
  });

  for (const amount of [-1, -1000]) {
    test(`is not filled by a cost of ${amount}`, async () => {
      const world = await openWorld({ policy: policy(BUDGET, COST) });
      assert.equal((await world.call('bank.pay', { amount })).decision?.code, 'obligation-failed');
    });
  }
});

describe('a limit', () => {
  test('of concurrency holds while a call runs and while it is unknown, and no longer', async () => {
    const world = await openWorld({ policy: policy('limits:\n  - { tools: bank.*, concurrency: 1 }') });
    const gate = Promise.withResolvers<Performed>();
    const first = world.call('bank.pay', { amount: 1 }, { perform: () => gate.promise });
    assert.equal((await world.call('bank.pay', { amount: 2 })).decision?.code, 'concurrency-exceeded');
    gate.resolve({ kind: 'succeeded', output: {} });
    await first;
    const lost: Performed = { kind: 'unknown', reason: 'lost' };
    assert.equal(
      (await world.call('bank.pay', { amount: 3 }, { perform: () => Promise.resolve(lost) })).state,
      'unknown',
    );
    assert.equal((await world.call('bank.pay', { amount: 4 })).decision?.code, 'concurrency-exceeded');
  });

  test('of concurrency gives a slot back after the effect timeout of an unknown call', async () => {
    const text = policy('limits:\n  - { tools: bank.*, concurrency: 1 }', 'effectTimeout: 1m');
    const world = await openWorld({ policy: text });
    await world.call('bank.pay', { amount: 1 }, { perform: () => Promise.resolve({ kind: 'unknown', reason: 'x' }) });
    assert.equal((await world.call('bank.pay', { amount: 2 })).decision?.code, 'concurrency-exceeded');
    world.world.advance(60_001);
    assert.equal((await world.call('bank.pay', { amount: 3 })).state, 'succeeded');
  });

  test('of rate lets its burst through, then one at a time', async () => {
    const world = await openWorld({ policy: policy('limits:\n  - { tools: bank.*, rate: 3/1m }') });
    assert.deepEqual(await outcomes(many(world, 10, 1)), { succeeded: 3, 'rate-exceeded': 7 });
    world.world.advance(20_000);
    assert.deepEqual(await outcomes(many(world, 10, 2)), { succeeded: 1, 'rate-exceeded': 9 });
  });

  test('of count bounds the calls of one run', async () => {
    const world = await openWorld({ policy: policy('limits:\n  - { tools: "*", count: 2, per: [run] }') });
    assert.deepEqual(await outcomes(many(world, 5, 1)), { succeeded: 2, 'budget-exhausted': 3 });
    assert.equal((await world.call('bank.pay', { amount: 1 }, { session: 'another' })).state, 'succeeded');
  });
});

describe('a kill switch', () => {
  for (const target of ['all', 'principal:local', 'server:bank', 'tool:bank.pay']) {
    test(`on ${target} stops the next call, and lifting it lets calls through again [R-kill]`, async () => {
      const world = await openWorld({ policy: policy('') });
      const fields = { target, reason: 'smoke', by: 'os:somebody' };
      await world.ledger.append({ entries: [{ id: newId(world.world), type: 'kill.set', fields }] });
      assert.equal((await world.call('bank.pay', { amount: 1 })).decision?.code, 'kill-switch');
      assert.deepEqual(world.effects, []);
      await world.ledger.append({ entries: [{ id: newId(world.world), type: 'kill.lifted', fields }] });
      assert.equal((await world.call('bank.pay', { amount: 1 })).state, 'succeeded');
    });
  }
});
