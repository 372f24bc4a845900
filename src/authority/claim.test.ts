import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ANN, BOB, FINANCE, PAY, answer, askingPolicy, person } from '../../test/approvers.ts';
import { type Opening, claimed, openWorld, typesOf } from '../../test/authority-world.ts';
import type { JsonObject } from '../value/json.ts';
import type { Performed } from './answer.ts';
import { newId } from './draft.ts';

describe('a call that needs an approval', () => {
  test('is parked, runs nothing, and runs once when it is asked for again after the approval [R-approval]', async () => {
    const world = await openWorld({ policy: FINANCE });
    const parked = await world.call('bank.pay', PAY);
    assert.deepEqual([parked.state, parked.decision?.code, parked.decision?.effect], ['parked', 'asked', 'ask']);
    assert.match(parked.sentence ?? '', new RegExp(`${parked.call}.*until 20`));
    assert.equal((await world.call('bank.pay', PAY)).state, 'parked');
    await answer(world, parked.call, ANN);
    const done = await world.call('bank.pay', PAY);
    assert.deepEqual([done.state, done.call], ['succeeded', parked.call]);
    assert.equal((await world.call('bank.pay', PAY)).replayed, true);
    assert.equal(world.effects.length, 1);
    assert.deepEqual(typesOf(world), ['call.parked', 'call.approved', 'call.intent', 'call.succeeded']);
  });

  test('is claimed by the gateway where it waits, without being asked for again', async () => {
    const world = await openWorld({ policy: FINANCE });
    const parked = await world.call('bank.pay', PAY);
    await claimed(world);
    assert.deepEqual(world.effects, []);
    await answer(world, parked.call, ANN);
    await Promise.all([claimed(world), claimed(world)]);
    assert.equal(world.effects.length, 1);
    await claimed(world);
    assert.deepEqual([world.effects.length, (await world.call('bank.pay', PAY)).replayed], [1, true]);
  });

  test('and has no key is not claimed while an equal call that has one runs', async () => {
    const world = await openWorld({ policy: FINANCE.replace('key: args.charge', '') });
    const unkeyed = await world.call('bank.pay', PAY);
    const keyed = await world.call('bank.pay', PAY, { key: 'k_1' });
    await answer(world, unkeyed.call, ANN);
    await answer(world, keyed.call, ANN);
    const gate = Promise.withResolvers<Performed>();
    const running = world.call('bank.pay', PAY, { key: 'k_1', perform: () => gate.promise });
    while (!typesOf(world).includes('call.intent')) await new Promise(setImmediate);
    const twin = await world.call('bank.pay', PAY);
    assert.deepEqual([twin.decision?.code, twin.call, world.effects.length], ['twin-unsettled', keyed.call, 0]);
    gate.resolve({ kind: 'succeeded', output: {} });
    assert.equal((await running).state, 'succeeded');
    const done = await world.call('bank.pay', PAY);
    assert.deepEqual([done.state, done.call, world.effects.length], ['succeeded', unkeyed.call, 1]);
  });

  test('survives a restart, and is claimed by the gateway that lives then', async () => {
    const first = await openWorld({ policy: FINANCE });
    const parked = await first.call('bank.pay', PAY);
    first.disk.alive.delete(first.ledger.instance);
    await answer(await openWorld({ ...first, policy: FINANCE }), parked.call, BOB);
    const later = await openWorld({ ...first, policy: FINANCE });
    assert.equal((await later.call('bank.pay', PAY)).state, 'succeeded');
  });

  test('is decided again when it is claimed: a kill switch and a changed policy still win', async () => {
    const world = await openWorld({ policy: FINANCE });
    const parked = await world.call('bank.pay', PAY);
    await answer(world, parked.call, ANN);
    const fields = { target: 'all', reason: 'smoke', by: 'os:x' };
    await world.ledger.append({ entries: [{ id: newId(world.world), type: 'kill.set', fields }] });
    assert.equal((await world.call('bank.pay', PAY)).decision?.code, 'kill-switch');
    await world.ledger.append({ entries: [{ id: newId(world.world), type: 'kill.lifted', fields }] });
    const stricter = `${FINANCE}  - deny: bank.pay\n`;
    const changed = await openWorld({ ...world, policy: stricter });
    assert.equal((await changed.call('bank.pay', PAY)).decision?.effect, 'deny');
    assert.deepEqual(world.effects, []);
  });

  test('expires: an approval that comes, or is used, too late dispatches nothing', async () => {
    const world = await openWorld({ policy: FINANCE });
    const parked = await world.call('bank.pay', PAY);
    await answer(world, parked.call, ANN);
    world.world.advance(30 * 60_000);
    const late = await world.call('bank.pay', PAY);
    assert.equal(late.decision?.code, 'approval-expired');
    assert.deepEqual(world.effects, []);
    assert.equal((await world.call('bank.pay', PAY)).decision?.code, 'approval-expired');
  });

  test('that was refused is answered so, and its key is free for another call', async () => {
    const world = await openWorld({ policy: FINANCE });
    const { call } = await world.call('bank.pay', PAY);
    const fields = { call, by: 'ann', reason: 'no' };
    await world.ledger.append({ entries: [{ id: newId(world.world), type: 'call.refused', fields }] });
    assert.equal((await world.call('bank.pay', PAY)).decision?.code, 'approval-refused');
    assert.equal((await world.call('bank.pay', { ...PAY, amount: 5 })).state, 'succeeded');
  });

  for (const [name, forged] of [
    ['a signature by somebody else', (world: Opening, call: string) => answer(world, call, person('ann'))],
    [
      'a signature made for another call',
      (world: Opening, call: string) => answer(world, call, ANN, { digest: 'sha256:00' }),
    ],
    [
      'an answer of the requester, who is no approver',
      (world: Opening, call: string) => answer(world, call, ANN, { by: 'local' }),
    ],
    [
      'a row without a signature',
      async (world: Opening, call: string) => {
        const digest = (await world.ledger.call(call))?.approval?.digest ?? '';
        const fields: JsonObject = { call, by: 'ann', digest, unsigned: true };
        await world.ledger.append({ entries: [{ id: newId(world.world), type: 'call.approved', fields }] });
      },
    ],
  ] as const) {
    test(`is not approved by ${name}`, async () => {
      const world = await openWorld({ policy: FINANCE });
      const parked = await world.call('bank.pay', PAY);
      await forged(world, parked.call);
      assert.equal((await world.call('bank.pay', PAY)).state, 'parked');
      assert.deepEqual(world.effects, []);
    });
  }

  test('with a quorum of two wants two people', async () => {
    const world = await openWorld({ policy: askingPolicy('approvers: [finance]\n    quorum: 2') });
    const parked = await world.call('bank.pay', PAY);
    await answer(world, parked.call, ANN);
    assert.equal((await world.call('bank.pay', PAY)).state, 'parked');
    await answer(world, parked.call, BOB);
    assert.equal((await world.call('bank.pay', PAY)).state, 'succeeded');
  });

  test('is capped: a principal cannot bury its approvers in questions', async () => {
    const world = await openWorld({ policy: FINANCE });
    const states = [];
    for (let index = 0; index < 25; index += 1) {
      states.push((await world.call('bank.pay', { charge: `ch_${index}`, amount: 100 })).state);
    }
    assert.deepEqual([states.filter((state) => state === 'parked').length, states.at(-1)], [20, 'denied']);
  });
});
