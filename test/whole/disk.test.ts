/** A gateway whose disk fails: calls are denied with the reason, and what was answered stays answered. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { faultyDisk } from '../fault/disk.ts';
import { GatewayProcess, INTERLOCK, paymentsPlace, verified } from './gateway-process.ts';

test('after a failed fsync no call is run and none is lost, until the gateway is started again [R-disk-fault]', async (t) => {
  const disk = faultyDisk(t);
  if (disk === undefined) return;
  using place = paymentsPlace();
  const gateway = new GatewayProcess(place, disk.environment);
  await gateway.hello();
  assert.equal((await gateway.pay('ch_1', 'a'))._meta['interlock/call'].state, 'succeeded');
  disk.start('sync-fails');
  const failed = await gateway.pay('ch_2', 'b');
  disk.end('sync-fails');
  const denied = await gateway.pay('ch_3', 'c');
  for (const { isError, content, _meta } of [failed, denied]) {
    assert.deepEqual([isError, _meta['interlock/decision']?.code], [true, 'ledger-stopped']);
    assert.match(content[0]?.text ?? '', /not run.*an fsync failed.*start again/u);
  }
  assert.deepEqual(place.paid(), ['ch_1']);
  await gateway.close();

  const next = new GatewayProcess(place);
  await next.hello();
  const again = await next.pay('ch_1', 'a');
  assert.equal(again._meta['interlock/call'].replayed, true);
  assert.equal((await next.pay('ch_3', 'c'))._meta['interlock/call'].state, 'succeeded');
  assert.deepEqual(place.paid(), ['ch_1', 'ch_3']);
  assert.equal(await next.close(), 0);
  assert.deepEqual(verified(place), { verdict: 'ok', problems: [] });
});

test('an fsync that fails after the effect makes the call unknown, not failed [R-disk-fault]', async (t) => {
  const disk = faultyDisk(t);
  if (disk === undefined) return;
  using place = paymentsPlace();
  const gateway = new GatewayProcess(place, disk.environment);
  await gateway.hello();
  writeFileSync(place.hold, '');
  const paid = gateway.pay('ch_1', 'a');
  while (place.paid().length === 0) await turn();
  disk.start('sync-fails');
  rmSync(place.hold);
  const answer = await paid;
  assert.equal(answer._meta['interlock/decision']?.code, 'outcome-unknown');
  disk.end('sync-fails');
  await gateway.kill();

  const next = new GatewayProcess(place);
  await next.hello();
  // The commit that failed may have landed: then the outcome is there, else the call is unknown. It never runs again.
  const { state } = (await next.pay('ch_1', 'a'))._meta['interlock/call'];
  assert.ok(state === 'unknown' || state === 'succeeded', state);
  assert.deepEqual(place.paid(), ['ch_1']);
  assert.equal(await next.close(), 0);
  assert.deepEqual(verified(place), { verdict: 'ok', problems: [] });
});

test('below the reserve a call is refused as busy and is not recorded, until the policy asks for less [R-reserve]', async () => {
  // More than any disk has.
  using place = paymentsPlace({ more: 'disk: { reserve: 1024TiB }' });
  const gateway = new GatewayProcess(place);
  await gateway.hello();
  const refused = await gateway.pay('ch_1', 'a');
  assert.equal(refused._meta['interlock/decision']?.code, 'busy');
  assert.match(refused.content[0]?.text ?? '', /not run: the disk of the ledger has \d+ MiB left.*`disk\.reserve`/u);
  assert.equal(await gateway.close(), 0);
  const log = spawnSync(process.execPath, [INTERLOCK, 'log', '--json'], { cwd: place.directory, encoding: 'utf8' });
  assert.doesNotMatch(log.stdout, /"type":"call\./u);

  const file = join(place.directory, 'interlock.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replace('1024TiB', '1KiB'));
  const next = new GatewayProcess(place);
  await next.hello();
  assert.equal((await next.pay('ch_1', 'a'))._meta['interlock/call'].state, 'succeeded');
  assert.equal(await next.close(), 0);
});

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}
