import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { sampleLeaves, signed, signer } from '../../../test/sample-log.ts';
import { formatVerifierKey } from '../../tlog/note.ts';
import { verifyEd25519 } from '../ed25519.ts';
import { verifyLog } from '../verify/verify.ts';
import { openExport } from './read.ts';
import { writeExport } from './write.ts';
import type { Written } from './write.ts';

const owner = signer(1);
const leaves = sampleLeaves(700, owner);
const scratch = mkdtempSync(join(tmpdir(), 'interlock-export-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

let made = 0;
function place(): string {
  made += 1;
  return join(scratch, String(made));
}

function write(directory: string, size: number, from: readonly Uint8Array[] = leaves): Written {
  return writeExport(directory, {
    checkpoint: String(signed(from, size, owner).note),
    keys: [formatVerifierKey(owner.key)],
    leaves: (first) => from.slice(first),
    unique: 'test',
  });
}

/** Every file by its path, as bytes. */
function filesOf(directory: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' }).toSorted()) {
    const file = join(directory, name);
    if (statSync(file).isFile()) found.set(name, readFileSync(file).toString('hex'));
  }
  return found;
}

/** What is wrong with the export, as codes; those of its log first. */
async function problemsOf(directory: string): Promise<string[]> {
  const reading = openExport(directory);
  assert.ok(reading);
  const source = { entries: reading.entries(), checkpoints: reading.checkpoints };
  const report = await verifyLog(source, { checkSignature: verifyEd25519, key: owner.key });
  return [...report.problems, ...reading.problems()].map(({ code }) => code);
}

test('an export holds exactly the files of its size, and is found to be in order', async () => {
  for (const size of [1, 255, 256, 257, 700]) {
    const directory = place();
    assert.deepEqual(write(directory, size), { entries: size, added: size });
    assert.deepEqual(await problemsOf(directory), []);
  }
  assert.deepEqual(
    [...filesOf(join(scratch, String(made))).keys()],
    [
      'checkpoint',
      'tile/0/000',
      'tile/0/001',
      'tile/0/002.p/188',
      'tile/1/000.p/2',
      'tile/entries/000',
      'tile/entries/001',
      'tile/entries/002.p/188',
      'verifier-key',
    ],
  );
});

test('an export that is brought up to date is the one that is written at once', async () => {
  const [grown, whole] = [place(), place()];
  const sizes = [3, 3, 200, 256, 300, 511, 512, 700];
  const added = sizes.map((size) => write(grown, size).added);
  assert.deepEqual(added, [3, 0, 197, 56, 44, 211, 1, 188]);
  write(whole, 700);
  assert.deepEqual(filesOf(grown), filesOf(whole));
  assert.deepEqual(await problemsOf(grown), []);
});

test('whatever is changed, removed or added in an export is reported [R-export]', async () => {
  const sound = place();
  write(sound, 700);
  for (const [name, hex] of filesOf(sound)) {
    for (const change of ['changed', 'cut', 'gone', 'emptied'] as const) {
      const copy = place();
      cpSync(sound, copy, { recursive: true });
      const bytes = Buffer.from(hex, 'hex');
      const file = join(copy, name);
      if (change === 'changed') writeFileSync(file, bytes.with(bytes.length >> 1, (bytes[bytes.length >> 1] ?? 0) ^ 1));
      if (change === 'cut') writeFileSync(file, bytes.subarray(0, -2));
      if (change === 'emptied') writeFileSync(file, '');
      if (change === 'gone') rmSync(file);
      const reading = openExport(copy);
      const found = await problemsOf(copy);
      // The key beside the log is compared with the log's own by whoever verifies.
      const isKeySeen = reading?.keys?.join(' ') !== formatVerifierKey(owner.key);
      assert.ok(found.length > 0 || (name === 'verifier-key' && isKeySeen), `${name} ${change}`);
    }
  }
  for (const name of ['tile/0/002', 'tile/0/002.p/187', 'tile/2/000.p/1', 'tile/x', 'note', 'tile/entries/003.p/1']) {
    const copy = place();
    cpSync(sound, copy, { recursive: true });
    mkdirSync(join(copy, name, '..'), { recursive: true });
    writeFileSync(join(copy, name), '');
    assert.deepEqual(await problemsOf(copy), ['export-extra'], name);
  }
});

test('an export is never written over something else', () => {
  const foreign = place();
  mkdirSync(foreign);
  writeFileSync(join(foreign, 'thesis.doc'), 'years of work');
  assert.throws(() => write(foreign, 5), { code: 'conflict' });
  const other = place();
  write(other, 300);
  const stranger = {
    checkpoint: String(signed(leaves, 400, signer(2)).note),
    keys: [formatVerifierKey(signer(2).key)],
  };
  const strange = { ...stranger, leaves: () => leaves, unique: 'x' };
  assert.throws(() => writeExport(other, strange), { code: 'conflict' });
  assert.throws(() => write(other, 200), { code: 'conflict', message: /has 300 entries, more than the 200/ });
});

test('an export that this log did not grow from keeps its checkpoint', async () => {
  const rewritten = leaves.with(5, sampleLeaves(1, owner)[0] ?? assert.fail());
  const early = leaves.with(270, sampleLeaves(1, owner)[0] ?? assert.fail());
  for (const [history, from] of [
    [rewritten, 300],
    [rewritten, 512],
    [early, 300],
    [early, 271],
  ] as const) {
    const directory = place();
    write(directory, from);
    const before = filesOf(directory).get('checkpoint');
    assert.throws(() => write(directory, 700, history), { code: 'conflict' }, String([from, history === early]));
    assert.equal(filesOf(directory).get('checkpoint'), before);
  }
});

test('a run that was cut anywhere is taken up by the next', async () => {
  const whole = place();
  write(whole, 700);
  const wanted = filesOf(whole);
  for (const missing of wanted.keys()) {
    if (missing === 'checkpoint') continue;
    // Cut before its last step: everything but the new checkpoint and one file is there, and a draft is left.
    const cut = place();
    write(cut, 300);
    const old = filesOf(cut);
    for (const [name, hex] of wanted) {
      if (name === 'checkpoint' || name === missing || old.has(name)) continue;
      mkdirSync(join(cut, name, '..'), { recursive: true });
      writeFileSync(join(cut, name), Buffer.from(hex, 'hex'));
    }
    writeFileSync(join(cut, '.draft-old'), 'half of a ti');
    write(cut, 700);
    assert.deepEqual(filesOf(cut), wanted, missing);
  }
});
