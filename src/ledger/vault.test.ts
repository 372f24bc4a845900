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
import type { KeptBody, StoredBody } from './keep.ts';
import { RECORD_BYTES, keepBody } from './keep.ts';
import type { SealedBody } from './ledger.ts';
import { LedgerError } from './ledger.ts';
import type { Vault } from './vault.ts';
import { createVault, openVault } from './vault.ts';

const vault = createVault(new Uint8Array(32).fill(7), systemWorld);

const EPOCH = 1;

/** As a store would keep it, and read it again. */
function stored(body: SealedBody, keys = new Map<string, Uint8Array>(), of: Vault = vault): StoredBody {
  return found(keepBody(body, EPOCH, of.keyring, keys), keys);
}

function found(body: KeptBody, keys: ReadonlyMap<string, Uint8Array>): StoredBody {
  return { ...body, shares: body.shares.map((share) => ({ ...share, record: keys.get(share.subject) })) };
}

const isTampered = (error: unknown): boolean => error instanceof LedgerError && error.code === 'tampered';

test('what was sealed opens to the same value, and twice never looks the same', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.uniqueArray(fc.string(), { maxLength: 4 }), (json, subjects) => {
      const value = json as JsonValue;
      const [one, two] = [vault.seal('c', 'output', value, subjects), vault.seal('c', 'output', value, subjects)];
      const opened = vault.open(stored(one.body), one.commitment);
      assert(opened !== undefined);
      assert.equal(canonicalText(opened), canonicalText(value));
      assert.notEqual(one.commitment, two.commitment);
      assert.notDeepEqual(one.body, two.body);
    }),
  );
});

test('a body never opens again once the key of any of its subjects is destroyed, and others of theirs do', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 5 }), fc.nat(), (subjects, chosen) => {
      const keys = new Map<string, Uint8Array>();
      const erased = subjects[chosen % subjects.length] ?? '';
      const all = vault.seal('c', 'output', 'secret', subjects);
      const others = subjects.filter((subject) => subject !== erased);
      const rest = vault.seal('d', 'output', 'kept', others);
      const [one, two] = [all, rest].map(({ body }) => keepBody(body, EPOCH, vault.keyring, keys));
      assert(one !== undefined && two !== undefined);
      assert.equal(vault.open(found(one, keys), all.commitment), 'secret');
      keys.set(erased, new Uint8Array(RECORD_BYTES));
      assert.equal(vault.open(found(one, keys), all.commitment), undefined);
      assert.equal(vault.open(found(two, keys), rest.commitment), 'kept');
      keys.delete(erased);
      assert.equal(vault.open(found(one, keys), all.commitment), undefined);
    }),
  );
});

test('what is kept under a subject holds neither the body’s key nor the subject’s', () => {
  const keys = new Map<string, Uint8Array>();
  const { body } = vault.seal('c', 'output', 'secret', ['s', 't']);
  const kept = keepBody(body, EPOCH, vault.keyring, keys);
  const all = Buffer.concat([
    kept.ciphertext,
    kept.wrappedKey,
    ...kept.shares.map(({ wrapped }) => wrapped),
    ...keys.values(),
  ]);
  const secrets = [body.key, ...body.shares.flatMap(({ share, fresh }) => [share, fresh]), Buffer.from('secret')];
  for (const secret of secrets) assert.equal(all.indexOf(Buffer.from(secret)), -1);
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
  const flipped = (bytes: Uint8Array, index: number): Uint8Array => bytes.with(index, (bytes.at(index) ?? 0) ^ 1);
  for (const subjects of [[], ['s', 't']]) {
    const { commitment, body: sealed } = vault.seal('c', 'output', { paid: 1250 }, subjects);
    const body = stored(sealed);
    const wrong: StoredBody[] = [
      { ...body, call: 'd' },
      { ...body, role: 'args' },
      { ...body, ciphertext: new Uint8Array(0) },
      { ...body, shares: body.shares.slice(1), wrappedKey: body.wrappedKey.subarray(1) },
    ];
    for (let i = 0; i < body.ciphertext.length; i += 1)
      wrong.push({ ...body, ciphertext: flipped(body.ciphertext, i) });
    for (let i = 4; i < body.wrappedKey.length; i += 1)
      wrong.push({ ...body, wrappedKey: flipped(body.wrappedKey, i) });
    for (const [index, share] of body.shares.entries()) {
      const spoiled = { ...share, wrapped: flipped(share.wrapped, 20) };
      wrong.push({ ...body, shares: body.shares.with(index, spoiled) });
      wrong.push({ ...body, shares: body.shares.with(index, { ...share, subject: 'u' }) });
    }
    for (const one of wrong) assert.throws(() => vault.open(one, commitment), isTampered);
    const other = vault.seal('c', 'output', { paid: 1250 }).commitment;
    assert.throws(() => vault.open(body, other), isTampered);
    assert.throws(() => createVault(new Uint8Array(32), systemWorld).open(body, commitment), isTampered);
  }
});

test('the id of a subject depends on its kind, its name and the vault, and shows nothing of them', () => {
  const ids = [vault.subject('id', 'c_9'), vault.subject('email', 'c_9'), vault.subject('id', 'c_8')];
  ids.push(createVault(new Uint8Array(32), systemWorld).subject('id', 'c_9'));
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(vault.subject('id', 'c_9'), ids[0]);
  for (const id of ids) assert.match(id, /^s_[\w-]{43}$/);
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
  const { commitment, body } = first.seal('c', 'output', 'value', ['s']);
  const kept = stored(body, new Map(), first);
  const second = openVault(join(path, 'data'), systemWorld);
  assert.equal(second.open(kept, commitment), 'value');
  assert.equal(second.keyHmac('tool', 'k'), first.keyHmac('tool', 'k'));
  if (process.platform !== 'win32') assert.equal(statSync(join(path, 'data', 'vault.key')).mode & 0o777, 0o600);
});
