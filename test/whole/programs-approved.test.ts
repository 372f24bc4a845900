/** People in runs of programs over MCP: a step that asks, and a program that is asked about before it starts. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { INTERLOCK, paymentsPlace } from './gateway-process.ts';
import { ProgramHost, TWICE, programFile } from './program-host.ts';

const ASKS = `program: asks
start: ask
steps:
  ask: { ask: ann, show: "Pay?", timeout: 1h, yes: pay, no: rejected, expired: rejected }
  pay: { tool: payments.create_payment, args: { charge: asked, amount: 1, currency: eur, to: a }, on_error: rejected, next: done }
  done: { end: success }
  rejected: { end: rejected }
`;
const POLICY = `  - allow: interlock.*
  - { ask: interlock.twice, approvers: [ann] }
programs:
  asks: { file: asks.yaml }
  twice: { file: twice.yaml, as: tool }
`;

test('a run that asks goes on when it is answered, and a program that is asked about starts then [R-program-tools]', async () => {
  using place = paymentsPlace({ more: POLICY });
  const env = {
    ...process.env,
    XDG_CONFIG_HOME: programFile(place.directory, 'home'),
    INTERLOCK_PASSPHRASE: 'a long enough one',
  };
  const interlock = (...args: readonly string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, [INTERLOCK, ...args], { cwd: place.directory, env, encoding: 'utf8' });
  writeFileSync(programFile(place.directory, 'asks.yaml'), ASKS);
  writeFileSync(programFile(place.directory, 'twice.yaml'), TWICE);
  const policy = programFile(place.directory, 'interlock.yaml');
  writeFileSync(policy, `${readFileSync(policy, 'utf8')}${interlock('approver', 'add', 'ann').stdout}  local: {}\n`);
  await using host = await ProgramHost.start(place.directory);

  const asking = await host.call('run_program', { program: 'asks' });
  const [wait] = asking.told['waits'] as readonly { kind: string; of: string }[];
  assert.deepEqual([asking.told['status'], wait?.kind], ['suspended', 'approval']);
  const approved = interlock('approve', wait?.of ?? '', '--as', 'ann');
  assert.equal(approved.status, 0, approved.stderr);
  // Nobody asks for it again: the gateway sees the answer by itself.
  await host.until(asking.told['run'], (status) => status === 'success');
  assert.deepEqual(place.paid(), ['asked']);

  const parked = await host.call('twice', {}, 'order-1');
  const { id, state } = parked.meta['interlock/call'] ?? {};
  assert.deepEqual([state, place.paid().length], ['parked', 1]);
  assert.equal(interlock('approve', String(id), '--as', 'ann').status, 0);
  while (place.paid().length < 3) await new Promise((resolve) => setTimeout(resolve, 50));
  const made = await host.call('twice', {}, 'order-1');
  assert.deepEqual([made.told, made.meta['interlock/run']?.['status']], [{ done: true }, 'success'], made.text);
  assert.deepEqual(place.paid(), ['asked', 'ch_1', 'ch_2']);
  const deep = interlock('verify', '--deep');
  assert.equal(deep.status, 0, deep.stdout);
});
