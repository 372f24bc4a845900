/** Erasing beside the real gateway, as processes: while a call runs, while a reader looks, and when the eraser is killed. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openReader } from '../../src/ledger/sqlite/reader.ts';
import { STATE_HOME } from '../state-home.ts';
import { GatewayProcess, INTERLOCK, type PaymentsPlace, paymentsPlace, verified } from './gateway-process.ts';

const CANARY = 'canary.whole@example.com';

function erase(place: PaymentsPlace, value: string): ChildProcess {
  const args = [INTERLOCK, 'erase', '--value', value, '--reason', 'ticket 9', '--json'];
  const environment = { ...process.env, XDG_STATE_HOME: STATE_HOME };
  return spawn(process.execPath, args, { cwd: place.directory, stdio: 'ignore', env: environment });
}

function types(place: PaymentsPlace): string[] {
  using reader = openReader(place.data);
  return [...reader.leaves()].map(({ leaf }) => (JSON.parse(Buffer.from(leaf).toString()) as { type: string }).type);
}

/** Resolves when an entry of this type is there; every look is an answer of the gateway away from the next. */
async function recorded(place: PaymentsPlace, gateway: GatewayProcess, type: string): Promise<void> {
  const late = AbortSignal.timeout(30_000);
  while (!types(place).includes(type)) {
    late.throwIfAborted();
    await gateway.request('ping', {});
  }
}

/** The records of subjects' keys, as they are stored. */
function records(place: PaymentsPlace): Buffer[] {
  using database = new DatabaseSync(join(place.data, 'ledger.db'), { readOnly: true });
  return database
    .prepare('SELECT record FROM subjects')
    .all()
    .map(({ record }) => Buffer.from(record as Uint8Array).subarray(4));
}

function assertNowhere(place: PaymentsPlace, what: readonly (Buffer | string)[]): void {
  const files = readdirSync(place.data, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  for (const file of files) {
    const bytes = readFileSync(join(file.parentPath, file.name));
    for (const one of what) assert.equal(bytes.indexOf(one), -1, file.name);
  }
}

test('a person is erased while the gateway runs a call about it: the call ends, its key protects, nothing is kept', async (t) => {
  using place = paymentsPlace();
  const gateway = new GatewayProcess(place);
  t.after(() => gateway.kill());
  await gateway.hello();
  await gateway.pay(CANARY, 'k1');
  await gateway.pay('ch_2', 'k2');
  writeFileSync(place.hold, '');
  const running = gateway.pay(CANARY, 'k3');
  while (types(place).filter((type) => type === 'call.intent').length < 3) await gateway.request('ping', {});
  const keys = records(place);
  const [code] = (await once(erase(place, CANARY), 'exit')) as [number];
  assert.equal(code, 0);
  rmSync(place.hold);
  const ended = await running;
  assert.equal(ended._meta['interlock/call'].state, 'succeeded');
  for (const key of ['k1', 'k3']) {
    const again = await gateway.pay(CANARY, key);
    assert.deepEqual(
      [again._meta['interlock/decision']?.code, again._meta['interlock/call'].replayed],
      ['erased', true],
    );
  }
  assert.equal((await gateway.pay('ch_2', 'k2'))._meta['interlock/call'].replayed, true);
  assert.deepEqual(place.paid(), [CANARY, 'ch_2', CANARY]);
  assert.equal(await gateway.close(), 0);
  assertNowhere(place, [CANARY, ...keys]);
  assert.equal(verified(place).verdict, 'ok');
});

test('an eraser that is killed while a reader keeps old pages leaves a request, which the gateway ends', async (t) => {
  using place = paymentsPlace();
  const gateway = new GatewayProcess(place);
  t.after(() => gateway.kill());
  await gateway.hello();
  await gateway.pay(CANARY, 'k1');
  const keys = records(place);
  const reader = new DatabaseSync(join(place.data, 'ledger.db'), { readOnly: true });
  reader.exec('BEGIN');
  reader.prepare('SELECT count(*) FROM subjects').get();
  const eraser = erase(place, CANARY);
  const exited = once(eraser, 'exit');
  await recorded(place, gateway, 'erasure.requested');
  eraser.kill('SIGKILL');
  await exited;
  assert(!types(place).includes('erasure.executed'));
  reader.close();
  await recorded(place, gateway, 'erasure.executed');
  const [code] = (await once(erase(place, CANARY), 'exit')) as [number];
  assert.equal(code, 0);
  assert.equal(types(place).filter((type) => type === 'erasure.executed').length, 1);
  assert.equal(await gateway.close(), 0);
  assertNowhere(place, [CANARY, ...keys]);
  assert.equal(verified(place).verdict, 'ok');
});
