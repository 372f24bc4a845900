/** `interlock key add|list|revoke`: what signs the log changes, and whoever trusts the first key can follow. */

import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { readSigner, signCheckpoint } from '../../src/ledger/signer.ts';
import { openReader } from '../../src/ledger/sqlite/reader.ts';
import { parseEntry } from '../../src/ledger/entry.ts';
import { type Ended, Scratch, json, run } from './command.ts';
import { openRecording, record } from './recorded.ts';

const scratch = new Scratch();
after(() => scratch[Symbol.dispose]());

let made = 0;
/** A data directory with some calls, and its first key in a file. */
async function place(): Promise<{ readonly data: string; readonly key: string }> {
  made += 1;
  const data = scratch.at(`data-${made}`);
  await record(data);
  const { vkey } = json((await interlock('verify', data, '--json')).out)['key'] as { vkey: string };
  return { data, key: scratch.write(`key-${made}`, `${vkey}\n`) };
}

function interlock(...args: readonly string[]): Promise<Ended> {
  return run(args, { directory: scratch.path });
}

interface ListedKey {
  readonly id: string;
  readonly key: string;
  readonly signs: boolean;
  readonly revoked?: unknown;
}

async function keysOf(data: string): Promise<readonly ListedKey[]> {
  return json((await interlock('key', 'list', '--data', data, '--json')).out)['keys'] as readonly ListedKey[];
}

/** The codes of what `verify` finds under the first key. */
async function problems(data: string, key: string, ...more: readonly string[]): Promise<unknown[]> {
  const { out } = await interlock('verify', data, '--key', key, ...more, '--json');
  return (json(out)['problems'] as { code: string }[]).map(({ code }) => code);
}

async function call(data: string): Promise<void> {
  await using recording = await openRecording(data);
  await recording.call('bank.pay', { charge: 'after' }, { kind: 'succeeded', output: {} });
}

test('the log goes on under a new key, and the first one is enough to verify all of it [R-key-rotation]', async () => {
  const { data, key } = await place();
  await interlock('export', '-o', 'grown', '--data', data);
  const before = readFileSync(`${data}/signer.key`, 'utf8');
  const added = await interlock('key', 'add', '--reason', 'a year is over', '--data', data, '--json');
  assert.equal(added.code, 0, added.err);
  assert.notEqual(readFileSync(`${data}/signer.key`, 'utf8'), before);
  assert.equal(existsSync(`${data}/signer.next`), false);
  await call(data);
  const listed = await keysOf(data);
  assert.deepEqual(
    listed.map(({ signs }) => signs),
    [false, true],
  );
  assert.equal(listed[1]?.key, json(added.out)['key']);
  assert.deepEqual(await problems(data, key, '--deep'), []);

  // An export from before grows on, and a receipt needs nothing but the first key.
  assert.equal((await interlock('export', '-o', 'grown', '--data', data)).code, 0);
  assert.deepEqual(await problems('grown', key), []);
  assert.equal(readFileSync(scratch.at('grown', 'verifier-key'), 'utf8').split('\n').length, 3);
  const id = (await interlock('log', '--json', '--data', data)).out.match(/"call":"([0-9a-f-]{36})"/u)?.[1] ?? '';
  assert.equal((await interlock('receipt', id, '-o', 'receipt.json', '--data', data)).code, 0);
  assert.deepEqual(await problems('receipt.json', key), []);
  const last = scratch.write('second', `${listed[1]?.key}\n`);
  assert.deepEqual(await problems(data, last), [], 'and the new one alone verifies what it signed');
});

test('a revoked key is told, and what it signs from then on is bad', async () => {
  const { data, key } = await place();
  copyFileSync(`${data}/signer.key`, scratch.at('stolen'));
  assert.equal((await interlock('key', 'add', '--data', data)).code, 0);
  const [old, current] = await keysOf(data);
  assert.ok(old !== undefined && current !== undefined);
  for (const [which, code] of [
    [current.id, 'in-force'],
    ['00000000', 'unknown-key'],
  ] as const) {
    const refused = await interlock('key', 'revoke', which, '--data', data, '--json');
    assert.deepEqual([refused.code, json(refused.out)['code']], [1, code]);
  }
  const revoked = await interlock('key', 'revoke', old.id, '--reason', 'stolen', '--data', data);
  assert.equal(revoked.code, 0, revoked.err);
  const again = await interlock('key', 'revoke', old.key, '--data', data, '--json');
  assert.equal(json(again.out)['code'], 'revoked-before');
  assert.ok((await keysOf(data))[0]?.revoked !== undefined);
  assert.deepEqual(await problems(data, key, '--deep'), []);

  // The thief signs the log as it is.
  const thief = readSigner(scratch.at('stolen')) ?? assert.fail();
  using reader = openReader(data);
  const head = reader.head().frontier;
  const { log } = reader;
  writeFileSync(scratch.at('forged'), signCheckpoint(thief, log, head));
  assert.deepEqual(await problems(data, key, '--checkpoint', 'forged'), ['outside-revoked']);
});

test('a process that has the log open goes on under the new key', async () => {
  const { data, key } = await place();
  await using recording = await openRecording(data);
  await recording.call('bank.pay', { charge: 'a' }, { kind: 'succeeded', output: {} });
  const added = json((await interlock('key', 'add', '--data', data, '--json')).out);
  await recording.call('bank.pay', { charge: 'b' }, { kind: 'succeeded', output: {} });
  const note = await recording.ledger.checkpoint();
  const [, name = '', id = ''] = /^(.*)\+([0-9a-f]{8})\+/u.exec(String(added['key'])) ?? [];
  const signature = Buffer.from(note.slice(note.lastIndexOf(' ') + 1), 'base64');
  assert.ok(note.includes(`\u2014 ${name} `));
  assert.equal(signature.subarray(0, 4).toString('hex'), id);
  assert.deepEqual(await problems(data, key), []);
});

test('of two who add a key at once, each has its way or is told, and the log verifies', async () => {
  const { data, key } = await place();
  const both = await Promise.all([1, 2].map(() => interlock('key', 'add', '--data', data, '--json')));
  const codes = both.map(({ code }) => code);
  assert.ok(codes.includes(0), JSON.stringify(both));
  assert.equal((await keysOf(data)).length, 1 + codes.filter((code) => code === 0).length);
  await call(data);
  assert.deepEqual(await problems(data, key, '--deep'), []);
});

test('a ledger whose key was lost does not open, and none goes on under an old one', async () => {
  const { data } = await place();
  copyFileSync(`${data}/signer.key`, scratch.at('before'));
  {
    await using recording = await openRecording(data);
    assert.equal((await interlock('key', 'add', '--data', data)).code, 0);
    rmSync(`${data}/signer.key`);
    copyFileSync(scratch.at('before'), `${data}/signer.key`);
    await assert.rejects(recording.ledger.checkpoint(), /signer\.key is not the key that this ledger is signed with/u);
  }
  const refused = await interlock('key', 'list', '--data', data);
  assert.equal(refused.code, 7);
  assert.match(refused.err, /signer\.key is not the key that this ledger is signed with, \S+: restore that one/u);
});

test('an entry says who added a key and why, and nothing of the private half', async () => {
  const { data } = await place();
  await interlock('key', 'add', '--reason', 'yearly', '--data', data);
  using reader = openReader(data);
  const entries = [...reader.leaves()].flatMap(({ leaf }) => {
    const parsed = parseEntry(leaf);
    return parsed.ok && parsed.value.type === 'key.added' ? [parsed.value] : [];
  });
  assert.deepEqual(
    entries.map((entry) => Object.keys(entry).toSorted()),
    [['at', 'by', 'id', 'key', 'log', 'reason', 'signature', 'type', 'v', 'voucher']],
  );
  assert.equal(entries[0]?.['reason'], 'yearly');
});
