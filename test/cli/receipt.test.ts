/** `interlock receipt`: evidence of one call that others verify with nothing but the file and a key. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { type Ended, Scratch, json, run } from './command.ts';
import { leaves, openRecording, record } from './recorded.ts';

const scratch = new Scratch();
const data = scratch.at('.interlock');
let call = '';

before(async () => {
  await record(data);
  await using recording = await openRecording(data);
  await recording.call('bank.pay', { charge: 'receipt' }, { kind: 'succeeded', output: {} });
  const [last] = leaves(data)
    .map((leaf) => JSON.parse(leaf) as Record<string, unknown>)
    .filter(({ call: id }) => typeof id === 'string')
    .toReversed();
  call = String(last?.['call']);
});
after(() => scratch[Symbol.dispose]());

function interlock(...args: readonly string[]): Promise<Ended> {
  return run(args, { directory: scratch.path });
}

test('a receipt holds all entries of its call, and verifies elsewhere [R-receipt]', async () => {
  const made = await interlock('receipt', call, '-o', 'receipt.json', '--json');
  assert.deepEqual([made.code, made.err], [0, '']);
  const told = json(made.out);
  assert.equal(told['call'], call);
  const own = leaves(data).filter((leaf) => (JSON.parse(leaf) as Record<string, unknown>)['call'] === call);
  assert.equal(told['entries'], own.length + 1);
  assert.ok(own.length >= 2);

  using elsewhere = new Scratch();
  elsewhere.write('receipt.json', readFileSync(scratch.at('receipt.json'), 'utf8'));
  elsewhere.write('key', String(told['key']));
  const verified = await run(['verify', 'receipt.json', '--key', 'key', '--json'], { directory: elsewhere.path });
  assert.equal(verified.code, 0, verified.out);
  assert.equal(json(verified.out)['entries'], own.length + 1);
  const trusting = await run(['verify', 'receipt.json'], { directory: elsewhere.path });
  assert.match(trusting.out, /^ok: .*key taken on trust/su);
});

test('a changed receipt is found, with the entry', async () => {
  await interlock('receipt', call.slice(-12), '-o', 'sound.json');
  const text = readFileSync(scratch.at('sound.json'), 'utf8');
  assert.match(text, /bank\.pay/u);
  writeFileSync(scratch.at('forged.json'), text.replace('bank.pay', 'bank.pat'));
  const found = await interlock('verify', 'forged.json');
  assert.equal(found.code, 1);
  assert.match(found.out, /^bad: .*entry \d+: expected a proof that this is entry \d+ of the \d+ .* \[entry-proof\]/su);
  writeFileSync(scratch.at('empty.json'), '');
  assert.match((await interlock('verify', 'empty.json')).out, /\[bundle-malformed\]/u);
});

test('a call that is not there, ids that are too short and files that cannot be written are told', async () => {
  for (const [args, message] of [
    [['receipt', '00000000-0000-7000-8000-000000000000', '-o', 'x'], /no call .* is in this log/u],
    [['receipt', call.slice(-5), '-o', 'x'], /its last 8 characters/u],
    [['receipt', call], /--out/u],
    [['receipt', call, '-o', 'no/such/place'], /`no\/such\/place` cannot be written: the system says ENOENT/u],
  ] as const) {
    const { code, out, err } = await interlock(...args);
    assert.deepEqual([code, out], [2, ''], args.join(' '));
    assert.match(err, message);
  }
});
