/** An export is verified by Go's libraries for transparency logs, which know nothing of Interlock. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { writeExport } from '../../src/ledger/export/write.ts';
import { formatVerifierKey } from '../../src/tlog/note.ts';
import { Scratch, json, run } from '../cli/command.ts';
import { record } from '../cli/recorded.ts';
import { sampleLeaves, signed, signer } from '../sample-log.ts';
import { startWitness } from '../witness.ts';

const PROGRAM = join(import.meta.dirname, 'verify-export.go');
/** Where Debian puts the sources of Go libraries. */
const GOPATH = '/usr/share/gocode';
const LIBRARY = join(GOPATH, 'src/golang.org/x/mod/sumdb/tlog');

function absent(): string | false {
  if (spawnSync('go', ['version']).status !== 0) return 'go is not installed (Debian: golang-go)';
  return existsSync(LIBRARY) ? false : 'its sumdb libraries are not installed (Debian: golang-golang-x-mod-dev)';
}

describe('an export in Go', { skip: absent() }, () => {
  const scratch = new Scratch();
  const program = scratch.at('verify-export');

  before(() => {
    const built = spawnSync('go', ['build', '-o', program, PROGRAM], {
      env: { ...process.env, GO111MODULE: 'off', GOPATH, GOCACHE: scratch.at('cache'), GOFLAGS: '' },
      encoding: 'utf8',
    });
    assert.equal(built.status, 0, built.stderr);
  });
  after(() => scratch[Symbol.dispose]());

  function verify(...args: readonly string[]): { readonly status: number | null; readonly said: string } {
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    return { status, said: stdout + stderr };
  }

  test('is signed, hashes to its root, holds every entry, and grew from what it was [R-go]', async () => {
    const data = scratch.at('data');
    await record(data);
    await using witness = await startWitness();
    const made = await run(['export', '-o', 'out', '--data', data, '--witness', witness.url, '--json'], {
      directory: scratch.path,
    });
    assert.equal(made.code, 0, made.err);
    const told = await run(['verify', 'out', '--json'], { directory: scratch.path });
    const first = verify(scratch.at('out'));
    assert.deepEqual(
      [first.status, first.said],
      [0, `${String(witness.cosigned[0])} ${String(json(told.out)['root'])}\n`],
    );
    cpSync(scratch.at('out', 'checkpoint'), scratch.at('old'));
    assert.equal((await run(['export', '-o', 'out', '--data', data], { directory: scratch.path })).code, 0);
    const second = verify(scratch.at('out'), scratch.at('old'));
    assert.equal(second.status, 0, second.said);
    assert.notEqual(second.said, first.said);
    assert.equal((await run(['key', 'add', '--data', data])).code, 0);
    assert.equal((await run(['export', '-o', 'out', '--data', data], { directory: scratch.path })).code, 0);
    const third = verify(scratch.at('out'), scratch.at('old'));
    assert.equal(third.status, 0, `signed with another key: ${third.said}`);
  });

  test('of any size is verified, and of a changed file none', () => {
    const owner = signer(1);
    const leaves = sampleLeaves(600, owner);
    const write = (directory: string, size: number): void => {
      const note = String(signed(leaves, size, owner).note);
      const keys = [formatVerifierKey(owner.key)];
      writeExport(directory, { checkpoint: note, keys, leaves: (from) => leaves.slice(from), unique: 'test' });
    };
    for (const size of [1, 255, 256, 257, 512, 600]) {
      write(scratch.at(`sized-${size}`), size);
      const found = verify(scratch.at(`sized-${size}`));
      assert.equal(found.status, 0, `${size}: ${found.said}`);
    }
    for (const [file, told] of [
      ['checkpoint', /invalid signature|no verifiable signatures|malformed/u],
      ['tile/0/000', /inconsistent|transparency proof/u],
      ['tile/1/000.p/2', /inconsistent|transparency proof/u],
      ['tile/entries/001', /transparency proof|middle|entries/u],
    ] as const) {
      const copy = scratch.at(`changed-${file.replaceAll('/', '-')}`);
      cpSync(scratch.at('sized-600'), copy, { recursive: true });
      const bytes = readFileSync(join(copy, file));
      writeFileSync(join(copy, file), bytes.with(bytes.length >> 1, (bytes[bytes.length >> 1] ?? 0) ^ 1));
      const found = verify(copy);
      assert.equal(found.status, 1, file);
      assert.match(found.said, told, file);
    }
    // A tree that did not grow from the other one.
    const strange = signed(leaves.with(3, leaves[4] ?? assert.fail()), 300, owner).note;
    writeFileSync(scratch.at('strange'), strange);
    assert.equal(verify(scratch.at('sized-600'), scratch.at('strange')).status, 1);
  });
});
