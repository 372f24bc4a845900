import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createManualWorld } from '../../test/manual-world.ts';
import { canonicalText } from '../value/canonical.ts';
import type { JsonValue } from '../value/json.ts';
import { systemWorld } from '../world/system.ts';
import type { SealedBody } from './ledger.ts';
import { LedgerError } from './ledger.ts';
import { createVault, openVault } from './vault.ts';

const vault = createVault(new Uint8Array(32).fill(7), systemWorld);

const isTampered = (error: unknown): boolean => error instanceof LedgerError && error.code === 'tampered';

test('what was sealed opens to the same value, and twice never looks the same', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (json) => {
      const value = json as JsonValue;
      const [one, two] = [vault.seal('c', 'output', value), vault.seal('c', 'output', value)];
      assert.equal(canonicalText(vault.open(one.body, one.commitment)), canonicalText(value));
      assert.notEqual(one.commitment, two.commitment);
      assert.notDeepEqual(one.body, two.body);
    }),
  );
});

test('a commitment is the digest of an RFC 9901 disclosure of salt, pointer and value', () => {
  // The salt is the first thing drawn, so a world that always draws the same tells it.
  const world = { ...createManualWorld(), random: (length: number) => new Uint8Array(length).fill(1) };
  const { commitment } = createVault(new Uint8Array(32), world).seal('c', 'args', { b: 1, a: 'ü' });
  const salt = Buffer.alloc(16, 1).toString('base64url');
  const disclosure = Buffer.from(`["${salt}","/args",{"a":"ü","b":1}]`).toString('base64url');
  assert.equal(commitment, createHash('sha256').update(disclosure, 'ascii').digest('base64url'));
});

test('a body that was changed, moved or is another key’s does not open', () => {
  const { commitment, body } = vault.seal('c', 'output', { paid: 1250 });
  const flipped = (bytes: Uint8Array, index: number): Uint8Array => bytes.with(index, (bytes.at(index) ?? 0) ^ 1);
  const wrong: SealedBody[] = [
    { ...body, call: 'd' },
    { ...body, role: 'args' },
    { ...body, ciphertext: new Uint8Array(0) },
    { ...body, wrappedKey: body.wrappedKey.subarray(1) },
  ];
  for (let i = 0; i < body.ciphertext.length; i += 1) wrong.push({ ...body, ciphertext: flipped(body.ciphertext, i) });
  for (let i = 0; i < body.wrappedKey.length; i += 1) wrong.push({ ...body, wrappedKey: flipped(body.wrappedKey, i) });
  for (const one of wrong) assert.throws(() => vault.open(one, commitment), isTampered);
  assert.throws(() => vault.open(body, vault.seal('c', 'output', { paid: 1250 }).commitment), isTampered);
  assert.throws(() => createVault(new Uint8Array(32), systemWorld).open(body, commitment), isTampered);
});

test('the HMAC of a key depends on namespace and parts, never on how they are cut, and on the vault', () => {
  const macs = [
    vault.keyHmac('caller', 'local', 'k'),
    vault.keyHmac('tool', 'local', 'k'),
    vault.keyHmac('caller', 'loca', 'lk'),
    vault.keyHmac('caller', 'local,k'),
    vault.keyHmac('caller', 'local"', '"k'),
    createVault(new Uint8Array(32), systemWorld).keyHmac('caller', 'local', 'k'),
  ];
  assert.equal(new Set(macs).size, macs.length);
  assert.equal(vault.keyHmac('caller', 'local', 'k'), macs[0]);
  for (const mac of macs) assert.match(mac, /^h_[\w-]{43}$/);
});

test('a fingerprint tells principal, tool and arguments apart under one salt, and nothing across salts', () => {
  const salt = Uint8Array.of(1, 2, 3);
  const macs = [
    vault.fingerprint(salt, 'local', 'a.b', '{}'),
    vault.fingerprint(salt, 'local', 'a.c', '{}'),
    vault.fingerprint(salt, 'other', 'a.b', '{}'),
    vault.fingerprint(salt, 'local', 'a.b', '{"x":1}'),
    vault.fingerprint(Uint8Array.of(1, 2, 4), 'local', 'a.b', '{}'),
  ].map((mac) => Buffer.from(mac).toString('hex'));
  assert.equal(new Set(macs).size, macs.length);
  assert.deepEqual(vault.fingerprint(salt, 'local', 'a.b', '{}'), new Uint8Array(Buffer.from(macs[0] ?? '', 'hex')));
});

test('the vault of a directory is the same at every opening', (t) => {
  const path = mkdtempSync(join(tmpdir(), 'interlock-vault-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  const first = openVault(join(path, 'data'), systemWorld);
  const { commitment, body } = first.seal('c', 'output', 'value');
  const second = openVault(join(path, 'data'), systemWorld);
  assert.equal(second.open(body, commitment), 'value');
  assert.equal(second.keyHmac('tool', 'k'), first.keyHmac('tool', 'k'));
  if (process.platform !== 'win32') assert.equal(statSync(join(path, 'data', 'vault.key')).mode & 0o777, 0o600);
});
