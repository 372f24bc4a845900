/** Real gateways on one data directory, paused and resumed with calls in flight. */

import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { GatewayProcess, paymentsPlace, verified } from './gateway-process.ts';

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

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}
