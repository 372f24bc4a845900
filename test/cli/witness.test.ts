/** Witnesses: what they cosign is carried along and verified, and what contradicts them is told. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { type Lie, startWitness, witnessKeyLine } from '../witness.ts';
import { type Ended, Scratch, json, run } from './command.ts';
import { copyData, openRecording, record } from './recorded.ts';

const scratch = new Scratch();
const data = scratch.at('.interlock');

before(() => record(data));
after(() => scratch[Symbol.dispose]());

function interlock(...args: readonly string[]): Promise<Ended> {
  return run(args, { directory: scratch.path });
}

/** One more call. */
async function grow(directory = data): Promise<void> {
  await using recording = await openRecording(directory);
  await recording.call('bank.pay', { charge: 'x' }, { kind: 'succeeded', output: {} });
}

/** The key file of a log and of witnesses, as a stranger is handed it. */
async function keysOf(...witnesses: readonly string[]): Promise<string> {
  const { out } = await interlock('verify', '--json');
  const { vkey } = json(out)['key'] as { vkey: string };
  return scratch.write('keys', `${vkey}\n${witnesses.join('\n')}\n`);
}

interface Verified {
  readonly verdict: string;
  readonly problems: readonly { code: string }[];
  readonly cosigners: readonly { witness: string; size: number; known: boolean; at?: string }[];
}

async function verify(...args: readonly string[]): Promise<Verified> {
  return json((await interlock('verify', ...args, '--json')).out) as unknown as Verified;
}

test('an export carries what a witness cosigned, and a stranger with its key sees that [R-witness]', async () => {
  await using witness = await startWitness();
  const made = await interlock('export', '-o', 'seen', '--witness', witness.url, '--witness-key', witness.vkey);
  assert.deepEqual([made.code, made.err], [0, '']);
  assert.match(made.out, /cosigned by witness\.example\/test\n$/u);
  const keys = await keysOf(witness.vkey);
  const { verdict, cosigners } = await verify('seen', '--key', keys);
  assert.equal(verdict, 'ok');
  const [cosigner] = cosigners;
  assert.deepEqual([cosigners.length, cosigner?.witness, cosigner?.known], [1, 'witness.example/test', true]);
  assert.deepEqual([cosigner?.size, cosigner?.at], [witness.cosigned.at(-1), '2026-11-20T18:00:00.000Z']);
  const shown = await interlock('verify', 'seen', '--key', keys);
  assert.match(shown.out, /cosigned by witness\.example\/test\+[0-9a-f]{8}: \d+ entries, seen 2026-11-20T18/u);
});

test('of a log that grew the witness sees that it did, and cosigns again', async () => {
  await using witness = await startWitness();
  for (let round = 0; round < 4; round += 1) {
    await grow();
    const made = await interlock(
      'export',
      '-o',
      'grown',
      '--witness',
      witness.url,
      '--witness-key',
      witness.vkey,
      '--json',
    );
    assert.deepEqual([made.code, json(made.out)['cosigned']], [0, ['witness.example/test']], made.err);
  }
  assert.equal(witness.cosigned.length, 4);
  assert.equal((await verify('grown', '--key', await keysOf(witness.vkey))).verdict, 'ok');
});

test('who is unknown to a verifier proves nothing to it, and is named', async () => {
  await using witness = await startWitness();
  const made = await interlock('export', '-o', 'trusting', '--witness', witness.url);
  assert.match(made.out, /cosigned by http:\S+, whose key was not given: that is its word/u);
  const { verdict, cosigners } = await verify('trusting', '--key', await keysOf());
  assert.deepEqual([verdict, cosigners.map(({ known }) => known)], ['ok', [false]]);
  const shown = await interlock('verify', 'trusting');
  assert.match(shown.out, /also signed by witness\.example\/test\+[0-9a-f]{8}, a key unknown here/u);
});

test('a cosignature that was made up is found by whoever has the key', async () => {
  await using witness = await startWitness();
  await interlock('export', '-o', 'forged', '--witness', witness.url, '--witness-key', witness.vkey);
  const file = scratch.at('forged', 'checkpoint');
  const note = readFileSync(file, 'utf8');
  const line = note.slice(note.lastIndexOf('\u2014'));
  writeFileSync(
    file,
    note.replace(
      line,
      line.replace(/(.{6})=?=?\n$/u, (end) => end.replace(/[A-Za-z0-9]/u, 'x')),
    ),
  );
  const { verdict, problems } = await verify('forged', '--key', await keysOf(witness.vkey));
  assert.deepEqual([verdict, problems.map(({ code }) => code)], ['bad', ['cosignature-invalid']]);
});

const LIES: readonly (readonly [Lie, RegExp])[] = [
  ['another-root', /its cosignature does not verify/u],
  ['another-key', /no cosignature of the key that was named/u],
  ['no-lines', /it answers 200 and no cosignature/u],
  ['refuses', /it answers 403: it does not trust the key of this log/u],
  ['huge', /at most 65536 bytes, got more/u],
  ['conflicts', /it answers 409 and the same size/u],
  ['conflicts-in-turn', /it answered 409 with another size 3 times/u],
  ['ahead', /has seen \d+ entries of this log, more than it has: it is an older copy of itself/u],
  ['differs', /has seen other entries among the first 1 of this log/u],
  ['redirects', /got a redirect \(307\) to `http:\/\/169\.254\.169\.254\/`/u],
];

for (const [lie, told] of LIES) {
  test(`of a witness that lies (${lie}) nothing is taken, and nothing is written`, async () => {
    await using witness = await startWitness();
    witness.lie(lie);
    const { code, out, err } = await interlock(
      'export',
      '-o',
      lie,
      '--witness',
      witness.url,
      '--witness-key',
      witness.vkey,
    );
    assert.deepEqual([code, out], [1, '']);
    assert.match(err, told);
    assert.match(err, /interlock: nothing was written\n$/u);
    assert.equal(existsSync(scratch.at(lie)), false);
  });
}

test('nobody at the URL, a key that is none and one of somebody else are told', async () => {
  await using witness = await startWitness();
  const gone = await startWitness();
  await gone[Symbol.asyncDispose]();
  const away = await interlock('export', '-o', 'x', '--witness', gone.url, '--json');
  assert.equal(away.code, 1);
  assert.equal(json(away.out)['code'], 'not-cosigned');
  const key = await interlock('export', '-o', 'x', '--witness', witness.url, '--witness-key', 'no-such-file');
  assert.equal(key.code, 2);
  scratch.write('other', `${witnessKeyLine(3)}\n`);
  const other = await interlock('export', '-o', 'x', '--witness', witness.url, '--witness-key', 'other');
  assert.equal(other.code, 1);
  assert.match(other.err, /no cosignature of the key that was named for it/u);
  scratch.write('log-key', readFileSync(await keysOf(), 'utf8'));
  const log = await interlock('export', '-o', 'x', '--witness', witness.url, '--witness-key', 'log-key');
  assert.match(log.err, /is no key of a witness/u);
});

test('the witnesses of a configuration cosign exports and receipts, and one that is away is told', async () => {
  await using witness = await startWitness();
  const gone = await startWitness(7);
  await gone[Symbol.asyncDispose]();
  const named = [witness, gone].map(({ vkey, url }) => `    - { key: "${vkey}", url: "${url}" }\n`).join('');
  scratch.write('interlock.yaml', `interlock: 1\ncheckpoints:\n  witnesses:\n${named}`);
  const made = await interlock('export', '-o', 'configured', '--json');
  assert.equal(made.code, 0);
  assert.deepEqual(json(made.out)['cosigned'], ['witness.example/test']);
  assert.match(made.err, /^interlock: the witness `witness\.example\/test` did not cosign: /u);
  assert.deepEqual(
    (await verify('configured', '-c', 'interlock.yaml')).cosigners.map(({ known }) => known),
    [true],
  );
  const { call } = (await interlock('log', '--json')).out
    .split('\n')
    .flatMap((line) => (line.includes('call.succeeded') ? [JSON.parse(line) as { call: string }] : []))[0] ?? {
    call: '',
  };
  assert.equal((await interlock('receipt', call, '-o', 'receipt.json')).code, 0);
  const receipt = await verify('receipt.json', '-c', 'interlock.yaml');
  assert.deepEqual([receipt.verdict, receipt.cosigners.map(({ known }) => known)], ['ok', [true]]);
});

test('an older copy of the log is told by the witness of the newer one', async () => {
  await using witness = await startWitness();
  const older = copyData(data, scratch.at('older'));
  await grow();
  assert.equal((await interlock('export', '-o', 'newer', '--witness', witness.url)).code, 0);
  const restored = copyData(older, scratch.at('restored'));
  await grow(restored);
  const forked = await interlock('export', '-o', 'older-out', '--witness', witness.url, '--data', restored);
  assert.equal(forked.code, 1);
  assert.match(forked.err, /has seen other entries|more than it has/u);
});
