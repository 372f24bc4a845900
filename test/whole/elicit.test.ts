/** A payment about which the gateway asks the person at the host, in the request that proposes it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayProcess, paymentsPlace, verified } from './gateway-process.ts';

test('the person at the host accepts one payment and declines the other, each in its own request [R-elicit]', async (t) => {
  const more = '  - ask: payments.create_payment\n    approvers: [requester]\napprovals: { interactive: true }';
  using place = paymentsPlace({ more, declared: 'effect: irreversible, key: args.charge' });
  const gateway = new GatewayProcess(place);
  t.after(() => gateway.kill());
  const asked: string[] = [];
  gateway.answer = (method, params) => {
    const { message } = params as { readonly message: string };
    asked.push(`${method} ${message}`);
    return { action: message.includes('ch_1') ? 'accept' : 'decline' };
  };
  await gateway.hello({ elicitation: {} });
  const paid = await gateway.pay('ch_1');
  assert.deepEqual([paid.isError, paid._meta['interlock/call'].state], [undefined, 'succeeded']);
  const refused = await gateway.pay('ch_2');
  assert.equal(refused._meta['interlock/decision']?.code, 'approval-refused');
  assert.match(asked.join('\n'), /^elicitation\/create Interlock asks.*"charge":"ch_1".*"charge":"ch_2"/su);
  assert.equal(await gateway.close(), 0);
  assert.deepEqual([asked.length, place.paid(), verified(place)], [2, ['ch_1'], { verdict: 'ok', problems: [] }]);
});
