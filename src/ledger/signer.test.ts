import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { EMPTY_FRONTIER, appendLeaf, leafHash } from '../tlog/tree.ts';
import { fromHex, toHex, utf8 } from '../value/encoding.ts';
import { systemWorld } from '../world/system.ts';
import { LedgerError } from './ledger.ts';
import {
  checkpointProblem,
  isCheckpointDue,
  openSigner,
  readSigner,
  signCheckpoint,
  signerFromSeed,
  verifierKeyOf,
} from './signer.ts';
import { firstSigner } from './sqlite/stored-signers.ts';

const LOG = 'interlock/0193a000-0000-7000-8000-000000000000';

test('a signer signs as RFC 8032 says (section 7.1, test 2)', () => {
  const seed = fromHex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb');
  assert(seed !== undefined);
  const signer = signerFromSeed(seed);
  assert.equal(toHex(signer.publicKey), '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c');
  assert.equal(
    toHex(signer.sign(Uint8Array.of(0x72))),
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  );
});

test('the key of a directory is made once, as PKCS #8 in PEM, and found again', (t) => {
  const path = mkdtempSync(join(tmpdir(), 'interlock-signer-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  const file = join(path, 'signer.key');
  assert.equal(readSigner(file), undefined);
  const made = openSigner(file, (length) => systemWorld.random(length));
  assert.equal(createPrivateKey(readFileSync(file)).asymmetricKeyType, 'ed25519');
  assert.deepEqual(readSigner(file)?.publicKey, made.publicKey);
  const noSeed = (length: number): Uint8Array => (length === 32 ? assert.fail('a second key') : new Uint8Array(length));
  assert.deepEqual(openSigner(file, noSeed).publicKey, made.publicKey);
  const other = generateKeyPairSync('x25519').privateKey.export({ format: 'pem', type: 'pkcs8' });
  for (const content of ['', 'no key', other]) {
    writeFileSync(file, content, { mode: 0o600 });
    assert.throws(
      () => readSigner(file),
      (error) => error instanceof LedgerError && error.code === 'cannot-open',
    );
  }
});

test('a checkpoint verifies for its log, its key and its tree only', () => {
  const signer = signerFromSeed(new Uint8Array(32).fill(1));
  const tree = appendLeaf(EMPTY_FRONTIER, leafHash(utf8('one')));
  const key = firstSigner(verifierKeyOf(signer, LOG));
  const note = signCheckpoint(signer, LOG, tree);
  assert.equal(checkpointProblem(note, key, tree), undefined);
  assert.match(checkpointProblem(note, key, appendLeaf(tree, leafHash(utf8('two')))) ?? '', /does not sign the tree/);
  assert.match(checkpointProblem(note, key, appendLeaf(EMPTY_FRONTIER, leafHash(utf8('x')))) ?? '', /does not sign/);
  assert.match(
    checkpointProblem(note, firstSigner(verifierKeyOf(signer, 'interlock/other')), tree) ?? '',
    /not signed by/,
  );
  const stranger = firstSigner(verifierKeyOf(signerFromSeed(new Uint8Array(32).fill(2)), LOG));
  assert.match(checkpointProblem(note, stranger, tree) ?? '', /not signed by/);
  assert.match(checkpointProblem(note.replace('\n1\n', '\n2\n'), key, tree) ?? '', /not signed by/);
  assert.match(checkpointProblem('', key, tree) ?? '', /cannot be read/);
});

test('a checkpoint is due after 256 leaves or a second, and never for nothing', () => {
  assert.equal(isCheckpointDue(0, 10_000), false);
  assert.equal(isCheckpointDue(255, 999), false);
  assert.equal(isCheckpointDue(256, 0), true);
  assert.equal(isCheckpointDue(1, 1_000), true);
});
