import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { entryFields, LOG, sampleLeaves, signed, signer } from '../../../test/sample-log.ts';
import { formatVerifierKey } from '../../tlog/note.ts';
import { canonicalBytes } from '../../value/canonical.ts';
import { fromUtf8, utf8 } from '../../value/encoding.ts';
import type { JsonObject } from '../../value/json.ts';
import { formatBundle, parseBundle } from '../bundle/format.ts';
import type { Bundle } from '../bundle/format.ts';
import { makeBundle } from '../bundle/make.ts';
import { verifyEd25519 } from '../ed25519.ts';
import { verifyBundle } from './bundle.ts';
import type { VerifyOptions } from './verify.ts';

const owner = signer(1);
const stranger = signer(2);
const leaves = sampleLeaves(14, owner);
const SIZE = 12;

/** The bundle of the entries at `positions` of a log that `by` signed. */
function bundleOf(positions: readonly number[], log = leaves, by = owner): Bundle {
  const { note } = signed(log, SIZE, by);
  const chosen = new Set(positions.map((position) => log[position]));
  const key = formatVerifierKey(by.key);
  const bundle = makeBundle({ checkpoint: String(note), key, leaves: () => log }, (leaf) => chosen.has(leaf));
  assert.ok(bundle !== undefined);
  return bundle;
}

function found(bundle: Bundle | JsonObject | Uint8Array, options: Partial<VerifyOptions> = {}): string[] {
  const bytes =
    bundle instanceof Uint8Array
      ? bundle
      : utf8(JSON.stringify('interlock' in bundle ? bundle : formatBundle(bundle as Bundle)));
  const { verdict, problems } = verifyBundle(bytes, { checkSignature: verifyEd25519, ...options });
  assert.equal(verdict, problems.length === 0 ? 'ok' : 'bad');
  return problems.map(({ code, entry }) => (entry === undefined ? code : `${code}@${entry}`));
}

/** A bundle with one of its entries changed. */
function changed(bundle: Bundle, position: number, change: Partial<Bundle['entries'][number]>): Bundle {
  return {
    ...bundle,
    entries: bundle.entries.map((entry) => (entry.position === position ? { ...entry, ...change } : entry)),
  };
}

test('any entries of a signed log verify, and the report says how many and under whose key', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: SIZE - 1 }), { minLength: 1 }), (positions) => {
      assert.deepEqual(found(bundleOf(positions)), []);
    }),
  );
  const bytes = utf8(JSON.stringify(formatBundle(bundleOf([3, 7]))));
  const report = verifyBundle(bytes, { checkSignature: verifyEd25519, key: owner.key });
  assert.deepEqual(
    [report.entries, report.checkpoints, report.key],
    [3, 1, { vkey: formatVerifierKey(owner.key), trusted: 'given' }],
  );
});

test('entries after the last signature are not taken, and of none there is no bundle', () => {
  const { note } = signed(leaves, SIZE, owner);
  const log = { checkpoint: String(note), key: formatVerifierKey(owner.key), leaves: () => leaves };
  assert.equal(
    makeBundle(log, (leaf) => leaf === leaves[13]),
    undefined,
  );
  assert.throws(
    () => makeBundle({ ...log, leaves: () => leaves.slice(0, 9) }, () => true),
    /the log has 9 entries of the 12 that are signed/u,
  );
});

test('an entry that was edited, moved, proved by another path or taken from elsewhere is found', () => {
  const bundle = bundleOf([3, 7, 9]);
  const edited = fromUtf8(canonicalBytes(entryFields(7, owner, { type: 'call.other' }))) ?? '';
  const [three, seven] = [bundle.entries[1], bundle.entries[2]];
  assert.ok(three?.position === 3 && seven?.position === 7);
  assert.deepEqual(found(changed(bundle, 7, { leaf: edited })), ['entry-proof@7']);
  assert.deepEqual(found(changed(bundle, 7, { position: 8 })), ['entry-proof@8']);
  assert.deepEqual(found(changed(bundle, 7, { proof: three.proof })), ['entry-proof@7']);
  assert.deepEqual(found(changed(bundle, 7, { proof: seven.proof.slice(1) })), ['entry-proof@7']);
  assert.deepEqual(found(changed(bundle, 9, { position: 12 })), ['entry-proof@12']);
  assert.deepEqual(found({ ...bundle, entries: bundle.entries.toReversed() }), [
    'entry-order@7',
    'entry-order@3',
    'entry-order@0',
  ]);
  assert.deepEqual(found(changed(bundle, 7, { leaf: ` ${seven.leaf}` })), ['entry-proof@7', 'entry-not-canonical@7']);
});

test('what is correctly proved is still no entry of this log when it says so itself', () => {
  const foreign = leaves.with(5, canonicalBytes(entryFields(5, owner, { log: `${LOG}x` })));
  assert.deepEqual(found(bundleOf([5], foreign)), ['entry-log@5']);
  const late = leaves.with(5, canonicalBytes(entryFields(5, owner, { at: '2000-01-01T00:00:00.000Z' })));
  assert.deepEqual(found(bundleOf([4, 5], late)), ['entry-time@5']);
});

test('a bundle signed by somebody else, or naming another key than it is signed with, is found', () => {
  const bundle = bundleOf([3]);
  assert.deepEqual(found(bundleOf([3], leaves, stranger)), [], 'on first sight any key is as good');
  assert.deepEqual(found(bundleOf([3], leaves, stranger), { key: owner.key }), [
    'key-mismatch',
    'checkpoint-signature',
  ]);
  assert.deepEqual(found({ ...bundle, key: formatVerifierKey(stranger.key) }), ['checkpoint-signature']);
  assert.deepEqual(found({ ...bundle, checkpoint: bundle.checkpoint.replace('12', '13') }), ['checkpoint-signature']);
});

test('a checkpoint kept elsewhere is compared when it is of the same size, and else said not to be', () => {
  const bundle = bundleOf([3]);
  const outside = (log: readonly Uint8Array[], size: number, by = owner): Partial<VerifyOptions> => ({
    outside: [signed([...log], size, by).note],
  });
  assert.deepEqual(found(bundle, outside(leaves, SIZE)), []);
  const other = leaves.with(2, canonicalBytes(entryFields(2, owner, { type: 'call.other' })));
  assert.deepEqual(found(bundle, outside(other, SIZE)), ['outside-root']);
  assert.deepEqual(found(bundle, outside(leaves, 8)), ['outside-size']);
  assert.deepEqual(found(bundle, outside(leaves, SIZE, stranger)), ['outside-signature']);
  assert.deepEqual(found(bundle, { outside: ['nonsense'] }), ['outside-malformed']);
});

test('what is no bundle says so, whatever it is', () => {
  const bundle = formatBundle(bundleOf([3]));
  const text = JSON.stringify(bundle);
  for (const bytes of [
    utf8(''),
    utf8('[]'),
    utf8('{}'),
    utf8(`${text}${text}`),
    utf8(text.slice(0, -9)),
    utf8(text.replace('bundle/1', 'bundle/2')),
    utf8(text.replace('"leaf"', '"leaf":"x","leaf"')),
    new Uint8Array([0xff, 0xfe]),
  ]) {
    assert.deepEqual(found(bytes), ['bundle-malformed']);
  }
  assert.deepEqual(found({ ...bundle, more: 1 }), ['bundle-malformed']);
  assert.deepEqual(found({ ...bundle, entries: [{ position: 1.5, leaf: '', proof: [] }] }), ['bundle-malformed']);
  assert.deepEqual(found({ ...bundle, key: 'nonsense' }), ['bundle-malformed']);
  assert.deepEqual(found({ ...bundle, checkpoint: 'nonsense' }), ['checkpoint-malformed']);
});

test('a bundle that is written and read again is the same', () => {
  const bundle = bundleOf([1, 11]);
  const read = parseBundle(utf8(JSON.stringify(formatBundle(bundle))));
  assert.ok(read.ok);
  assert.deepEqual(read.bundle, bundle);
});
