/** The real gateway, killed at whatever instruction it happens to be, with effects counted outside of it. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { GatewayProcess, INTERLOCK, killedBeforeItsAnswer, paymentsPlace, verified } from './gateway-process.ts';

const ROUNDS = 6;
/** Calls in flight at the moment of each kill. */
const IN_FLIGHT = 8;

test('killed at any moment, each keyed payment is made at most once and no answer lies [R-at-most-once]', async () => {
  using place = paymentsPlace();
  const counted = (charge: string): number => place.paid().filter((paid) => paid === charge).length;
  let seenUnknown = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const charges = Array.from({ length: IN_FLIGHT }, (_, index) => `ch_${round}_${index}`);
    const doomed = new GatewayProcess(place);
    await doomed.hello();
    const answered = new Set<string>();
    for (const charge of charges) void doomed.pay(charge, charge).then(() => answered.add(charge));
    // A different point of the calls' life each round: after so many effects, then so many turns of the loop.
    while (place.paid().filter((charge) => charge.startsWith(`ch_${round}_`)).length < round % IN_FLIGHT) await turn();
    for (let turns = 0; turns < (round * 7) % 20; turns += 1) await turn();
    await doomed.kill();

    const next = new GatewayProcess(place);
    await next.hello();
    for (const charge of charges) {
      const before = counted(charge);
      const told = await next.pay(charge, charge);
      const state = told._meta['interlock/call'].state;
      if (answered.has(charge))
        assert.equal(told._meta['interlock/call'].replayed, true, `${charge} was answered already`);
      if (state === 'unknown') {
        seenUnknown += 1;
        assert.equal(counted(charge), before, `${charge} is unknown and was run again`);
      } else assert.equal(counted(charge), 1, `${charge} is ${state}`);
      assert.ok(counted(charge) <= 1, `${charge} was paid ${counted(charge)} times`);
    }
    assert.equal(await next.close(), 0);
  }
  const { verdict, problems } = verified(place);
  assert.deepEqual([verdict, problems], ['ok', []]);
  assert.ok(seenUnknown > 0, 'no kill fell between intent and outcome: the test shows nothing');
});

test('killed between the effect and its answer, the call is unknown until a person settles it', async () => {
  using place = paymentsPlace();
  await killedBeforeItsAnswer(place);

  const next = new GatewayProcess(place);
  await next.hello();
  const unknown = await next.pay('ch_1', 'k');
  assert.equal(unknown._meta['interlock/decision']?.code, 'outcome-unknown');
  assert.match(unknown.content[0]?.text ?? '', /unknown.*interlock settle/);
  const args = ['settle', unknown._meta['interlock/call'].id, 'executed', '--reason', 'seen'];
  assert.equal(spawnSync(process.execPath, [INTERLOCK, ...args], { cwd: place.directory }).status, 0);
  const settled = await next.pay('ch_1', 'k');
  assert.deepEqual(settled._meta['interlock/call'], {
    id: unknown._meta['interlock/call'].id,
    state: 'settled-executed',
    replayed: true,
  });
  assert.deepEqual(place.paid(), ['ch_1']);
  assert.equal(await next.close(), 0);
});

test('two gateways on one data directory pay a charge once, and each gets the answer', async () => {
  using place = paymentsPlace();
  const both = [new GatewayProcess(place), new GatewayProcess(place)] as const;
  await Promise.all(both.map((gateway) => gateway.hello()));
  const charges = Array.from({ length: 20 }, (_, index) => `ch_${index}`);
  const answers = await Promise.all(charges.flatMap((charge) => both.map((gateway) => gateway.pay(charge, charge))));
  assert.deepEqual(place.paid().toSorted(), charges.toSorted());
  assert.ok(answers.every((answer) => answer._meta['interlock/call'].state === 'succeeded'));
  assert.equal(answers.filter((answer) => answer._meta['interlock/call'].replayed).length, charges.length);
  assert.deepEqual(await Promise.all(both.map((gateway) => gateway.close())), [0, 0]);
  assert.equal(verified(place).verdict, 'ok');
});

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}
