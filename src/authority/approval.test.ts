/** What an approval binds, and whose it is. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signerFromSeed } from '../ledger/signer.ts';
import { toBase64, utf8 } from '../value/encoding.ts';
import type { ApprovalSubject } from './approval.ts';
import { approvalDigest, approvalText, verifyApproval } from './approval.ts';

const SUBJECT: ApprovalSubject = {
  log: 'log',
  call: 'call',
  tool: 'bank.pay',
  definition: 'sha256:00',
  principal: 'local',
  args: { amount: 1, to: 'x' },
  expires: 1_000,
};
const signer = signerFromSeed(new Uint8Array(32).fill(1));
const KEY = `ed25519:${toBase64(signer.publicKey)}`;
const DIGEST = approvalDigest(SUBJECT);
const SIGNATURE = toBase64(signer.sign(utf8(approvalText(DIGEST, 'alice'))));

test('the digest is that of the call however its arguments are ordered, and of no other', () => {
  assert.equal(approvalDigest({ ...SUBJECT, args: { to: 'x', amount: 1 } }), DIGEST);
  const others: readonly Partial<ApprovalSubject>[] = [
    { log: 'other' },
    { call: 'other' },
    { tool: 'bank.wire' },
    { definition: '' },
    { principal: 'bob' },
    { args: { amount: 2, to: 'x' } },
    { expires: 1_001 },
  ];
  const digests = new Set(others.map((other) => approvalDigest({ ...SUBJECT, ...other })));
  assert.equal(digests.size, others.length);
  assert.equal(digests.has(DIGEST), false);
});

test('a signature is good for its key, its digest and its approver only', () => {
  assert.equal(verifyApproval(KEY, DIGEST, 'alice', SIGNATURE), true);
  const other = `ed25519:${toBase64(signerFromSeed(new Uint8Array(32).fill(2)).publicKey)}`;
  const undressed = toBase64(signer.sign(utf8(DIGEST)));
  const bad: readonly (readonly [string, string, string, string])[] = [
    [other, DIGEST, 'alice', SIGNATURE],
    [KEY, approvalDigest({ ...SUBJECT, call: 'other' }), 'alice', SIGNATURE],
    [KEY, DIGEST, 'bob', SIGNATURE],
    [KEY, DIGEST, 'alice', undressed],
    [KEY, DIGEST, 'alice', ''],
    [KEY, DIGEST, 'alice', `${SIGNATURE} `],
    [KEY.slice('ed25519:'.length), DIGEST, 'alice', SIGNATURE],
    ['ed25519:', DIGEST, 'alice', SIGNATURE],
    ['', DIGEST, 'alice', SIGNATURE],
  ];
  for (const given of bad) assert.equal(verifyApproval(...given), false, given.join(' '));
});
