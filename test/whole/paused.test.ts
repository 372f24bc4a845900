/** Real gateways on one data directory, paused and resumed with calls in flight. */

import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { GatewayProcess, killedBeforeItsAnswer, paymentsPlace, verified } from './gateway-process.ts';

const ROUNDS = 4;
/** Calls that each of two gateways has in flight. */
const IN_FLIGHT = 6;

test('a gateway paused past the deadline of its call loses it to unknown, and settles it when it is back', async () => {
  using place = paymentsPlace({ server: 'timeoutMs: 3000' });
  writeFileSync(place.hold, '');
  const [paused, sibling] = [new GatewayProcess(place), new GatewayProcess(place)] as const;
  await Promise.all([paused.hello(), sibling.hello()]);
  const call = paused.pay('ch_1', 'k');
  while (place.paid().length === 0) await turn();
  paused.process.kill('SIGSTOP');
  // Its server is its child and is not paused: the answer waits in the pipe.
  rmSync(place.hold);
  const waiting = await sibling.pay('ch_1', 'k');
  assert.equal(waiting._meta['interlock/decision']?.code, 'outcome-unknown');
  paused.process.kill('SIGCONT');
  const { state } = (await call)._meta['interlock/call'];
  // Whichever it met first when it was back: the answer in the pipe, or its time limit.
  assert.ok(['succeeded', 'unknown'].includes(state), state);
  const again = await sibling.pay('ch_1', 'k');
  assert.equal(again._meta['interlock/call'].state, state === 'succeeded' ? 'settled-executed' : 'unknown');
  assert.deepEqual(place.paid(), ['ch_1']);
  assert.deepEqual([await paused.close(), await sibling.close()], [0, 0]);
  assert.deepEqual(verified(place), { verdict: 'ok', problems: [] });
});

test('paused, resumed and killed at any moment, two gateways pay each charge at most once [R-at-most-once]', async () => {
  using place = paymentsPlace({ server: 'timeoutMs: 2000' });
  const counted = (charge: string): number => place.paid().filter((paid) => paid === charge).length;
  const answered = new Map<string, string>();
  for (let round = 0; round < ROUNDS; round += 1) {
    const charges = Array.from({ length: IN_FLIGHT }, (_, index) => `ch_${round}_${index}`);
    const [one, other] = [new GatewayProcess(place), new GatewayProcess(place)] as const;
    await Promise.all([one.hello(), other.hello()]);
    for (const gateway of [one, other]) {
      for (const charge of charges) {
        void gateway.pay(charge, charge).then((answer) => answered.set(charge, answer._meta['interlock/call'].state));
      }
    }
    // Other points of the calls' life each round; every third one is paused for longer than its calls may take.
    for (let turns = 0; turns < (round * 11) % 40; turns += 1) await turn();
    one.process.kill('SIGSTOP');
    for (let turns = 0; turns < (round % 3 === 2 ? 2_500 : round * 5); turns += 1) await turn();
    if (round % 2 === 0) await other.kill();
    one.process.kill('SIGCONT');
    for (let turns = 0; turns < round * 3; turns += 1) await turn();
    await one.kill();
    if (round % 2 === 1) await other.kill();

    const next = new GatewayProcess(place);
    await next.hello();
    for (const charge of charges) {
      const before = counted(charge);
      const { state } = (await next.pay(charge, charge))._meta['interlock/call'];
      if (state === 'unknown') assert.equal(counted(charge), before, `${charge} is unknown and was run again`);
      else assert.equal(counted(charge), 1, `${charge} is ${state}`);
      if (answered.get(charge) === 'succeeded') assert.match(state, /^(?:succeeded|settled-executed)$/, charge);
      assert.ok(counted(charge) <= 1, `${charge} was paid ${counted(charge)} times`);
    }
    assert.equal(await next.close(), 0);
  }
  assert.deepEqual(verified(place), { verdict: 'ok', problems: [] });
});

test('killed between the effect and its answer, a call is settled by its probe, without a person [R-probe]', async () => {
  const probe = `{ tool: payments.get_payment, args: { charge: args.charge }, executed: output.count > 0 }`;
  using place = paymentsPlace({ declared: `effect: irreversible, effectTimeout: 1s, probe: ${probe}` });
  await killedBeforeItsAnswer(place);
  const next = new GatewayProcess(place);
  await next.hello();
  const settled = await next.pay('ch_1', 'k');
  assert.deepEqual(settled._meta['interlock/call'].state, 'settled-executed');
  assert.match(JSON.stringify(settled), /"charge":"ch_1","count":1/);
  assert.deepEqual(place.paid(), ['ch_1']);
  assert.equal(await next.close(), 0);
  assert.deepEqual(verified(place), { verdict: 'ok', problems: [] });
});

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}
