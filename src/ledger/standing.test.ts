/** What stands until it is ended, once, and the signatures that the entries carry. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualWorld } from '../../test/manual-world.ts';
import { toBase64, utf8 } from '../value/encoding.ts';
import { uuidV7 } from '../value/id.ts';
import type { JsonObject } from '../value/json.ts';
import { verifyEd25519 } from './ed25519.ts';
import type { EntryDraft, EntryType } from './entry.ts';
import { parseEntry } from './entry.ts';
import type { Ledger } from './ledger.ts';
import { createMemoryDisk } from './memory/disk.ts';
import { openMemoryLedger } from './memory/store.ts';
import { signedText } from './signed-text.ts';
import { signerFromSeed } from './signer.ts';
import { foldLog } from './tables.ts';
import { createVault } from './vault.ts';
import { verifyLog } from './verify/verify.ts';

const RELOAD = 'reload-0123456789abcdef';
const EXCEPTION = 'exception-0123456789abcdef';
const signer = signerFromSeed(new Uint8Array(32).fill(3));
const KEY = `ed25519:${toBase64(signer.publicKey)}`;
const world = createManualWorld();

function draft(type: EntryType, fields: JsonObject): EntryDraft {
  return { id: uuidV7(world.now(), world.random(10)), type, fields };
}

function signed(log: string, type: EntryType, fields: JsonObject): EntryDraft {
  const all = { ...fields, by: 'ann', key: KEY };
  const text = signedText(type, log, all);
  assert.ok(text !== undefined);
  return draft(type, { ...all, signature: toBase64(signer.sign(utf8(text))) });
}

const exception = (log: string, more: JsonObject = {}): EntryDraft => {
  const rules = [{ id: 'rules/0', digest: 'sha256:00' }];
  const expires = '2026-11-21T00:00:00.000Z';
  return signed(log, 'policy.exception', { exception: EXCEPTION, rules, expires, reason: 'x', ...more });
};
const ended = draft('policy.exception-ended', { exception: EXCEPTION, by: 'ann', reason: 'over' });

async function open(): Promise<{ ledger: Ledger; disk: ReturnType<typeof createMemoryDisk> }> {
  const disk = createMemoryDisk();
  const vault = createVault(new Uint8Array(32).fill(7), world);
  return { disk, ledger: await openMemoryLedger({ world, vault, disk }) };
}

test('an exception stands until it is ended, never twice, and the version tells of both', async () => {
  const { ledger, disk } = await open();
  const add = (entry: EntryDraft): Promise<void> => ledger.append({ entries: [entry] });
  const version = async (): Promise<number> => (await ledger.counters('exception/')).size;
  await assert.rejects(add(ended), /never stood/u);
  await add(exception(ledger.log));
  assert.deepEqual([...(await ledger.counters('exception/'))], [[`exception/${EXCEPTION}`, disk.leaves.length]]);
  await assert.rejects(add(exception(ledger.log)), /`exception-0123456789abcdef` stands/u);
  await add({ ...ended, id: uuidV7(world.now(), world.random(10)) });
  // The same entry again, signature and all.
  await assert.rejects(add(exception(ledger.log)), /has ended/u);
  assert.deepEqual([await version(), disk.tables.counter('exception-version')], [0, 2]);
  const entries = disk.leaves.map((leaf) => {
    const parsed = parseEntry(leaf);
    assert.ok(parsed.ok);
    return parsed.value;
  });
  const folded = foldLog(entries);
  assert.ok(folded.ok);
  assert.deepEqual(new Map(folded.tables.counters()), new Map(disk.tables.counters()));
});

test('entries without the fields of their type are refused', async () => {
  const { ledger } = await open();
  const whole = exception(ledger.log).fields;
  for (const lacking of ['exception', 'rules', 'expires', 'reason', 'by', 'key', 'signature']) {
    const { [lacking]: _, ...fields } = whole;
    await assert.rejects(ledger.append({ entries: [draft('policy.exception', fields)] }), new RegExp(lacking, 'u'));
  }
  const foreign = { ...whole, exception: RELOAD };
  await assert.rejects(ledger.append({ entries: [draft('policy.exception', foreign)] }), /exception/u);
});

test('verify finds a signature that is not over what the entry says, of another log, or of another key [R-break-glass]', async () => {
  const other = signerFromSeed(new Uint8Array(32).fill(4));
  const cases: readonly (readonly [string, (log: string) => EntryDraft, readonly string[]])[] = [
    ['as it was signed', exception, []],
    ['another log', () => exception('interlock/other'), ['entry-signature']],
    ['a later end', (log) => edited(exception(log), { expires: '2027-01-01T00:00:00.000Z' }), ['entry-signature']],
    ['another rule', (log) => edited(exception(log), { rules: [{ id: 'b', digest: 'c' }] }), ['entry-signature']],
    ['another author', (log) => edited(exception(log), { by: 'eve' }), ['entry-signature']],
    [
      'another key',
      (log) => edited(exception(log), { key: `ed25519:${toBase64(other.publicKey)}` }),
      ['entry-signature'],
    ],
    ['no key', (log) => edited(exception(log), { key: 'x' }), ['entry-signature']],
  ];
  for (const [what, made, codes] of cases) {
    const { ledger, disk } = await open();
    await ledger.append({ entries: [made(ledger.log)] });
    await ledger.checkpoint();
    const source = {
      entries: disk.leaves.map((leaf, position) => ({ leaf, position })),
      checkpoints: disk.checkpoints,
    };
    const report = await verifyLog(source, { checkSignature: verifyEd25519 });
    assert.deepEqual(
      report.problems.map(({ code }) => code),
      codes,
      what,
    );
  }
});

test('a reload waits until it is answered, and an approval of it is signed', async () => {
  const { ledger, disk } = await open();
  const digests = { before: 'sha256:1', after: 'sha256:2' };
  const waiting = draft('policy.waiting', { reload: RELOAD, ...digests, widens: [], approvers: {} });
  const approved = signed(ledger.log, 'policy.approved', { reload: RELOAD, ...digests });
  await assert.rejects(ledger.append({ entries: [approved] }), /never stood/u);
  await ledger.append({ entries: [waiting] });
  await ledger.append({ entries: [approved] });
  await assert.rejects(
    ledger.append({ entries: [{ ...approved, id: uuidV7(world.now(), world.random(10)) }] }),
    /has ended/u,
  );
  assert.deepEqual([...(await ledger.counters('reload-ended/')).values()], [disk.leaves.length]);
});

function edited(entry: EntryDraft, fields: JsonObject): EntryDraft {
  return { ...entry, fields: { ...entry.fields, ...fields } };
}
