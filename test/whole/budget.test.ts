/** Budgets and the kill switch over real gateways that share a data directory, with effects counted outside. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { GatewayProcess, INTERLOCK, type PaymentsPlace, type ToolAnswer, paymentsPlace } from './gateway-process.ts';

const BUDGET = {
  declared: 'cost: { money: args.amount }',
  more: 'budgets:\n  money: { limit: 1000, unit: eur-cents, per: [principal], window: 24h }',
};

async function both(t: TestContext, place: PaymentsPlace): Promise<readonly GatewayProcess[]> {
  const gateways = [new GatewayProcess(place), new GatewayProcess(place)];
  // Those that a failed assertion left running.
  t.after(() => Promise.all(gateways.map((gateway) => gateway.kill())));
  await Promise.all(gateways.map((gateway) => gateway.hello()));
  return gateways;
}

function codesOf(answers: readonly ToolAnswer[]): Record<string, number> {
  const counted: Record<string, number> = {};
  for (const answer of answers) {
    const code = answer._meta['interlock/decision']?.code ?? answer._meta['interlock/call'].state;
    counted[code] = (counted[code] ?? 0) + 1;
  }
  return counted;
}

test('200 callers of two gateways with a budget for ten pay exactly ten times [R-budgets]', async (t) => {
  using place = paymentsPlace(BUDGET);
  const gateways = await both(t, place);
  const calls = gateways.flatMap((gateway, which) =>
    Array.from({ length: 100 }, (_, index) => gateway.pay(`ch_${which}_${index}`)),
  );
  assert.deepEqual(codesOf(await Promise.all(calls)), { succeeded: 10, 'budget-exhausted': 190 });
  assert.equal(place.paid().length, 10);
  assert.deepEqual(await Promise.all(gateways.map((gateway) => gateway.close())), [0, 0]);
});

test('a kill from a terminal stops the next call in every gateway, and survives a restart [R-kill]', async (t) => {
  using place = paymentsPlace();
  const interlock = (...args: readonly string[]): number | null =>
    spawnSync(process.execPath, [INTERLOCK, ...args], { cwd: place.directory }).status;
  const gateways = await both(t, place);
  assert.deepEqual(codesOf(await Promise.all(gateways.map((one, index) => one.pay(`a${index}`)))), { succeeded: 2 });
  assert.equal(interlock('kill', 'server:payments', '--reason', 'smoke'), 0);
  assert.deepEqual(codesOf(await Promise.all(gateways.map((one, index) => one.pay(`b${index}`)))), {
    'kill-switch': 2,
  });
  await Promise.all(gateways.map((gateway) => gateway.close()));

  const later = new GatewayProcess(place);
  t.after(() => later.kill());
  await later.hello();
  assert.deepEqual(codesOf([await later.pay('c')]), { 'kill-switch': 1 });
  assert.equal(interlock('revive', 'server:payments', '--reason', 'out'), 0);
  assert.deepEqual(codesOf([await later.pay('c')]), { succeeded: 1 });
  assert.equal(place.paid().length, 3);
  await later.close();
});
