/** A payment that one gateway parks and another makes: real processes, and nobody at the host who asks again. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { GatewayProcess, INTERLOCK, paymentsPlace, verified } from './gateway-process.ts';

async function stateOf(gateway: GatewayProcess, id: string): Promise<string | undefined> {
  const params = { name: 'interlock__get_call', arguments: { id } };
  const { result } = await gateway.request('tools/call', params);
  return (result as { structuredContent?: { state: string } }).structuredContent?.state;
}

test('a payment that was approved while no gateway ran is made once by those that start then [R-claimed]', async (t) => {
  const rule = '  - ask: payments.create_payment\napprovals: { signed: false }';
  using place = paymentsPlace({ more: rule, declared: 'effect: irreversible, key: args.charge' });
  const first = new GatewayProcess(place);
  t.after(() => first.kill());
  await first.hello();
  const { id, state } = (await first.pay('ch_1', 'order-1'))._meta['interlock/call'];
  assert.equal(state, 'parked');
  await first.kill();
  assert.equal(spawnSync(process.execPath, [INTERLOCK, 'approve', id], { cwd: place.directory }).status, 0);
  assert.deepEqual(place.paid(), []);

  const later = [new GatewayProcess(place), new GatewayProcess(place)] as const;
  t.after(() => Promise.all(later.map((gateway) => gateway.kill())));
  await Promise.all(later.map((gateway) => gateway.hello()));
  // Nobody proposes it: a payment that they do not make by themselves fails this test by its time limit.
  while ((await stateOf(later[0], id)) !== 'succeeded') await new Promise((resolve) => setTimeout(resolve, 20));
  const again = await later[1].pay('ch_1', 'order-1');
  assert.deepEqual(again._meta['interlock/call'], { id, state: 'succeeded', replayed: true });
  assert.equal(again.isError, undefined);
  for (const gateway of later) assert.equal(await gateway.close(), 0);
  assert.deepEqual([place.paid(), verified(place)], [['ch_1'], { verdict: 'ok', problems: [] }]);
});
