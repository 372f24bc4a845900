import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Opening, POLICY, openWorld, typesOf } from '../../test/authority-world.ts';
import type { Performed } from './answer.ts';
import { settle } from './settle.ts';

const PAY = { charge: 'ch_1', amount: 100 };
const HOUR = 3_600_000;

function keeping(more: object = {}): Promise<Opening> {
  return openWorld({ policy: `${POLICY}\nretention: { bodies: 24h }\n`, ...more });
}

describe('a result past its retention', () => {
  test('is gone, and its key answers erased for ever: nothing runs again [R-retention]', async () => {
    const world = await keeping();
    const { call } = await world.call('bank.pay', PAY);
    world.world.advance(24 * HOUR - 1);
    assert.equal(await world.authority.expire(), 0);
    world.world.advance(60_001);
    assert.equal(await world.authority.expire(), 1);
    for (const args of [PAY, { ...PAY, amount: 101 }]) {
      const answer = await world.call('bank.pay', args);
      assert.deepEqual([answer.decision?.code, answer.call, answer.state], ['erased', call, 'succeeded']);
    }
    assert.equal((await world.call('bank.pay', PAY, { principal: 'somebody' })).decision?.code, 'key-taken');
    assert.equal(world.effects.length, 1);
    assert.equal(await world.ledger.body(call, 'output'), undefined);
  });

  test('is not missed by a call that never had an effect: its key makes a new attempt', async () => {
    const world = await keeping();
    const refused: Performed = { kind: 'not-started', reason: 'refused' };
    await world.call('bank.pay', PAY, { perform: async () => refused });
    world.world.advance(25 * HOUR);
    assert.equal(await world.authority.expire(), 1);
    assert.equal((await world.call('bank.pay', PAY)).state, 'succeeded');
    assert.deepEqual(typesOf(world), ['call.intent', 'call.not-started', 'call.intent', 'call.succeeded']);
  });

  test('is not the one of a call that is unknown or parked, however old', async () => {
    const world = await keeping();
    await world.call('bank.pay', PAY, { perform: async () => ({ kind: 'unknown', reason: 'lost' }) });
    world.world.advance(25 * HOUR);
    assert.equal(await world.authority.expire(), 0);
    const { call, decision } = await world.call('bank.pay', PAY);
    assert.equal(decision?.code, 'outcome-unknown');
    await settle(world.ledger, world, { call, as: 'executed', by: 'os:somebody', reason: 'seen', output: { paid: 1 } });
    world.world.advance(24 * HOUR - 60_000);
    assert.equal(await world.authority.expire(), 0, 'it is kept from when it ended');
    world.world.advance(120_000);
    assert.equal(await world.authority.expire(), 1);
    assert.equal((await world.call('bank.pay', PAY)).decision?.code, 'erased');
  });

  test('stays when only the wall clock says that its time is over', async () => {
    const world = await keeping();
    const { call } = await world.call('bank.pay', PAY);
    world.world.setWall(world.world.now() + 1_000 * HOUR);
    assert.equal(await world.authority.expire(), 0);
    assert.deepEqual(await world.ledger.body(call, 'output'), { done: 1 });
  });

  test('is found among thousands of calls, in steps that each end soon', async () => {
    const world = await keeping();
    for (let index = 0; index < 3_000; index += 1) void world.call('bank.pay', { charge: `c${index}`, amount: 1 });
    await world.call('bank.pay', { charge: 'last', amount: 1 });
    world.world.advance(25 * HOUR);
    assert.equal(await world.authority.expire(), 8 * 256);
    assert.equal(await world.authority.expire(), 3_001 - 8 * 256);
    assert.equal(await world.authority.expire(), 0);
    assert.equal(world.disk.bodies.size, 0);
    assert.equal(world.entries().filter(({ type }) => type === 'erasure.expired').length, 12);
  });

  test('is kept for ever where the policy says nothing', async () => {
    const world = await openWorld();
    await world.call('bank.pay', PAY);
    world.world.advance(10_000 * HOUR);
    assert.equal(await world.authority.expire(), 0);
  });
});
