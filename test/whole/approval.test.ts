/** An approval from question to payment: the real gateway, and the approver's commands at another terminal. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { GatewayProcess, INTERLOCK, paymentsPlace } from './gateway-process.ts';

test('a payment above the limit is parked, approved with a key, and paid once [R-approval]', async (t) => {
  using place = paymentsPlace();
  const env = {
    ...process.env,
    XDG_CONFIG_HOME: join(place.directory, 'home'),
    INTERLOCK_PASSPHRASE: 'a long enough one',
  };
  const interlock = (...args: readonly string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, [INTERLOCK, ...args], { cwd: place.directory, env, encoding: 'utf8' });
  const made = interlock('approver', 'add', 'ann');
  assert.equal(made.status, 0, made.stderr);
  const file = join(place.directory, 'interlock.yaml');
  const ask =
    '  - ask: payments.create_payment\n    when: args.amount >= 100\n    approvers: [ann]\n    expires: 30m\n';
  appendFileSync(file, ask);
  writeFileSync(file, `${readFileSync(file, 'utf8')}${made.stdout}  local: {}\n`);

  const gateway = new GatewayProcess(place);
  t.after(() => gateway.kill());
  await gateway.hello();
  const parked = await gateway.pay('ch_1', 'order-1');
  assert.equal(parked.isError, true);
  const { id, state } = parked._meta['interlock/call'];
  assert.deepEqual([state, parked._meta['interlock/decision']?.code, place.paid()], ['parked', 'asked', []]);
  assert.ok(parked.content[0]?.text.includes(id));

  assert.match(interlock('approvals').stdout, new RegExp(id));
  const approved = interlock('approve', id, '--as', 'ann');
  assert.equal(approved.status, 0, approved.stderr);
  // The gateway claims it by itself; a payment that it does not make in time fails this test by its time limit.
  while (place.paid().length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  const paid = await gateway.pay('ch_1', 'order-1');
  assert.deepEqual(paid._meta['interlock/call'], { id, state: 'succeeded', replayed: true });
  assert.deepEqual(place.paid(), ['ch_1']);
  assert.equal(interlock('approve', id, '--as', 'ann').status, 1);
  assert.equal(await gateway.close(), 0);
  assert.equal(interlock('verify').status, 0);
});
