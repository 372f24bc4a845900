/** `interlock export`: a log that others verify with nothing but its directory and a key. */

import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { type Ended, Scratch, json, run } from './command.ts';
import { leaves, openRecording, record } from './recorded.ts';

const scratch = new Scratch();
const data = scratch.at('.interlock');

before(() => record(data));
after(() => scratch[Symbol.dispose]());

function interlock(...args: readonly string[]): Promise<Ended> {
  return run(args, { directory: scratch.path });
}

test('an export verifies without the data directory, and says the same of the log', async () => {
  const { code, out, err } = await interlock('export', '-o', 'out');
  assert.deepEqual([code, err], [0, '']);
  const { length } = leaves(data);
  assert.match(
    out,
    new RegExp(`^${length} new entries, ${length} in all, in out\\n {2}verify it anywhere with: `, 'u'),
  );
  const [exported, kept] = await Promise.all([interlock('verify', 'out', '--json'), interlock('verify', '--json')]);
  assert.equal(exported.code, 0);
  assert.equal(json(exported.out)['root'], json(kept.out)['root']);
  assert.equal(json(exported.out)['checkpoint'], json(kept.out)['checkpoint']);
});

test('a second export adds what is new, and the log must have grown from the first', async () => {
  await interlock('export', '-o', 'grown');
  {
    await using recording = await openRecording(data);
    await recording.call('bank.pay', { charge: 'x' }, { kind: 'succeeded', output: {} });
  }
  const { code, out } = await interlock('export', '--out', 'grown', '--json');
  assert.equal(code, 0);
  const told = json(out);
  assert.equal(told['entries'], leaves(data).length);
  assert.ok(Number(told['added']) >= 2 && Number(told['added']) < leaves(data).length);
  assert.equal((await interlock('verify', 'grown')).code, 0);
});

test('one changed byte in any file of an export is found, its key file included', async () => {
  await interlock('export', '-o', 'sound');
  const key = readFileSync(scratch.at('sound', 'verifier-key'), 'utf8');
  writeFileSync(scratch.at('sound', 'verifier-key'), key.replace('+', 'x+'));
  const found = await interlock('verify', 'sound', '--json');
  assert.equal(found.code, 1);
  assert.match(found.out, /"code":"export-key"/u);
  writeFileSync(scratch.at('sound', 'verifier-key'), key);
  rmSync(scratch.at('sound', 'checkpoint'));
  const lost = await interlock('verify', 'sound');
  assert.equal(lost.code, 1);
  assert.match(lost.out, /^bad: .*expected the file `checkpoint`, got none \[export-missing\]/su);
});

test('an export goes nowhere it could destroy something', async () => {
  scratch.write('thesis/chapter-1.txt', 'years of work');
  const { code, err } = await interlock('export', '-o', 'thesis');
  assert.equal(code, 2);
  assert.match(err, /holds `chapter-1\.txt`, which is of no export: name another directory\n$/u);
  scratch.write('file', '');
  const file = await interlock('export', '-o', 'file');
  assert.equal(file.code, 2);
  assert.match(file.err, /file` is a file, expected a directory\n$/u);
  assert.equal((await interlock('export')).code, 2);
  assert.equal((await interlock('export', '-o', 'x', '--witness', 'w.example')).code, 2);
  assert.equal((await interlock('export', '-o', 'x', '--witness-key', 'k')).code, 2);
  assert.equal((await interlock('export', '-o', 'x', '--data', 'absent')).code, 7);
});
