/** A gateway and its witnesses: they see every checkpoint, they stop no call, and they know a log that was set back. */

import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openReader } from '../../src/ledger/sqlite/reader.ts';
import { type Ended, start } from '../cli/command.ts';
import { STATE_HOME } from '../state-home.ts';
import { type Lie, type TestWitness, startWitness } from '../witness.ts';
import { GatewayProcess, type PaymentsPlace, paymentsPlace } from './gateway-process.ts';

function placeWith(...witnesses: readonly TestWitness[]): PaymentsPlace {
  const named = witnesses.map(({ vkey, url }) => `    - { key: "${vkey}", url: "${url}" }\n`).join('');
  return paymentsPlace({ more: `checkpoints:\n  witnesses:\n${named}` });
}

/** Not synchronously: the witness answers from this process. */
function interlock(place: PaymentsPlace, ...args: readonly string[]): Promise<Ended> {
  return start(args, { directory: place.directory });
}

function entries(place: PaymentsPlace): Record<string, unknown>[] {
  using reader = openReader(place.data);
  return [...reader.leaves()].map(
    ({ leaf }) => JSON.parse(Buffer.from(leaf).toString('utf8')) as Record<string, unknown>,
  );
}

interface Verified {
  readonly verdict: string;
  readonly cosigners: readonly { readonly size: number; readonly known: boolean }[];
}

async function verify(place: PaymentsPlace): Promise<Verified> {
  return JSON.parse((await interlock(place, 'verify', '--json')).out) as Verified;
}

/** One session with a payment; resolves when a witness has seen it. */
async function session(place: PaymentsPlace, charge: string, seen?: () => Promise<void>): Promise<string> {
  const gateway = new GatewayProcess(place);
  await gateway.hello();
  const { state, id } = (await gateway.pay(charge, charge))._meta['interlock/call'];
  assert.equal(state, 'succeeded');
  await seen?.();
  assert.equal(await gateway.close(), 0);
  return id;
}

test('a running gateway has its checkpoints cosigned, and keeps what was signed [R-witness-running]', async () => {
  await using witness = await startWitness();
  using place = placeWith(witness);
  const id = await session(place, 'one', () => witness.reached(6));
  await session(place, 'two', () => witness.reached(entries(place).length));
  const { verdict, cosigners } = await verify(place);
  assert.deepEqual([verdict, cosigners.map(({ known }) => known)], ['ok', [true]]);
  assert.equal(cosigners[0]?.size, witness.cosigned.at(-1));
  assert.deepEqual(
    witness.cosigned,
    witness.cosigned.toSorted((a, b) => a - b),
  );

  witness.lie('refuses');
  const made = await interlock(place, 'receipt', id, '-o', 'receipt.json');
  assert.equal(made.code, 0, made.err);
  assert.match(made.err, /did not cosign/u);
  const { out } = await interlock(place, 'verify', 'receipt.json', '-c', 'interlock.yaml', '--json');
  const receipt = JSON.parse(out) as Verified;
  assert.deepEqual([receipt.verdict, receipt.cosigners.map((one) => one.known)], ['ok', [true]]);
});

for (const lie of [
  'another-key',
  'refuses',
  'hangs',
  'huge',
  'conflicts-in-turn',
  'redirects',
] as const satisfies Lie[]) {
  test(`a witness that ${lie} is recorded once, and no call waits for it`, async () => {
    await using witness = await startWitness();
    using place = placeWith(witness);
    // The start waits a little for one that hangs; later nobody does.
    if (lie !== 'hangs') witness.lie(lie);
    const gateway = new GatewayProcess(place);
    await gateway.hello();
    witness.lie(lie);
    for (const charge of ['one', 'two', 'three']) {
      assert.equal((await gateway.pay(charge, charge))._meta['interlock/call'].state, 'succeeded');
    }
    while (lie !== 'hangs' && !entries(place).some(({ type }) => type === 'ledger.witness-failed')) {
      await new Promise(setImmediate);
    }
    assert.equal(await gateway.close(), 0);
    const failed = entries(place).filter(({ type }) => type === 'ledger.witness-failed');
    assert.equal(failed.length, lie === 'hangs' ? 0 : 1);
    const known = await verify(place);
    assert.equal(known.verdict, 'ok');
    assert.deepEqual(place.paid(), ['one', 'two', 'three']);
  });
}

test('a log that was set back does not start while a witness knows better, until a person accepts it', async () => {
  await using witness = await startWitness();
  using place = placeWith(witness);
  await session(place, 'one', () => witness.reached(6));
  const backup = join(place.directory, 'backup');
  cpSync(place.data, backup, { recursive: true });
  await session(place, 'two', () => witness.reached(entries(place).length));
  rmSync(place.data, { recursive: true });
  cpSync(backup, place.data, { recursive: true });
  // Whoever set the log back took the file with its last checkpoint along.
  rmSync(join(STATE_HOME, 'interlock'), { recursive: true });

  const refused = await interlock(place, 'gateway');
  assert.equal(refused.code, 7, refused.err);
  assert.match(refused.err, /the witness `witness\.example\/test\+[0-9a-f]{8}` has seen \d+ entries of this log/u);
  assert.match(refused.err, /interlock recover --accept-rollback/u);

  const accepted = await interlock(place, 'recover', '--accept-rollback', '--reason', 'the disk died', '--json');
  assert.deepEqual([accepted.code, JSON.parse(accepted.out)], [0, { ok: true, done: 'rollback-accepted' }]);
  assert.equal((await interlock(place, 'recover', '--lift', '--reason', 'compared')).code, 0);
  await session(place, 'three');
  assert.equal((await interlock(place, 'verify', '--deep')).code, 0);
  const again = await interlock(place, 'recover', '--accept-rollback', '--reason', 'twice', '--json');
  assert.equal(again.code, 1, again.out);
});

test('the start of a gateway waits for no witness that is away', async () => {
  const gone = await startWitness();
  await gone[Symbol.asyncDispose]();
  using place = placeWith(gone);
  await session(place, 'one');
  assert.deepEqual(place.paid(), ['one']);
});
