/** `interlock__get_call` over the real gateway: listed, decided, recorded, and answered for the caller's own calls. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { GatewayProcess, INTERLOCK, paymentsPlace } from './gateway-process.ts';

interface Told {
  readonly isError?: boolean;
  readonly structuredContent?: { readonly state: string; readonly expires?: string; readonly output?: unknown };
}

async function ask(gateway: GatewayProcess, id: unknown): Promise<Told> {
  const params = { name: 'interlock__get_call', arguments: { id } };
  return (await gateway.request('tools/call', params)).result as Told;
}

test('a caller asks after a payment until it is approved and made, and no other id tells anything [R-get-call]', async (t) => {
  const rule = '  - ask: payments.create_payment\napprovals: { signed: false }';
  using place = paymentsPlace({ more: rule });
  const gateway = new GatewayProcess(place);
  t.after(() => gateway.kill());
  await gateway.hello();
  const listed = (await gateway.request('tools/list', {})).result as { tools: readonly { name: string }[] };
  assert.equal(listed.tools.at(-1)?.name, 'interlock__get_call');
  const { id } = (await gateway.pay('ch_1'))._meta['interlock/call'];
  const waiting = await ask(gateway, id);
  assert.equal(waiting.structuredContent?.state, 'parked');
  assert.ok(Date.parse(waiting.structuredContent?.expires ?? '') > Date.now());
  assert.equal(spawnSync(process.execPath, [INTERLOCK, 'approve', id], { cwd: place.directory }).status, 0);
  let told = await ask(gateway, id);
  while (told.structuredContent?.state !== 'succeeded') told = await ask(gateway, id);
  assert.match(JSON.stringify(told.structuredContent.output), /ch_1/u);
  assert.deepEqual(place.paid(), ['ch_1']);
  for (const other of ['nothing', '', 5, { $body: 'x' }, id.toUpperCase()]) {
    const nothing = await ask(gateway, other);
    assert.deepEqual([nothing.isError, nothing.structuredContent], [true, undefined], JSON.stringify(other));
  }
  assert.equal(await gateway.close(), 0);
  const log = spawnSync(process.execPath, [INTERLOCK, 'log', '--tool', 'interlock.get_call'], { cwd: place.directory });
  assert.match(log.stdout.toString(), /call\.intent.*interlock\.get_call/u);
});
