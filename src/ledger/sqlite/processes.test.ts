import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { spendAll, takeKeys } from '../../../test/ledger-child.ts';
import { CHILD, node, start } from '../../../test/ledger-process.ts';
import { frontierOf, isCode } from '../../../test/ledger-place.ts';
import { answered, one, outcome } from '../../../test/ledger-drafts.ts';
import { frontierToBytes } from '../../tlog/tree.ts';
import { systemWorld } from '../../world/system.ts';
import type { Entry } from '../entry.ts';
import { parseEntry } from '../entry.ts';
import { openVault } from '../vault.ts';
import { openReader } from './reader.ts';
import type { StoredLedger } from './store.ts';
import { openLedger } from './store.ts';

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'interlock-processes-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return join(path, 'data');
}

function entryOf(leaf: Uint8Array): Entry {
  const parsed = parseEntry(leaf);
  assert(parsed.ok);
  return parsed.value;
}

async function open(t: TestContext, dataDirectory: string): Promise<StoredLedger> {
  const vault = openVault(dataDirectory, systemWorld);
  const ledger = await openLedger({ dataDirectory, world: systemWorld, vault });
  t.after(() => ledger[Symbol.asyncDispose]());
  return ledger;
}

test('a killed process leaves its intent as an orphan, which a sibling turns into unknown once', async (t) => {
  const dataDirectory = directory(t);
  const ledger = await open(t, dataDirectory);
  const child = node(t, 'intend', dataDirectory);
  const { call, instance } = (await child.line()) as { call: string; instance: string };
  assert.equal(await ledger.isAlive(instance), true);
  assert.equal((await ledger.call(call))?.state, 'intent');

  child.process.kill('SIGKILL');
  await once(child.process, 'exit');
  assert.equal(await ledger.isAlive(instance), false);
  const [orphan] = await ledger.unsettled('intent');
  assert.equal(orphan?.id, call);
  assert.equal(orphan.instance, instance);
  await ledger.append(outcome('unknown', call, orphan.attempt));
  await assert.rejects(ledger.append(outcome('unknown', call, orphan.attempt)), isCode('conflict'));
  await assert.rejects(ledger.append(answered('succeeded', call, orphan.attempt)), isCode('conflict'));
  assert.deepEqual(await ledger.unsettled('intent'), []);
});

test('what a killed process had written is there when the directory is opened again, and its lock is cleared', async (t) => {
  const dataDirectory = directory(t);
  const child = node(t, 'intend', dataDirectory);
  const { call, instance } = (await child.line()) as { call: string; instance: string };
  child.process.kill('SIGKILL');
  await once(child.process, 'exit');
  const locks = (): string[] => readdirSync(join(dataDirectory, 'instances'));
  assert.deepEqual(locks(), [`${instance}.lock`]);
  const ledger = await open(t, dataDirectory);
  assert.deepEqual(locks(), [`${ledger.instance}.lock`]);
  assert.deepEqual(
    (await ledger.unsettled('intent')).map(({ id }) => id),
    [call],
  );
});

test('whatever a process acknowledged before it was killed under load is in the log, and the log is whole', async (t) => {
  const dataDirectory = directory(t);
  const child = node(t, 'flood', dataDirectory);
  const acknowledged: unknown[] = [];
  while (acknowledged.length < 500) acknowledged.push(await child.line());
  child.process.kill('SIGKILL');
  await once(child.process, 'exit');
  // Opening replays what is not signed yet, and refuses a log that is not whole.
  await open(t, dataDirectory);
  using reader = openReader(dataDirectory);
  const leaves = [...reader.leaves()].map(({ leaf }) => leaf);
  assert.deepEqual(frontierToBytes(reader.head().frontier), frontierToBytes(frontierOf(leaves)));
  const digests = new Set(leaves.map((leaf) => entryOf(leaf)['digest']));
  for (const digest of acknowledged) assert(digests.has(String(digest)));
});

test('two processes on one directory share one dense log, and of two who want a key one gets it', async (t) => {
  const dataDirectory = directory(t);
  const ledger = await open(t, dataDirectory);
  const child = node(t, 'take', dataDirectory);
  assert.equal(await child.line(), 'open');
  const keys = Array.from({ length: 400 }, (_, index) => `h_${index}`);
  child.process.stdin.write(JSON.stringify(keys));
  const own = await takeKeys(ledger, keys.toReversed());
  const others = (await child.line()) as string[];
  await once(child.process, 'exit');
  assert.equal(own.length + others.length, keys.length);

  await ledger.append(one('policy.loaded', { digest: 'last' }));
  using reader = openReader(dataDirectory);
  const leaves = [...reader.leaves()];
  assert.deepEqual(
    leaves.map(({ position }) => position),
    leaves.map((_, index) => index),
  );
  const times = leaves.map(({ leaf }) => entryOf(leaf).at);
  assert.deepEqual(times, times.toSorted());
  const tree = frontierOf(leaves.map(({ leaf }) => leaf));
  assert.deepEqual(frontierToBytes(reader.head().frontier), frontierToBytes(tree));
  const holders = [...reader.calls()].flatMap(({ id, keys }) => keys.map(() => id));
  assert.deepEqual(new Set(holders), new Set([...own, ...others]));
});

test('of twice a hundred callers in two processes exactly as many spend as the budget has room for', async (t) => {
  const dataDirectory = directory(t);
  const ledger = await open(t, dataDirectory);
  for (const key of ['budget/b/principal=local', 'slots/s/tool=files.write']) {
    const child = node(t, 'spend', dataDirectory);
    assert.equal(await child.line(), 'open');
    child.process.stdin.write(JSON.stringify({ key, limit: 37, callers: 100 }));
    const own = await spendAll(ledger, key, 37, 100);
    const others = Number(await child.line());
    await once(child.process, 'exit');
    assert.equal(own + others, 37);
    using reader = openReader(dataDirectory);
    const intents = [...reader.calls()].filter((row) => key in row.reserved || row.slots.includes(key));
    assert.equal(intents.length, 37);
    assert.deepEqual([...reader.values([key, 'kill/all'], systemWorld.now())], [[key, 37]]);
  }
});

test('processes that start at the same time in an empty directory create one log and one key', async (t) => {
  const dataDirectory = directory(t);
  const children = Array.from({ length: 4 }, () => node(t, 'open', dataDirectory));
  const logs = await Promise.all(children.map((child) => child.line()));
  assert.equal(new Set(logs).size, 1);
  await Promise.all(children.map(async ({ process: child }) => child.exitCode ?? once(child, 'exit')));
  using reader = openReader(dataDirectory);
  const types = [...reader.leaves()].map(({ leaf }) => entryOf(leaf).type);
  assert.deepEqual(types.toSorted(), [
    ...Array<string>(4).fill('ledger.closed'),
    'ledger.created',
    ...Array<string>(4).fill('ledger.opened'),
  ]);
  assert.deepEqual(
    readdirSync(dataDirectory)
      .toSorted()
      .filter((name) => name.includes('.key')),
    ['signer.key', 'vault.key'],
  );
});

test('a write that fails stops the ledger for good, and whatever was acknowledged is there afterwards', async (t) => {
  if (process.platform === 'win32') return t.skip('needs a limit on file sizes');
  const dataDirectory = directory(t);
  // 2 MB: the log outgrows it after some dozens of entries.
  const limited = `ulimit -f 4096; exec "$0" "$@"`;
  const child = start(t, 'sh', ['-c', limited, process.execPath, CHILD, 'fill', dataDirectory]);
  const said = (await child.line()) as { acknowledged: string[]; code: string; next: string; read: string };
  await once(child.process, 'exit');
  assert(said.acknowledged.length > 0);
  assert.equal(said.code, 'outcome-unknown');
  assert.equal(said.next, 'stopped');
  assert.equal(said.read, 'absent');

  await open(t, dataDirectory);
  using reader = openReader(dataDirectory);
  const digests = [...reader.leaves()].flatMap(({ leaf }) => entryOf(leaf)['digest'] ?? []);
  const unsure = `${said.acknowledged.length}`;
  assert.deepEqual(
    digests.filter((digest) => digest !== unsure),
    said.acknowledged,
  );
});
