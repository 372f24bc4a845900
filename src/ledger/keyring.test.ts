import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isCode } from '../../test/ledger-place.ts';
import { systemWorld } from '../world/system.ts';
import { createKeyring, epochInForce, openKeyring } from './keyring.ts';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'interlock-keyring-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return join(path, 'epochs');
}

test(
  'a key is made once, for its owner only, found by others, and gone with its file',
  { skip: process.platform === 'win32' },
  (t) => {
    const directory = folder(t);
    const [one, two] = [openKeyring(directory, systemWorld), openKeyring(directory, systemWorld)];
    assert.deepEqual([one.epochs(), one.key(1)], [[], undefined]);
    one.make(1);
    const made = one.key(1)?.export();
    two.make(1);
    assert.deepEqual(two.key(1)?.export(), made);
    assert.equal(statSync(join(directory, '1.key')).mode & 0o777, 0o600);
    one.make(10);
    one.make(2);
    assert.deepEqual(two.epochs(), [1, 2, 10]);
    assert.notDeepEqual(two.key(2)?.export(), made);
    one.destroy(1);
    one.destroy(1);
    assert.deepEqual(
      [one.key(1), one.epochs(), readdirSync(directory).toSorted()],
      [undefined, [2, 10], ['10.key', '2.key']],
    );
  },
);

test('a key that is none, or that others may read, is refused', { skip: process.platform === 'win32' }, (t) => {
  const directory = folder(t);
  mkdirSync(directory);
  writeFileSync(join(directory, '1.key'), 'short', { mode: 0o600 });
  writeFileSync(join(directory, '2.key'), new Uint8Array(32), { mode: 0o644 });
  chmodSync(join(directory, '2.key'), 0o644);
  for (const name of ['0.key', 'x.key', '3.key.tmp', '01.key']) writeFileSync(join(directory, name), '');
  const ring = openKeyring(directory, systemWorld);
  assert.deepEqual(ring.epochs(), [1, 2]);
  assert.throws(() => ring.key(1), isCode('cannot-open'));
  assert.throws(() => ring.key(2), isCode('cannot-open'));
});

test('what the system refuses is an operating error', (t) => {
  const file = folder(t);
  writeFileSync(file, '');
  assert.throws(() => openKeyring(file, systemWorld).make(1), isCode('cannot-open'));
  assert.throws(() => openKeyring(file, systemWorld).epochs(), isCode('cannot-open'));
});

test('the epoch in force is the recorded one, or the last where a rotation since has destroyed that', () => {
  const ring = createKeyring(new Uint8Array(32), (length) => systemWorld.random(length));
  assert.deepEqual([epochInForce(ring, 0), epochInForce(ring, 1), epochInForce(ring, 2)], [1, 1, 2]);
  ring.make(2);
  assert.deepEqual([epochInForce(ring, 0), epochInForce(ring, 2)], [1, 2]);
  ring.make(3);
  ring.destroy(1);
  assert.deepEqual([epochInForce(ring, 0), epochInForce(ring, 2), epochInForce(ring, 3)], [3, 2, 3]);
});
