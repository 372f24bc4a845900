import assert from 'node:assert/strict';
import { test } from 'node:test';

import { entryFields, LOG, positioned, sampleLeaves, signed, signer } from '../../../test/sample-log.ts';
import type { Signer } from '../../../test/sample-log.ts';
import { formatVerifierKey, parseNote } from '../../tlog/note.ts';
import { canonicalBytes } from '../../value/canonical.ts';
import { toBase64, utf8 } from '../../value/encoding.ts';
import type { JsonObject } from '../../value/json.ts';
import { formatBundle } from '../bundle/format.ts';
import { makeBundle } from '../bundle/make.ts';
import { verifyEd25519 } from '../ed25519.ts';
import { verifyBundle } from './bundle.ts';
import type { VerifyReport } from './report.ts';
import { signersOf, vouchText } from './signers.ts';
import { verifyLog } from './verify.ts';
import type { LogCheckpoint, VerifyOptions } from './verify.ts';

const [first, second, third, stranger] = [signer(1), signer(2), signer(3), signer(4)] as const;
const line = ({ key }: Signer): string => formatVerifierKey(key);

/** The fields with which `by` brings `added`; what is changed of them is signed as it was. */
function adding(added: Signer, by: Signer, changes: JsonObject = {}): JsonObject {
  const signature = toBase64(by.sign(utf8(vouchText(LOG, line(added), line(by)))));
  return { type: 'key.added', key: line(added), voucher: line(by), signature, ...changes };
}

const leafAt = (position: number, changes: JsonObject): Uint8Array =>
  canonicalBytes(entryFields(position, first, changes));

/** Entry 4 brings the second key, entry 8 revokes the first, entry 12 brings the third. */
const KEYS: ReadonlyMap<number, JsonObject> = new Map([
  [4, adding(second, first)],
  [8, { type: 'key.revoked', key: line(first) }],
  [12, adding(third, second)],
]);

function logWith(keys: ReadonlyMap<number, JsonObject>): Uint8Array[] {
  return sampleLeaves(16, first).map((leaf, position) => {
    const fields = keys.get(position);
    return fields === undefined ? leaf : leafAt(position, fields);
  });
}

const leaves = logWith(KEYS);
const sound = [
  signed(leaves, 4, first),
  signed(leaves, 7, second),
  signed(leaves, 12, second),
  signed(leaves, 16, third),
];

function verify(
  log: readonly Uint8Array[],
  checkpoints: readonly LogCheckpoint[],
  options: Partial<VerifyOptions> = {},
): Promise<VerifyReport> {
  return verifyLog({ entries: positioned(log), checkpoints }, { checkSignature: verifyEd25519, ...options });
}

async function found(...given: Parameters<typeof verify>): Promise<string[]> {
  const { problems } = await verify(...given);
  return problems.map(({ code, entry }) => (entry === undefined ? code : `${code}@${entry}`));
}

test('with the first key alone a log verifies through all that came after it [R-signers]', async () => {
  const report = await verify(leaves, sound, { key: first.key });
  assert.deepEqual(report.problems, []);
  assert.deepEqual([report.checkpoints, report.unsigned], [4, 0]);
  assert.deepEqual(report.signers, [
    { vkey: line(first), from: 0, until: 8 },
    { vkey: line(second), from: 5 },
    { vkey: line(third), from: 13 },
  ]);
  assert.deepEqual((await verify(leaves, sound)).problems, [], 'on first sight too');
});

test('with a later key the log verifies as far as that one and those after it signed it', async () => {
  const report = await verify(leaves, sound, { key: second.key });
  assert.deepEqual([report.problems, report.checkpoints, report.unsigned], [[], 3, 0]);
  assert.deepEqual((await verify(leaves, sound.slice(0, 3), { key: third.key })).problems[0]?.code, 'key-mismatch');
  assert.deepEqual(await found(leaves, sound, { key: stranger.key }), ['key-mismatch@0']);
});

test('what a key signs after it was revoked, or before it came, is bad', async () => {
  const outside = { outside: [signed(leaves, 9, first).note] };
  assert.deepEqual(await found(leaves, [signed(leaves, 9, first)]), ['checkpoint-revoked']);
  assert.deepEqual(await found(leaves, sound, outside), ['outside-revoked']);
  assert.deepEqual(await found(leaves, [signed(leaves, 8, first)]), [], 'the size before the entry');
  assert.deepEqual(await found(leaves, [signed(leaves, 4, second)]), ['checkpoint-signature']);
  assert.deepEqual(await found(leaves, [signed(leaves, 5, second)]), []);
  assert.deepEqual(await found(leaves, [signed(leaves, 12, stranger)]), ['checkpoint-signature']);
});

const UNVOUCHED: readonly (readonly [string, ReadonlyMap<number, JsonObject>, number])[] = [
  ['that a stranger brings', new Map([[4, adding(second, stranger)]]), 4],
  [
    'that says an old key brings it, and a stranger signed',
    new Map([[4, adding(second, stranger, { voucher: line(first) })]]),
    4,
  ],
  ['put in the place of another', new Map([[4, adding(second, first, { key: line(stranger) })]]), 4],
  ['without a signature', new Map([[4, adding(second, first, { signature: '' })]]), 4],
  ['of another log', new Map([[4, adding(signer(2, 'other.example'), first)]]), 4],
  ['that the log has', new Map([[4, adding(first, first)]]), 4],
  ['that a revoked key brings', new Map([...KEYS, [12, adding(third, first)]]), 12],
  ['revoked that signs', new Map([[8, { type: 'key.revoked', key: line(first) }]]), 8],
  ['revoked that the log never had', new Map([...KEYS, [8, { type: 'key.revoked', key: line(stranger) }]]), 8],
  ['revoked twice', new Map([...KEYS, [9, { type: 'key.revoked', key: line(first) }]]), 9],
];

for (const [what, keys, at] of UNVOUCHED) {
  test(`a key ${what} is told with its entry`, async () => {
    assert.deepEqual(await found(logWith(keys), []), [`entry-key@${at}`]);
  });
}

test('a key counts from the tree with its entry on, also where all keys are known before', () => {
  const signers = signersOf(verifyEd25519);
  signers.create(first.key);
  for (const [position, fields] of KEYS) {
    const type = fields['type'] === 'key.revoked' ? 'key.revoked' : 'key.added';
    assert.equal(signers.take(type, { log: LOG, ...fields }, position), undefined);
  }
  const by = (size: number, owner: Signer): string => {
    const read = parseNote(signed(leaves, size, owner).note);
    assert.ok(read.ok);
    return signers.signedBy(read.value, size);
  };
  assert.deepEqual([by(4, second), by(5, second), by(12, third), by(13, third)], ['early', 'valid', 'early', 'valid']);
  assert.deepEqual([by(8, first), by(9, first), by(9, stranger)], ['valid', 'revoked', 'unsigned']);
});

test('with the entry of a key left out, whatever that key signs is unsigned', async () => {
  const cut = logWith(new Map([...KEYS].filter(([position]) => position !== 12)));
  assert.deepEqual(await found(cut, [signed(cut, 16, third)]), ['checkpoint-signature']);
});

test('a bundle carries what leads from the first key to the one that signed it', () => {
  const { note } = signed(leaves, 16, third);
  const bundle = makeBundle({ checkpoint: String(note), key: line(first), leaves: () => leaves }, (_, at) => at === 2);
  assert.ok(bundle !== undefined);
  assert.deepEqual(
    bundle.entries.map(({ position }) => position),
    [0, 2, 4, 8, 12],
  );
  const codes = (one: typeof bundle, options: Partial<VerifyOptions> = {}): string[] => {
    const report = verifyBundle(utf8(JSON.stringify(formatBundle(one))), { checkSignature: verifyEd25519, ...options });
    return report.problems.map(({ code }) => code);
  };
  for (const key of [first, second, third]) assert.deepEqual(codes(bundle, { key: key.key }), []);
  assert.deepEqual(codes(bundle), []);
  assert.deepEqual(codes(bundle, { key: stranger.key }), ['key-mismatch', 'checkpoint-signature']);
  const without = { ...bundle, entries: bundle.entries.filter(({ position }) => position !== 12) };
  assert.deepEqual(codes(without, { key: first.key }), ['checkpoint-signature']);
  const forged = bundle.entries.map((one) =>
    one.position === 12 ? { ...one, leaf: one.leaf.replace(line(third), line(stranger)) } : one,
  );
  assert.deepEqual(codes({ ...bundle, entries: forged }).slice(0, 2), ['entry-key', 'checkpoint-signature']);
  assert.deepEqual(
    makeBundle({ checkpoint: String(note), key: line(first), leaves: () => leaves }, () => false),
    undefined,
  );
});
