import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';

import { readVectors } from '../../test/vectors/read.ts';
import { fromHex, utf8 } from '../value/encoding.ts';
import { verifyEd25519 } from './ed25519.ts';

function bytesOf(hex: string): Uint8Array {
  return fromHex(hex) ?? assert.fail(`not hexadecimal: ${hex}`);
}

test('every wycheproof signature is judged as labelled', () => {
  interface Vector {
    id: string;
    public_key_hex: string;
    msg_hex: string;
    sig_hex: string;
    expect: 'valid' | 'invalid';
  }
  const counts = { valid: 0, invalid: 0 };
  for (const { id, public_key_hex, msg_hex, sig_hex, expect } of readVectors<Vector>('wycheproof-verify.jsonl')) {
    counts[expect] += 1;
    assert.equal(verifyEd25519(bytesOf(public_key_hex), bytesOf(msg_hex), bytesOf(sig_hex)), expect === 'valid', id);
  }
  assert.ok(counts.valid > 50 && counts.invalid > 50, JSON.stringify(counts));
});

test('keys take turns without being mistaken for each other', () => {
  const message = utf8('message');
  const signers = Array.from({ length: 20 }).map(() => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const key = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' })).slice(12);
    return { key, signature: new Uint8Array(sign(null, message, privateKey)) };
  });
  for (const { key } of [...signers, ...signers]) {
    for (const signer of signers) assert.equal(verifyEd25519(key, message, signer.signature), signer.key === key);
  }
  // The caller's bytes may change after the key was kept.
  const [first] = signers;
  assert.ok(first !== undefined && verifyEd25519(first.key, message, first.signature));
  first.key.fill(0);
  assert.equal(verifyEd25519(first.key, message, first.signature), false);
});

test('keys and signatures that cannot be any are false, not errors', () => {
  const [message, signature] = [utf8('message'), new Uint8Array(64)];
  for (const length of [0, 31, 33]) assert.equal(verifyEd25519(new Uint8Array(length), message, signature), false);
  for (const length of [0, 63, 65])
    assert.equal(verifyEd25519(new Uint8Array(32).fill(1), message, new Uint8Array(length)), false);
  assert.equal(verifyEd25519(new Uint8Array(32).fill(0xff), message, signature), false);
});
