import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { newId } from '../../test/ledger-drafts.ts';
import { canonicalBytes, canonicalText } from '../value/canonical.ts';
import { fromUtf8, utf8 } from '../value/encoding.ts';
import type { JsonObject } from '../value/json.ts';
import { parseJson } from '../value/json.ts';
import { ENTRY_BYTES_MAX } from '../value/limits.ts';
import { bodyCommitment, encodeEntry, entrySize, parseEntry } from './entry.ts';

const LOG = 'interlock/0193a000-0000-7000-8000-000000000000';
const ID = '0193a000-0000-7000-8000-000000000001';
const AT = Date.UTC(2026, 10, 20, 18, 0, 0, 123);

const envelope = new Set(['v', 'log', 'id', 'at', 'type']);
const fields: fc.Arbitrary<JsonObject> = fc
  .dictionary(fc.string({ unit: 'binary', maxLength: 6 }), fc.jsonValue({ maxDepth: 3 }))
  .filter((object) => parseJson(canonicalText(object as JsonObject)).ok)
  .map((object) => Object.fromEntries(Object.entries(object).filter(([name]) => !envelope.has(name))) as JsonObject);

test('an entry is the canonical JSON of its envelope and its fields', () => {
  const leaf = encodeEntry(
    { id: ID, type: 'call.denied', fields: { principal: 'local', args: { b: 1, a: 'ü' }, call: 'c' } },
    { log: LOG, at: AT },
  );
  assert.equal(
    fromUtf8(leaf),
    `{"args":{"a":"ü","b":1},"at":"2026-11-20T18:00:00.123Z","call":"c","id":"${ID}","log":"${LOG}","principal":"local","type":"call.denied","v":1}`,
  );
});

test('whatever the fields are, the leaf is canonical, parses to them, and has the size that was foretold', () => {
  fc.assert(
    fc.property(fields, fc.constantFrom('policy.loaded', 'call.intent'), (fields, type) => {
      const draft = { id: ID, type, fields } as const;
      const leaf = encodeEntry(draft, { log: LOG, at: AT });
      const whole = { ...fields, v: 1, log: LOG, id: ID, type, at: '2026-11-20T18:00:00.123Z' };
      assert.deepEqual(leaf, canonicalBytes(whole));
      assert.equal(entrySize(draft, LOG), leaf.length);
      const parsed = parseEntry(leaf);
      assert(parsed.ok);
      assert.deepEqual(canonicalBytes(parsed.value), leaf);
    }),
  );
});

test('an entry may have the largest size and no byte more', () => {
  const size = entrySize({ id: ID, type: 'policy.loaded', fields: { digest: '' } }, LOG);
  const fill = (length: number): Uint8Array =>
    encodeEntry({ id: ID, type: 'policy.loaded', fields: { digest: 'x'.repeat(length) } }, { log: LOG, at: AT });
  const largest = fill(ENTRY_BYTES_MAX - size);
  assert.equal(largest.length, ENTRY_BYTES_MAX);
  assert(parseEntry(largest).ok);
  assert.throws(() => fill(ENTRY_BYTES_MAX - size + 1), { name: 'AssertionError' });
});

test('a draft that names the envelope or has no UUID fails an assertion, and one that is no JSON throws', () => {
  const encode = (id: string, fields: JsonObject): Uint8Array =>
    encodeEntry({ id, type: 'policy.loaded', fields }, { log: LOG, at: AT });
  for (const name of envelope) assert.throws(() => encode(ID, { [name]: 1 }), { name: 'AssertionError' });
  assert.throws(() => encode('1', {}), { name: 'AssertionError' });
  assert.throws(() => encode(ID, { number: 2 ** 53 }), { name: 'AssertionError' });
  assert.doesNotThrow(() => encode(ID, { number: 2 ** 53 - 1, text: `${2 ** 53}` }));
  assert.throws(() => encode(ID, { text: '\ud800' }), { code: 'lone-surrogate' });
  assert.throws(() => encode(ID, { number: Number.NaN }), { code: 'non-finite' });
});

test('arguments as deep as a document may be still parse inside their entry', () => {
  let args: JsonObject = {};
  for (let depth = 1; depth < 128; depth += 1) args = { $lit: args };
  const leaf = encodeEntry({ id: ID, type: 'call.denied', fields: { args } }, { log: LOG, at: AT });
  assert(parseEntry(leaf).ok);
});

test('bytes that are no entry are refused with the reason', () => {
  const good = `{"at":"2026-11-20T18:00:00.123Z","id":"${ID}","log":"${LOG}","type":"policy.loaded","v":1}`;
  assert(parseEntry(utf8(good)).ok);
  const refusals: readonly (readonly [text: string, code: string])[] = [
    ['', 'json-syntax'],
    ['[]', 'entry-envelope'],
    [good.replace('"v":1', '"v":2'), 'entry-envelope'],
    [good.replace(ID, 'x'), 'entry-envelope'],
    [good.replace(LOG, ''), 'entry-envelope'],
    [good.replace('.123Z', 'Z'), 'entry-envelope'],
    [good.replace('.123Z', '.123+00:00'), 'entry-envelope'],
    [good.replace('policy.loaded', 'policy.loved'), 'entry-envelope'],
    [good.replace('{', '{ '), 'entry-not-canonical'],
    [good.replace('"v":1', '"v":1.0'), 'entry-not-canonical'],
    [good.replace('"v":1', '"v":1,"v":1'), 'json-duplicate-key'],
    [`${good} `.padEnd(ENTRY_BYTES_MAX + 1), 'entry-size'],
  ];
  for (const [text, code] of refusals) {
    const parsed = parseEntry(utf8(text));
    assert.equal(parsed.ok ? 'ok' : parsed.issues[0]?.code, code, text.slice(0, 100));
  }
});

test('the commitment of a body is found only where an entry says it as one', () => {
  const leaf = (output: JsonObject | string): Uint8Array =>
    encodeEntry({ id: newId(), type: 'call.succeeded', fields: { output } }, { log: LOG, at: AT });
  assert.equal(bodyCommitment(leaf({ $body: 'c' }), 'output'), 'c');
  assert.equal(bodyCommitment(leaf({ $body: 'c' }), 'args'), undefined);
  assert.equal(bodyCommitment(leaf({ $lit: { $body: 'c' } }), 'output'), undefined);
  assert.equal(bodyCommitment(leaf('c'), 'output'), undefined);
  assert.equal(bodyCommitment(utf8('{}'), 'output'), undefined);
});
