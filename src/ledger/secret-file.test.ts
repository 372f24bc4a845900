import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { LedgerError } from './ledger.ts';
import { openSecretFile, readSecretFile } from './secret-file.ts';

const isCannotOpen = (error: unknown): boolean => error instanceof LedgerError && error.code === 'cannot-open';

function place(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'interlock-secret-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return join(path, 'secret.key');
}

test('a secret is made once, and every later opening finds the same', (t) => {
  const path = place(t);
  assert.equal(readSecretFile(path), undefined);
  assert.deepEqual(
    openSecretFile(path, 'a', () => Uint8Array.of(1, 2)),
    Uint8Array.of(1, 2),
  );
  assert.deepEqual(
    openSecretFile(path, 'b', () => Uint8Array.of(3)),
    Uint8Array.of(1, 2),
  );
  assert.deepEqual(readSecretFile(path), Uint8Array.of(1, 2));
  assert.deepEqual(readdirSync(join(path, '..')), ['secret.key']);
});

test('of two processes that make it at the same time the first one wins, whole', (t) => {
  const path = place(t);
  const made = openSecretFile(path, 'slow', () => {
    // While the slow one has not finished, the other one does.
    openSecretFile(path, 'fast', () => Uint8Array.of(9, 9));
    return Uint8Array.of(1);
  });
  assert.deepEqual(made, Uint8Array.of(9, 9));
});

test('what a crash left of an attempt is never taken for the secret', (t) => {
  const path = place(t);
  writeFileSync(`${path}.dead.tmp`, 'half', { mode: 0o600 });
  assert.equal(readSecretFile(path), undefined);
  assert.deepEqual(
    openSecretFile(path, 'a', () => Uint8Array.of(1)),
    Uint8Array.of(1),
  );
});

test(
  'a file that others can reach is refused in every mode wider than 0600',
  { skip: process.platform === 'win32' },
  (t) => {
    const path = place(t);
    openSecretFile(path, 'a', () => Uint8Array.of(1));
    assert.equal(statSync(path).mode & 0o777, 0o600);
    for (const mode of [0o640, 0o604, 0o660, 0o620, 0o602, 0o610, 0o700, 0o777]) {
      chmodSync(path, mode);
      assert.throws(() => readSecretFile(path), isCannotOpen, mode.toString(8));
    }
    for (const mode of [0o600, 0o400]) {
      chmodSync(path, mode);
      assert.deepEqual(readSecretFile(path), Uint8Array.of(1));
    }
  },
);

test(
  'a link to a file that others can read is refused as that file is',
  { skip: process.platform === 'win32' },
  (t) => {
    const path = place(t);
    writeFileSync(`${path}.open`, 'x', { mode: 0o644 });
    symlinkSync(`${path}.open`, path);
    assert.throws(() => readSecretFile(path), isCannotOpen);
  },
);
