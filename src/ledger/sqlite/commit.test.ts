import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { isCode, look } from '../../../test/ledger-place.ts';
import { answered, intent, newId, one } from '../../../test/ledger-drafts.ts';
import { createManualWorld } from '../../../test/manual-world.ts';
import type { ManualWorld } from '../../../test/manual-world.ts';
import { openVault } from '../vault.ts';
import { openReader } from './reader.ts';
import type { LedgerOptions, StoredLedger } from './store.ts';
import { openLedger } from './store.ts';

interface Opened {
  readonly dataDirectory: string;
  readonly world: ManualWorld;
  readonly ledger: StoredLedger;
}

async function opened(t: TestContext, options: Partial<LedgerOptions> = {}): Promise<Opened> {
  const path = mkdtempSync(join(tmpdir(), 'interlock-commit-'));
  const dataDirectory = join(path, 'data');
  const world = createManualWorld();
  const ledger = await openLedger({ dataDirectory, world, vault: openVault(dataDirectory, world), ...options });
  t.after(async () => {
    await ledger[Symbol.asyncDispose]();
    rmSync(path, { recursive: true, force: true });
  });
  return { dataDirectory, world, ledger };
}

function checkpointSizes(dataDirectory: string): number[] {
  using reader = openReader(dataDirectory);
  return [...reader.checkpoints()].map(({ frontier }) => frontier.size);
}

test('128 callers make fewer than one fsync per ten entries, and their calls fewer than one per ten calls', async (t) => {
  const { ledger } = await opened(t);
  const before = ledger.stats();
  const caller = async (): Promise<void> => {
    for (let i = 0; i < 8; i += 1) {
      const [call, attempt] = [newId(), newId()];
      await ledger.transact({ keys: [`h_${call}`] }, () => ({
        writes: intent({ call, attempt, keys: [`h_${call}`] }),
        result: undefined,
      }));
      await ledger.append(answered('succeeded', call, attempt));
    }
  };
  await Promise.all(Array.from({ length: 128 }, caller));
  const { transactions, entries } = ledger.stats();
  assert.equal(entries - before.entries, 128 * 8 * 2);
  // Each transaction is one commit, and each commit one fsync.
  assert(transactions - before.transactions < (128 * 8) / 10, `${transactions - before.transactions} fsyncs`);
});

test('a lone caller is not made to wait for company: each of its writes is a commit of its own', async (t) => {
  const { ledger } = await opened(t);
  for (let i = 0; i < 10; i += 1) await ledger.append(one('policy.loaded', { digest: `${i}` }));
  assert.deepEqual(ledger.stats(), { transactions: 10, entries: 10 });
});

test('a transaction that writes nothing costs no commit', async (t) => {
  const { ledger } = await opened(t);
  await ledger.checkpoint();
  const before = ledger.stats();
  await look(ledger, { keys: ['h_k'] });
  await ledger.checkpoint();
  assert.deepEqual(ledger.stats(), before);
});

test('a write that finds the queue full is busy, and the ones that wait are written', async (t) => {
  const { ledger } = await opened(t, { queueMax: 8 });
  const results = await Promise.allSettled(
    Array.from({ length: 12 }, (_, index) => ledger.append(one('policy.loaded', { digest: `${index}` }))),
  );
  assert.deepEqual(
    results.map(({ status }) => status),
    [...Array<string>(8).fill('fulfilled'), ...Array<string>(4).fill('rejected')],
  );
  for (const result of results) if (result.status === 'rejected') assert(isCode('busy')(result.reason));
  assert.equal(ledger.stats().entries, 8);
});

test('a write that waits too long for another process is busy and leaves nothing; the next one is written', async (t) => {
  const { dataDirectory, ledger } = await opened(t, { lockWaitMs: 30 });
  const other = new DatabaseSync(join(dataDirectory, 'ledger.db'));
  other.exec('BEGIN IMMEDIATE');
  await assert.rejects(ledger.append(one('policy.loaded', { digest: 'lost' })), isCode('busy'));
  other.exec('ROLLBACK');
  other.close();
  await ledger.append(one('policy.loaded', { digest: 'written' }));
  assert.deepEqual(ledger.stats(), { transactions: 1, entries: 1 });
});

test('a write waits while another connection has the lock, and is written when that lets go', async (t) => {
  const { dataDirectory, ledger } = await opened(t);
  const other = new DatabaseSync(join(dataDirectory, 'ledger.db'));
  other.exec('BEGIN IMMEDIATE');
  let isWritten = false;
  const written = ledger.append(one('policy.loaded', { digest: 'd' })).then(() => (isWritten = true));
  for (let turn = 0; turn < 2_000; turn += 1) await new Promise(setImmediate);
  assert.equal(isWritten, false);
  other.exec('ROLLBACK');
  other.close();
  await written;
  assert.equal(ledger.stats().entries, 1);
});

test('the last entries are signed after a second without writes, and once', async (t) => {
  const { dataDirectory, world, ledger } = await opened(t);
  const signed = async (size: number): Promise<void> => {
    // Only looked for from outside: a transaction would sign what is due by itself.
    for (let turn = 0; turn < 2_000 && !checkpointSizes(dataDirectory).includes(size); turn += 1) {
      await new Promise(setImmediate);
    }
    assert(checkpointSizes(dataDirectory).includes(size));
  };
  // First what the opening wrote, so that the timer is one that a write started.
  world.advance(1_000);
  await signed(2);
  await ledger.append(one('policy.loaded', { digest: 'd' }));
  assert(!checkpointSizes(dataDirectory).includes(3));
  world.advance(1_000);
  await signed(3);
  const sizes = checkpointSizes(dataDirectory);
  world.advance(10_000);
  await look(ledger, {});
  assert.deepEqual(checkpointSizes(dataDirectory), sizes);
});

test('a busy log is signed every 256 entries, at a size that was committed before', async (t) => {
  const { dataDirectory, ledger } = await opened(t);
  await ledger.checkpoint();
  const before = checkpointSizes(dataDirectory);
  for (let i = 0; i < 11; i += 1) {
    await Promise.all(Array.from({ length: 50 }, () => ledger.append(one('policy.loaded', { digest: `${i}` }))));
  }
  const sizes = checkpointSizes(dataDirectory).slice(before.length);
  assert(sizes.length >= 1 && sizes.length <= 2, `${sizes.length} checkpoints`);
});

test('an error of the log while it runs stops it as tampered, and nothing more is written', async (t) => {
  const { dataDirectory, ledger } = await opened(t);
  await ledger.append(one('policy.loaded', { digest: 'd' }));
  const other = new DatabaseSync(join(dataDirectory, 'ledger.db'));
  other.exec("INSERT INTO entries SELECT max(position) + 1, x'7b7d' FROM entries");
  other.close();
  await assert.rejects(ledger.append(one('policy.loaded', { digest: 'e' })), isCode('tampered'));
  await assert.rejects(ledger.append(one('policy.loaded', { digest: 'f' })), isCode('tampered'));
  await assert.rejects(ledger.checkpoint(), isCode('tampered'));
  assert.equal(await ledger.call(newId()), undefined);
});

test('closing waits for what is under way and answers it', async (t) => {
  const { ledger } = await opened(t);
  const writes = Array.from({ length: 100 }, (_, index) => ledger.append(one('policy.loaded', { digest: `${index}` })));
  await ledger[Symbol.asyncDispose]();
  await Promise.all(writes);
  await assert.rejects(ledger.call(newId()), isCode('stopped'));
});
