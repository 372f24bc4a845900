/** Disks that fail under the ledger: what it says, what it stops, and that nothing acknowledged is lost. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { type SmallDisk, faultyDisk, smallDisk } from '../../../test/fault/disk.ts';
import { assertWhole } from '../../../test/ledger-directory.ts';
import type { Child } from '../../../test/ledger-process.ts';
import { CHILD, node, start } from '../../../test/ledger-process.ts';
import { systemWorld } from '../../world/system.ts';
import { openVault } from '../vault.ts';
import type { StoredLedger } from './store.ts';
import { openLedger } from './store.ts';

interface Said {
  readonly digest: string;
  readonly code: string;
  readonly message: string;
  readonly transactions: number;
}

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'interlock-disk-fault-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return join(path, 'data');
}

function open(dataDirectory: string): Promise<StoredLedger> {
  return openLedger({ dataDirectory, world: systemWorld, vault: openVault(dataDirectory, systemWorld) });
}

/** Has the child write these, all at once, and says how each ended. */
async function write(child: Child, ...digests: readonly string[]): Promise<Said[]> {
  child.process.stdin.write(digests.map((digest) => `${digest}\n`).join(''));
  const said: Said[] = [];
  while (said.length < digests.length) said.push((await child.line()) as Said);
  return said;
}

/** Lets the child close its ledger. */
async function end(child: Child): Promise<void> {
  child.process.stdin.end();
  if (child.process.exitCode === null) await once(child.process, 'exit');
}

async function kill(child: Child): Promise<void> {
  const exited = once(child.process, 'exit');
  child.process.kill('SIGKILL');
  await exited;
}

test('a failed fsync stops the ledger for good, even when the disk works again [R-disk-fault]', async (t) => {
  const disk = faultyDisk(t);
  if (disk === undefined) return;
  const dataDirectory = directory(t);
  const child = node(t, 'serve', dataDirectory, disk.environment);
  const [first, second] = [await write(child, 'a'), await write(child, 'b')].flat();
  assert.deepEqual([first?.code, second?.code], ['written', 'written']);
  disk.start('sync-fails');
  assert.equal((await write(child, 'c'))[0]?.code, 'outcome-unknown');
  disk.end('sync-fails');
  const [stopped] = await write(child, 'd');
  assert.equal(stopped?.code, 'stopped');
  assert.match(stopped.message, /an fsync failed.*: check the disk, then start again$/u);
  await kill(child);
  {
    await using _again = await open(dataDirectory);
  }
  const digests = await assertWhole(dataDirectory);
  assert.deepEqual(
    digests.filter((digest) => digest !== 'c'),
    ['a', 'b'],
  );
});

test('while an fsync takes long what comes meanwhile shares the next one, and all of it is there', async (t) => {
  const disk = faultyDisk(t);
  if (disk === undefined) return;
  const dataDirectory = directory(t);
  const child = node(t, 'serve', dataDirectory, disk.environment);
  const [before] = await write(child, 'first');
  disk.start('sync-is-slow');
  const digests = Array.from({ length: 200 }, (_, index) => `${index}`);
  const said = await write(child, ...digests);
  assert(said.every(({ code }) => code === 'written'));
  const commits = (said.at(-1)?.transactions ?? 0) - (before?.transactions ?? 0);
  assert(commits <= 20, `${commits} fsyncs for ${digests.length} writes`);
  await kill(child);
  assert.deepEqual(await assertWhole(dataDirectory), ['first', ...digests]);
});

test('a data directory on a network file system is refused, and what to do is said [R-network-disk]', async (t) => {
  const disk = faultyDisk(t);
  if (disk === undefined) return;
  const dataDirectory = directory(t);
  disk.start('is-nfs');
  const child = node(t, 'open', dataDirectory, disk.environment);
  await assert.rejects(
    child.line(),
    /on a network file system \(NFS\).*: name a directory on a local disk with --data/u,
  );
  assert.equal(existsSync(join(dataDirectory, 'vault.key')), false);
  assert.equal(existsSync(join(dataDirectory, 'ledger.db')), false);
  disk.end('is-nfs');
  assert.match(String(await node(t, 'open', dataDirectory, disk.environment).line()), /^interlock\//u);
});

test('a disk that becomes read-only stops the ledger and is given as the reason; nothing is lost [R-disk-fault]', async (t) => {
  const disk = faultyDisk(t);
  if (disk === undefined) return;
  const dataDirectory = directory(t);
  const child = node(t, 'serve', dataDirectory, disk.environment);
  assert.equal((await write(child, 'a'))[0]?.code, 'written');
  disk.start('is-read-only');
  assert.equal((await write(child, 'b'))[0]?.code, 'outcome-unknown');
  const [stopped] = await write(child, 'c');
  assert.equal(stopped?.code, 'stopped');
  assert.match(stopped.message, /cannot be written or read .*: check whether it is full, read-only or failing/u);
  await kill(child);
  disk.end('is-read-only');
  {
    await using _again = await open(dataDirectory);
  }
  assert.deepEqual(await assertWhole(dataDirectory), ['a']);
});

test('a quota that is used up refuses what has no room, and the ledger goes on when there is room again [R-disk-full]', async (t) => {
  const disk = faultyDisk(t);
  if (disk === undefined) return;
  const dataDirectory = directory(t);
  const child = node(t, 'serve', dataDirectory, disk.environment);
  assert.equal((await write(child, 'a'))[0]?.code, 'written');
  disk.start('is-over-quota');
  const refused = await write(child, 'asking b', 'c');
  assert(refused.every(({ code, message }) => code === 'disk-full' && message.endsWith('quota is used up: make room')));
  assert.equal(existsSync(join(dataDirectory, 'ledger.db-room')), false);
  disk.end('is-over-quota');
  assert.equal((await write(child, 'd'))[0]?.code, 'written');
  await kill(child);
  {
    await using _again = await open(dataDirectory);
  }
  assert.deepEqual(await assertWhole(dataDirectory), ['a', 'd']);
});

test('a disk that is read-only at the start is refused, and what to do is said', async (t) => {
  const disk = await smallDisk(t, '24m');
  if (disk === undefined) return;
  const first = inside(t, disk, 'open');
  assert.match(String(await first.line()), /^interlock/u);
  await end(first);
  await disk.readOnly(true);
  await assert.rejects(
    inside(t, disk, 'open').line(),
    /data` is on a file system that cannot be written: name another with --data/u,
  );
});

test('a disk that is full refuses what has no room, keeps the rest, and goes on when there is room again [R-disk-full]', async (t) => {
  const disk = await smallDisk(t, '64m');
  if (disk === undefined) return;
  disk.fill(24 * 2 ** 20);
  const child = inside(t, disk, 'serve', { TEXT_BYTES: '60000' });
  const written: string[] = [];
  let refused: Said | undefined;
  while (refused === undefined) {
    assert(written.length < 1_000, 'the disk never fills up');
    const [said] = await write(child, `${written.length % 2 === 0 ? 'asking ' : ''}${written.length}`);
    if (said?.code === 'written') written.push(said.digest);
    else refused = said;
  }
  assert.equal(refused.code, 'disk-full');
  assert.match(refused.message, /nothing was written, the disk is full, or its quota is used up: make room$/u);
  const more = await write(child, 'asking x', 'y', 'asking z');
  assert(more.every(({ code }) => code === 'disk-full'));
  disk.makeRoom();
  assert.equal((await write(child, 'asking after'))[0]?.code, 'written');
  await kill(child);
  const dataDirectory = directory(t);
  disk.copyTo('data', dataDirectory);
  {
    await using _again = await open(dataDirectory);
  }
  assert.deepEqual(await assertWhole(dataDirectory), [...written, 'asking after']);
});

test('a start on a full disk is refused, and the next one with room finds everything [R-disk-full]', async (t) => {
  const disk = await smallDisk(t, '24m');
  if (disk === undefined) return;
  const first = inside(t, disk, 'serve');
  await write(first, 'kept');
  await end(first);
  disk.fill();
  await assert.rejects(inside(t, disk, 'open').line(), /ledger\.db` cannot be opened.* full.*start again/u);
  disk.makeRoom();
  const last = inside(t, disk, 'open');
  assert.match(String(await last.line()), /^interlock/u);
  await end(last);
  const dataDirectory = directory(t);
  disk.copyTo('data', dataDirectory);
  assert.deepEqual(await assertWhole(dataDirectory), ['kept']);
});

function inside(
  t: TestContext,
  disk: SmallDisk,
  mode: string,
  environment: Readonly<Record<string, string>> = {},
): Child {
  const [command, ...args] = [...disk.within, process.execPath, CHILD, mode, join(disk.path, 'data')];
  return start(t, command, args, environment);
}
