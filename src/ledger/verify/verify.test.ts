import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { leafHash, rootOfLeaves } from '../../tlog/tree.ts';
import { formatVerifierKey } from '../../tlog/note.ts';
import { canonicalBytes } from '../../value/canonical.ts';
import { toBase64, utf8 } from '../../value/encoding.ts';
import type { JsonObject } from '../../value/json.ts';
import { verifyEd25519 } from '../ed25519.ts';
import { PROBLEMS_MAX } from './report.ts';
import type { VerifyReport } from './report.ts';
import { entryFields, LOG, positioned, sampleLeaves, signed, signer } from '../../../test/sample-log.ts';
import { verifyLog } from './verify.ts';
import type { LogCheckpoint, LogEntry, VerifyOptions } from './verify.ts';

const owner = signer(1);
const stranger = signer(2);
const leaves = sampleLeaves(14, owner);
const checkpoints = [4, 8, 12].map((size) => signed(leaves, size, owner));

function verify(
  entries: readonly LogEntry[],
  kept: readonly LogCheckpoint[] = checkpoints,
  options: Partial<VerifyOptions> = {},
): Promise<VerifyReport> {
  return verifyLog({ entries, checkpoints: kept }, { checkSignature: verifyEd25519, ...options });
}

/** Problems as `code` or `code@entry`, in the order they were found. */
function found(report: VerifyReport): string[] {
  assert.equal(report.verdict, report.problems.length === 0 ? 'ok' : 'bad');
  return report.problems.map(({ code, entry }) => (entry === undefined ? code : `${code}@${entry}`));
}

/** The log with the leaf at `position` replaced. */
function edited(position: number, leaf: Uint8Array): LogEntry[] {
  return positioned(leaves.with(position, leaf));
}

/** The log, re-signed by its owner, with the fields of one entry changed: nothing but the entry itself is wrong. */
async function foundInEntry(position: number, changes: JsonObject | Uint8Array): Promise<string[]> {
  const leaf = changes instanceof Uint8Array ? changes : canonicalBytes(entryFields(position, owner, changes));
  const forged = leaves.with(position, leaf);
  return found(await verify(positioned(forged), [signed(forged, forged.length, owner)], { key: owner.key }));
}

function textOf(position: number): string {
  return new TextDecoder().decode(leaves[position]);
}

test('an untouched log is ok, and the report says what was covered and by whose key', async () => {
  const report = await verify(positioned(leaves));
  assert.deepEqual(report, {
    verdict: 'ok',
    entries: 14,
    root: toBase64(rootOfLeaves(leaves.map(leafHash))),
    attested: 0,
    erased: 0,
    unsigned: 2,
    checkpoints: 3,
    cosigners: [],
    key: { vkey: formatVerifierKey(owner.key), trusted: 'on-first-sight' },
    signers: [{ vkey: formatVerifierKey(owner.key), from: 0 }],
    problems: [],
    omitted: 0,
  });
  assert.equal((await verify(positioned(leaves), checkpoints, { key: owner.key })).key?.trusted, 'given');
});

test('a log is read as it comes, from asynchronous sources too', async () => {
  async function* entries(): AsyncGenerator<LogEntry> {
    yield* positioned(leaves);
  }
  async function* kept(): AsyncGenerator<LogCheckpoint> {
    yield* checkpoints;
  }
  const report = await verifyLog({ entries: entries(), checkpoints: kept() }, { checkSignature: verifyEd25519 });
  assert.deepEqual([report.verdict, report.checkpoints, report.unsigned], ['ok', 3, 2]);
});

test('a source that fails rejects, and both sources are closed', async () => {
  let closed = 0;
  async function* failing(): AsyncGenerator<LogEntry> {
    yield* positioned(leaves.slice(0, 2));
    throw new Error('disk on fire');
  }
  async function* kept(): AsyncGenerator<LogCheckpoint> {
    try {
      yield* checkpoints;
    } finally {
      closed += 1;
    }
  }
  const reading = verifyLog({ entries: failing(), checkpoints: kept() }, { checkSignature: verifyEd25519 });
  await assert.rejects(reading, /disk on fire/);
  assert.equal(closed, 1);
});

test('an edited entry is located between the last good and the first bad checkpoint', async () => {
  const report = await verify(edited(5, canonicalBytes(entryFields(5, owner, { amount: 500 }))));
  assert.deepEqual(found(report), ['checkpoint-root@4']);
  assert.match(report.problems[0]?.message ?? '', /entries 4 to 7/);
  assert.equal(report.unsigned, 10);
});

test('any one changed byte that a checkpoint covers is reported [R-tamper-evident]', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(11), fc.nat(), fc.integer({ min: 1, max: 255 }), async (position, at, change) => {
      const leaf = leaves[position] ?? assert.fail();
      const spoilt = leaf.with(at % leaf.length, (leaf[at % leaf.length] ?? 0) ^ change);
      const report = await verify(edited(position, spoilt), checkpoints, { key: owner.key });
      assert.equal(report.verdict, 'bad');
    }),
    { numRuns: 300 },
  );
});

test('deleted, inserted and swapped entries are reported', async () => {
  const gone = positioned(leaves).filter(({ position }) => position !== 6);
  assert.deepEqual(found(await verify(gone)), ['entry-missing@6']);
  assert.deepEqual(found(await verify(positioned(leaves.toSpliced(6, 1)))), ['checkpoint-root@4']);
  assert.deepEqual(found(await verify(positioned(leaves.toSpliced(6, 0, leaves[5] ?? assert.fail())))), [
    'checkpoint-root@4',
  ]);
  const swapped = leaves.with(5, leaves[6] ?? assert.fail()).with(6, leaves[5] ?? assert.fail());
  assert.deepEqual(found(await verify(positioned(swapped))), ['entry-time@6', 'checkpoint-root@4']);
  const outOfOrder = positioned(leaves)
    .with(5, { position: 6, leaf: swapped[5] ?? assert.fail() })
    .with(6, { position: 5, leaf: swapped[6] ?? assert.fail() });
  assert.deepEqual(found(await verify(outOfOrder)), ['entry-missing@5', 'entry-order@5', 'entry-time@5']);
  const twice = positioned(leaves).toSpliced(3, 0, { position: 2, leaf: leaves[2] ?? assert.fail() });
  assert.deepEqual(found(await verify(twice)), ['entry-order@2']);
});

test('a log that lost its end is truncated, however many checkpoints say so', async () => {
  assert.deepEqual(found(await verify(positioned(leaves.slice(0, 7)))), ['log-truncated@7']);
  assert.deepEqual(found(await verify(positioned(leaves.slice(0, 12)))), []);
  assert.deepEqual(found(await verify(positioned(leaves.slice(0, 11)))), ['log-truncated@11']);
});

test('a log that lost its beginning has no key of its own and no creation', async () => {
  const report = await verify(positioned(leaves).slice(2));
  assert.deepEqual(found(report), [
    'entry-missing@0',
    'checkpoint-signature',
    'checkpoint-signature',
    'checkpoint-signature',
  ]);
  assert.equal(report.key, undefined);
  assert.deepEqual(found(await verify(positioned(leaves).slice(2), checkpoints, { key: owner.key })), [
    'entry-missing@0',
  ]);
});

test('an empty log was never created, or was truncated', async () => {
  assert.deepEqual(found(await verify([], [])), ['log-not-created']);
  assert.deepEqual(found(await verify([], checkpoints, { key: owner.key })), ['log-not-created', 'log-truncated@0']);
});

test('entries without any checkpoint are unsigned, and the report says how many', async () => {
  const report = await verify(positioned(leaves), []);
  assert.deepEqual([report.verdict, report.unsigned, report.checkpoints], ['ok', 14, 0]);
});

test('bytes that are not the canonical form are reported, whatever reads them as the same value', async () => {
  const text = textOf(3);
  const forms = [
    text.replace('"amount":3', '"amount":9,"amount":3'),
    text.replace('"amount":3', '"amount": 3'),
    text.replace('"amount":3', '"amount":3.0'),
    text.replace('"amount":3', '"amount":-0'),
    text.replace('"amount":3', '"amount":9007199254740993'),
    text.replace('"amount":3', '"\\u0061mount":3'),
    text.replace('"amount":3', '"amount":"\\ud800"'),
    text.replace('"amount":3', '"b":1,"amount":3'),
    `${text}\n`,
    text.slice(0, -1),
    `\ufeff${text}`,
    '',
  ];
  for (const form of forms) assert.deepEqual(await foundInEntry(3, utf8(form)), ['entry-not-canonical@3'], form);
  assert.deepEqual(await foundInEntry(3, Uint8Array.of(0x22, 0xff, 0x22)), ['entry-not-canonical@3']);
  assert.deepEqual(await foundInEntry(3, utf8('['.repeat(30_000) + ']'.repeat(30_000))), ['entry-not-canonical@3']);
  assert.deepEqual(await foundInEntry(3, { ['__proto__']: 1, '10': 1, '9': 2, note: 'é😀\u0000' }), []);
});

test('an entry is at most 65,535 bytes', async () => {
  const spare = 65_535 - canonicalBytes(entryFields(3, owner, { note: '' })).length;
  assert.deepEqual(await foundInEntry(3, { note: 'x'.repeat(spare) }), []);
  assert.deepEqual(await foundInEntry(3, { note: 'x'.repeat(spare + 1) }), ['entry-too-large@3']);
});

test('an entry without its envelope is malformed', async () => {
  for (const text of ['[]', 'null', '"x"', '1', '{}'])
    assert.deepEqual(await foundInEntry(3, utf8(text)), ['entry-malformed@3'], text);
  const changes: JsonObject[] = [
    { v: '1' },
    { v: null },
    { log: 1 },
    { log: '' },
    { id: 'x' },
    { id: 7 },
    { at: 0 },
    { at: '2026-11-20' },
    { at: '2026-02-30T00:00:00.000Z' },
    { type: 5 },
    { type: 'call' },
    { type: 'Call.Denied' },
    { type: 'call.denied\n' },
  ];
  for (const change of changes)
    assert.deepEqual(await foundInEntry(3, change), ['entry-malformed@3'], JSON.stringify(change));
  for (const v of [0, 2, 1.5]) assert.deepEqual(await foundInEntry(3, { v }), ['entry-version@3']);
});

test('time does not go back, and stands still at most', async () => {
  assert.deepEqual(await foundInEntry(3, { at: entryFields(2, owner)['at'] ?? '' }), []);
  assert.deepEqual(await foundInEntry(3, { at: '2000-01-01T00:00:00.000Z' }), ['entry-time@3']);
});

test('an entry of another log is reported', async () => {
  assert.deepEqual(await foundInEntry(3, { log: 'elsewhere.example/log' }), ['entry-log@3']);
});

test('entry 0 creates the log and names its key', async () => {
  assert.deepEqual(await foundInEntry(0, { type: 'ledger.opened' }), ['log-not-created@0']);
  assert.deepEqual(await foundInEntry(0, { key: 'nobody+00000000+AAAA' }), ['log-not-created@0']);
  assert.deepEqual(await foundInEntry(0, { key: null }), ['log-not-created@0']);
  assert.deepEqual(await foundInEntry(0, utf8('{}')), ['entry-malformed@0', 'log-not-created@0']);
});

test('a log that names another key than the given one is reported', async () => {
  assert.deepEqual(await foundInEntry(0, { key: formatVerifierKey(stranger.key) }), ['key-mismatch@0']);
  const report = await verify(positioned(leaves), checkpoints, { key: stranger.key });
  assert.deepEqual(found(report), ['key-mismatch@0']);
  assert.equal(report.unsigned, 14);
});

test('a log rewritten under another key passes on first sight only', async () => {
  const forged = sampleLeaves(14, stranger);
  const kept = [signed(forged, 14, stranger)];
  const report = await verify(positioned(forged), kept);
  assert.deepEqual([report.verdict, report.key?.trusted], ['ok', 'on-first-sight']);
  assert.deepEqual(found(await verify(positioned(forged), kept, { key: owner.key })), ['key-mismatch@0']);
  const outside = [signed(leaves, 8, owner).note];
  assert.deepEqual(found(await verify(positioned(forged), kept, { outside })), ['outside-signature']);
});

test('checkpoints that are flipped, foreign, malformed, misfiled or out of order are reported', async () => {
  const [first, second, third] = checkpoints;
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  const line = String(second.note).split('— ')[1] ?? assert.fail();
  const signature = line.split(' ')[1] ?? assert.fail();
  const at = signature.length - 20;
  const flipped = signature.slice(0, at) + (signature[at] === 'A' ? 'B' : 'A') + signature.slice(at + 1);
  const withSecond = (note: string, size = 8): Promise<VerifyReport> =>
    verify(positioned(leaves), [first, { size, note }, third]);
  const cases: readonly (readonly [Promise<VerifyReport>, readonly string[]])[] = [
    [withSecond(String(second.note).replace(signature, flipped)), ['checkpoint-signature']],
    [withSecond(String(signed(leaves, 8, stranger).note)), ['checkpoint-signature']],
    [withSecond(String(signed(leaves, 8, owner, 'elsewhere.example/log').note)), ['checkpoint-origin']],
    [withSecond(String(signed(sampleLeaves(8, stranger), 8, owner).note)), ['checkpoint-root@4']],
    [withSecond(String(second.note), 7), ['checkpoint-malformed']],
    [withSecond('not a note'), ['checkpoint-malformed']],
    [verify(positioned(leaves), [first, third, second]), ['checkpoint-order']],
  ];
  for (const [report, codes] of cases) {
    assert.deepEqual(found(await report), codes);
    // What comes after is judged on its own, and still covers everything before it.
    assert.equal((await report).unsigned, 2);
  }
});

test('one changed entry is one problem, however many checkpoints come after it', async () => {
  const every = leaves.map((_, i) => signed(leaves, i + 1, owner));
  const report = await verify(edited(2, canonicalBytes(entryFields(2, owner, { amount: 9 }))), every);
  assert.deepEqual(found(report), ['checkpoint-root@2']);
  assert.equal(report.checkpoints, 2);
});

test('roots that are wrong on both sides of a good one are two problems', async () => {
  const foreign = sampleLeaves(14, stranger);
  const kept = [signed(foreign, 3, owner), signed(leaves, 6, owner), signed(foreign, 9, owner)];
  const report = await verify(positioned(leaves), kept);
  assert.deepEqual(found(report), ['checkpoint-root@0', 'checkpoint-root@6']);
  assert.equal(report.unsigned, 8);
});

test("history rewritten by the key's holder is caught by a checkpoint kept outside", async () => {
  const forged = leaves.with(5, canonicalBytes(entryFields(5, owner, { amount: 500 })));
  const kept = [signed(forged, 14, owner)];
  assert.equal((await verify(positioned(forged), kept, { key: owner.key })).verdict, 'ok');
  const outside = [signed(leaves, 8, owner).note, signed(leaves, 4, owner).note];
  assert.deepEqual(found(await verify(positioned(forged), kept, { outside })), ['outside-root@4']);
});

test('a log restored from an old copy is shorter than what was signed outside', async () => {
  const restored = positioned(leaves.slice(0, 5));
  const kept = checkpoints.slice(0, 1);
  assert.equal((await verify(restored, kept)).verdict, 'ok');
  assert.deepEqual(found(await verify(restored, kept, { outside: [signed(leaves, 12, owner).note] })), [
    'log-truncated@5',
  ]);
});

test('outside checkpoints in any order cover entries as kept ones do; bad ones are reported', async () => {
  const good = [14, 0, 4].map((size) => signed(leaves, size, owner).note);
  const report = await verify(positioned(leaves), [], { outside: good });
  assert.deepEqual([report.verdict, report.unsigned, report.checkpoints], ['ok', 0, 3]);
  const foreign = signed(leaves, 4, owner, 'elsewhere.example/log').note;
  const bad = ['?', foreign, signed(leaves, 4, stranger).note, signed(leaves.toReversed(), 4, owner).note];
  const codes = ['outside-malformed', 'outside-origin', 'outside-signature', 'outside-root@0'];
  assert.deepEqual(found(await verify(positioned(leaves), [], { outside: bad })), codes);
});

test('a log in which everything is wrong is reported in bounded memory', async () => {
  const entries = positioned(Array.from({ length: PROBLEMS_MAX + 10 }, () => utf8('?')));
  const report = await verify(entries, []);
  assert.equal(report.problems.length, PROBLEMS_MAX);
  assert.equal(report.omitted, 11);
});

test('a problem shows hostile text in one harmless line', async () => {
  const report = await verify(
    edited(13, canonicalBytes(entryFields(13, owner, { log: `a\n\u001b[2J\u202e\`${'x'.repeat(500)}` }))),
  );
  const [problem] = report.problems;
  assert.equal(problem?.code, 'entry-log');
  assert.match(problem?.message ?? '', /got one of `a··\[2J··x{50,}`$/);
  assert.equal(LOG.includes('`'), false);
});
