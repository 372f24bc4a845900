import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { intent, newId, one } from '../../test/ledger-drafts.ts';
import { isCode } from '../../test/ledger-place.ts';
import { createManualWorld } from '../../test/manual-world.ts';
import { openKeyring } from '../ledger/keyring.ts';
import { type StoredLedger, openLedger } from '../ledger/sqlite/store.ts';
import { type Vault, openVault } from '../ledger/vault.ts';
import type { World } from '../world/world.ts';
import { daysLeft, epochOf, rotateKey } from './rotate.ts';
import { keepVault } from './vault-upkeep.ts';

interface Kept {
  readonly data: string;
  readonly world: World;
  readonly vault: Vault;
  readonly ledger: StoredLedger;
}

const DAY_MS = 86_400_000;

/** Sleeps nothing: what waits for readers waits for nobody here. */
function restless(): ReturnType<typeof createManualWorld> {
  return { ...createManualWorld(), sleep: () => Promise.resolve() };
}

async function opened(t: TestContext, data: string, world: World = restless()): Promise<Kept> {
  const vault = openVault(data, world);
  const ledger = await openLedger({ dataDirectory: data, world, vault });
  t.after(() => ledger[Symbol.asyncDispose]());
  return { data, world, vault, ledger };
}

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'interlock-rotate-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return join(path, 'data');
}

async function keep({ vault, ledger }: Kept, subjects: readonly string[]): Promise<string> {
  const [call, attempt] = [newId(), newId()];
  const { commitment, body } = vault.seal(call, 'output', `of ${call}`, subjects);
  await ledger.append(intent({ call, attempt }));
  await ledger.append({ ...one('call.succeeded', { call, attempt, output: { $body: commitment } }), bodies: [body] });
  return call;
}

test('after a rotation everything opens under the new key and nothing under the old one [R-epoch]', async (t) => {
  const kept = await opened(t, directory(t));
  const calls: string[] = [];
  for (let n = 0; n < 700; n += 1) calls.push(await keep(kept, n % 3 === 0 ? [] : [`s${n % 40}`, `s${n % 7}x`]));
  const sibling = await opened(t, kept.data);
  const before = join(kept.data, '..', 'backup.key');
  copyFileSync(join(kept.data, 'epochs', '1.key'), before);
  const { ledger, world, vault, data } = kept;
  assert.deepEqual(await rotateKey(ledger, world, vault.keyring, 'os:me'), { epoch: 2, destroyed: [1] });
  assert.deepEqual(readdirSync(join(data, 'epochs')), ['2.key']);
  // A process that had the directory open goes on, under the key that is in force.
  const later = await keep(sibling, ['s1']);
  for (const call of [...calls, later]) {
    assert.equal(await sibling.ledger.body(call, 'output'), `of ${call}`);
    assert.equal(await ledger.body(call, 'output'), `of ${call}`);
  }
  const fresh = await opened(t, data);
  assert.equal(await fresh.ledger.body(calls[0] ?? '', 'output'), `of ${calls[0]}`);
  copyFileSync(before, join(data, 'epochs', '1.key'));
  rmSync(join(data, 'epochs', '2.key'));
  const thief = openVault(data, world);
  using reader = (await import('../ledger/sqlite/reader.ts')).openReader(data);
  for (const call of [...calls.slice(0, 4), later]) {
    const stored = reader.body(call, 'output');
    assert(stored !== undefined);
    assert.throws(() => thief.open(stored.body, stored.commitment), isCode('cannot-open'));
  }
});

test('a rotation that was cut goes on where it was, and begins no other', async (t) => {
  const kept = await opened(t, directory(t));
  const call = await keep(kept, ['s1']);
  const { ledger, world, vault } = kept;
  let steps = 0;
  const dying = new Proxy(ledger, {
    get: (target, name) => {
      if (name === 'rewrap' && (steps += 1) > 1) throw new Error('the process died');
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
    },
  });
  await assert.rejects(rotateKey(dying, world, vault.keyring, 'os:me'), /died/);
  assert.deepEqual(vault.keyring.epochs(), [1, 2]);
  assert.equal(await ledger.body(call, 'output'), `of ${call}`);
  assert.deepEqual(await rotateKey(ledger, world, vault.keyring, 'os:me'), { epoch: 2, destroyed: [1] });
  assert.deepEqual(await rotateKey(ledger, world, vault.keyring, 'os:me'), { epoch: 3, destroyed: [2] });
  assert.equal(await ledger.body(call, 'output'), `of ${call}`);
});

test('two rotations at once are one, and a key that was destroyed is no file and no cached key', async (t) => {
  const kept = await opened(t, directory(t));
  const sibling = await opened(t, kept.data);
  await keep(kept, ['s1']);
  const both = [kept, sibling].map(({ ledger, world, vault }) => rotateKey(ledger, world, vault.keyring, 'os:me'));
  const epochs = (await Promise.all(both)).map(({ epoch }) => epoch);
  assert(epochs.every((epoch) => epoch >= 2));
  const { number } = await epochOf(kept.ledger, kept.vault.keyring);
  assert.deepEqual(kept.vault.keyring.epochs(), [number]);
  assert.equal(kept.vault.keyring.key(1), undefined);
  assert.equal(openKeyring(join(kept.data, 'epochs'), kept.world).key(1), undefined);
});

test('a gateway forgets the key that another process has destroyed', async (t) => {
  const kept = await opened(t, directory(t));
  await keep(kept, ['s1']);
  assert.ok(kept.vault.keyring.key(1) !== undefined);
  const sibling = await opened(t, kept.data);
  await rotateKey(sibling.ledger, sibling.world, sibling.vault.keyring, 'os:me');
  await keepVault(kept.ledger, kept.world, kept.vault.keyring);
  assert.equal(kept.vault.keyring.key(1), undefined);
});

test('a gateway rotates when the epoch has lasted its time, and a receipt says how long that is', async (t) => {
  const world = restless();
  const kept = await opened(t, directory(t), world);
  const { ledger, vault } = kept;
  const began = await epochOf(ledger, vault.keyring);
  assert.equal(daysLeft(began, world.now(), 30 * DAY_MS), 30);
  world.advance(10 * DAY_MS + 1);
  assert.equal(daysLeft(began, world.now(), 30 * DAY_MS), 20);
  assert.deepEqual(await keepVault(ledger, world, vault.keyring, 30 * DAY_MS), []);
  world.advance(20 * DAY_MS);
  assert.equal((await keepVault(ledger, world, vault.keyring, 30 * DAY_MS)).length, 1);
  assert.deepEqual(await epochOf(ledger, vault.keyring), { number: 2, since: world.now() });
  assert.deepEqual(await keepVault(ledger, world, vault.keyring, 30 * DAY_MS), []);
});

test('without the key of the epoch the ledger does not open', async (t) => {
  const data = directory(t);
  const { ledger } = await opened(t, data);
  await ledger[Symbol.asyncDispose]();
  rmSync(join(data, 'epochs', '1.key'));
  await assert.rejects(async () => opened(t, data), isCode('cannot-open'));
});

test('a copy from before a rotation opens without its key: what only that opened is erased, and all goes on', async (t) => {
  const kept = await opened(t, directory(t));
  const before = [await keep(kept, ['s1']), await keep(kept, [])];
  await kept.ledger[Symbol.asyncDispose]();
  const copy = join(kept.data, '..', 'copy.db');
  copyFileSync(join(kept.data, 'ledger.db'), copy);
  const rotated = await opened(t, kept.data);
  assert.equal((await rotateKey(rotated.ledger, rotated.world, rotated.vault.keyring, 'os:me')).epoch, 2);
  await rotated.ledger[Symbol.asyncDispose]();
  copyFileSync(copy, join(kept.data, 'ledger.db'));
  const restored = await opened(t, kept.data);
  const { ledger, world, vault } = restored;
  for (const call of before) assert.equal(await ledger.body(call, 'output'), undefined);
  const after = [await keep(restored, ['s1']), await keep(restored, [])];
  assert.deepEqual(await rotateKey(ledger, world, vault.keyring, 'os:me'), { epoch: 3, destroyed: [2] });
  for (const call of after) assert.equal(await ledger.body(call, 'output'), `of ${call}`);
  for (const call of before) assert.equal(await ledger.body(call, 'output'), undefined);
});
