import assert from 'node:assert/strict';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { parseCheckpoint } from '../../tlog/checkpoint.ts';
import { parseNote } from '../../tlog/note.ts';
import { one } from '../../../test/ledger-drafts.ts';
import { look } from '../../../test/ledger-place.ts';
import { createManualWorld } from '../../../test/manual-world.ts';
import { parseEntry } from '../entry.ts';
import type { Entry } from '../entry.ts';
import { ROLLBACK_KEY } from '../fold.ts';
import { LedgerError } from '../ledger.ts';
import { openVault } from '../vault.ts';
import { openReader } from './reader.ts';
import type { LedgerOptions, StoredLedger } from './store.ts';
import { openLedger } from './store.ts';

interface Place {
  readonly data: string;
  readonly backup: string;
  readonly file: string;
  readonly warnings: string[];
  open(more?: Partial<LedgerOptions>): Promise<StoredLedger>;
  /** Opens, writes so many entries, closes. */
  grow(entries: number, more?: Partial<LedgerOptions>): Promise<void>;
  entries(): Entry[];
}

function placeOf(t: TestContext): Place {
  const path = mkdtempSync(join(tmpdir(), 'interlock-rollback-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  const world = createManualWorld();
  const [data, file] = [join(path, 'data'), join(path, 'state', 'outside.checkpoint')];
  const warnings: string[] = [];
  const open: Place['open'] = (more) =>
    openLedger({
      dataDirectory: data,
      world,
      vault: openVault(data, world),
      outside: { kind: 'file', file },
      warn: (line) => warnings.push(line),
      ...more,
    });
  return {
    data,
    file,
    backup: join(path, 'backup'),
    warnings,
    open,
    grow: async (entries, more) => {
      await using ledger = await open(more);
      for (let i = 0; i < entries; i += 1) await ledger.append(one('policy.loaded', { digest: `${i}` }));
    },
    entries: () => {
      using reader = openReader(data);
      return [...reader.leaves()].map(({ leaf }) => {
        const parsed = parseEntry(leaf);
        assert(parsed.ok);
        return parsed.value;
      });
    },
  };
}

function backUp({ data, backup }: Place): void {
  cpSync(data, backup, { recursive: true });
}

function restore({ data, backup }: Place): void {
  rmSync(data, { recursive: true });
  cpSync(backup, data, { recursive: true });
}

function sizeOf(file: string): number {
  const note = parseNote(readFileSync(file));
  const read = note.ok ? parseCheckpoint(note.value.text) : note;
  assert(read.ok);
  return read.value.size;
}

function isRolledBack(message: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof LedgerError && error.code === 'rolled-back' && message.test(error.message);
}

const ACCEPT = { acceptRollback: { by: 'os:ann', reason: 'the disk died' } };

test('each checkpoint is also written outside of the data directory, and an opening finds it', async (t) => {
  const place = placeOf(t);
  await using ledger = await place.open();
  assert.equal(ledger.outside, 'new');
  await ledger.append(one('policy.loaded', { digest: 'd' }));
  const note = await ledger.checkpoint();
  await ledger[Symbol.asyncDispose]();
  assert(sizeOf(place.file) > 3, 'the last one signs the farewell too');
  assert.notEqual(note, '');
  await using again = await place.open();
  assert.equal(again.outside, 'consistent');
  assert.deepEqual(place.warnings, []);
  const opened = place.entries().filter(({ type }) => type === 'ledger.opened');
  assert.deepEqual(
    opened.map(({ outside }) => outside),
    ['new', 'consistent'],
  );
});

test('a data directory that was restored from a backup does not open, and what was found and what to do is said [R-rollback]', async (t) => {
  const place = placeOf(t);
  await place.grow(3);
  backUp(place);
  await place.grow(5);
  restore(place);
  const said =
    /holds 6 entries, the last of 2026-.*Z, but `.*outside\.checkpoint`, written 20.*Z, holds the log's own/u;
  await assert.rejects(place.open(), isRolledBack(said));
  await assert.rejects(place.open(), isRolledBack(/restored backup.*interlock recover --accept-rollback/u));
  assert.equal(place.entries().length, 6, 'nothing was written');
});

test('a restored directory that was written on meanwhile is another log and does not open either', async (t) => {
  const place = placeOf(t);
  await place.grow(3);
  backUp(place);
  await place.grow(1);
  const kept = readFileSync(place.file);
  restore(place);
  await place.grow(9, { outside: { kind: 'file', file: `${place.file}.other` } });
  assert.deepEqual(readFileSync(place.file), kept);
  await assert.rejects(place.open(), isRolledBack(/first 9 entries of the data directory are not those that/u));
});

test('a person accepts the older copy, which is an entry and a fact until it is lifted; it opens from then on', async (t) => {
  const place = placeOf(t);
  await place.grow(3);
  backUp(place);
  await place.grow(5);
  restore(place);
  await using accepted = await place.open(ACCEPT);
  assert.equal(accepted.outside, 'accepted');
  const facts = await look(accepted, { facts: [ROLLBACK_KEY] });
  assert.deepEqual([...facts.values], [[ROLLBACK_KEY, 1]]);
  await accepted[Symbol.asyncDispose]();
  const [entry, ...more] = place.entries().filter(({ type }) => type === 'ledger.rollback-accepted');
  assert.deepEqual([entry?.['by'], entry?.['reason'], entry?.['entries'], more], ['os:ann', 'the disk died', 6, []]);
  assert.match(JSON.stringify(entry?.['outside']), /"size":13\b/u);
  await using next = await place.open();
  assert.equal(next.outside, 'consistent');
  await next.append(one('ledger.rollback-lifted', { by: 'os:ann', reason: 'all looked at' }));
  assert.deepEqual([...(await look(next, { facts: [ROLLBACK_KEY] })).values], []);
  await assert.rejects(
    next.append(one('ledger.rollback-lifted', { by: 'os:ann', reason: 'twice' })),
    (error) => error instanceof LedgerError && error.code === 'conflict',
  );
});

test('a process that dies right after the acceptance leaves it accepted, though the file was not replaced', async (t) => {
  const place = placeOf(t);
  await place.grow(3);
  backUp(place);
  await place.grow(5);
  const before = readFileSync(place.file);
  restore(place);
  await place.grow(0, ACCEPT);
  writeFileSync(place.file, before);
  await using again = await place.open();
  assert.equal(again.outside, 'accepted');
  assert.equal(place.entries().filter(({ type }) => type === 'ledger.rollback-accepted').length, 1);
  await again[Symbol.asyncDispose]();
  assert(sizeOf(place.file) < 13, 'it was replaced this time');
});

test('whatever the log did not sign itself stands in the way until a person accepts: denial, never silence', async (t) => {
  const place = placeOf(t);
  await place.grow(3);
  const other = placeOf(t);
  await other.grow(200);
  const own = readFileSync(place.file, 'utf8');
  for (const [text, said] of [
    ['', /holds no checkpoint/u],
    ['garbage'.repeat(100_000), /holds no checkpoint/u],
    [own.slice(0, -10), /holds no checkpoint/u],
    [readFileSync(other.file, 'utf8'), /holds a checkpoint of another log/u],
    [own.replace(/\n\d+\n/u, '\n99\n'), /not signed by this ledger's key/u],
  ] as const) {
    writeFileSync(place.file, text);
    await assert.rejects(place.open(), isRolledBack(said), text.slice(0, 40));
  }
  await using accepted = await place.open(ACCEPT);
  assert.equal(accepted.outside, 'accepted');
});

test('a data directory that was emptied is noticed where the configuration names the file', async (t) => {
  const place = placeOf(t);
  await place.grow(3);
  rmSync(place.data, { recursive: true });
  await assert.rejects(place.open(), isRolledBack(/checkpoint of another log/u));
  await using accepted = await place.open(ACCEPT);
  assert.equal(accepted.outside, 'accepted');
});

test('a missing file is told, recorded and written anew', async (t) => {
  const place = placeOf(t);
  await place.grow(3);
  rmSync(place.file);
  await place.grow(0);
  assert.match(place.warnings.join(), /is missing: that this log is whole cannot be told/u);
  assert.equal(place.entries().filter(({ outside }) => outside === 'missing').length, 1);
  assert(existsSync(place.file));
});

test('a file that cannot be written is told once, recorded once, and does not stop the ledger', async (t) => {
  const place = placeOf(t);
  const blocked = join(place.data, '..', 'blocked');
  writeFileSync(blocked, 'a file where a directory should be');
  const outside = { kind: 'file', file: join(blocked, 'sub', 'outside.checkpoint') } as const;
  await using ledger = await place.open({ outside });
  for (let i = 0; i < 3; i += 1) {
    await ledger.append(one('policy.loaded', { digest: `${i}` }));
    await ledger.checkpoint();
    for (let turn = 0; turn < 200 && place.warnings.length === 0; turn += 1) await new Promise(setImmediate);
  }
  await ledger[Symbol.asyncDispose]();
  assert.equal(place.warnings.length, 1);
  assert.match(place.warnings[0] ?? '', /cannot be written \(E[A-Z]+\): a restored backup will not be noticed/u);
  const failed = place.entries().filter(({ type }) => type === 'ledger.outside-failed');
  assert.deepEqual(
    failed.map(({ reason }) => typeof reason),
    ['string'],
  );
});

test('a file that cannot be read keeps the ledger shut, and the configuration that would help is named', async (t) => {
  const place = placeOf(t);
  await place.grow(1);
  rmSync(place.file);
  mkdirSync(place.file);
  const refused = (error: unknown): boolean =>
    error instanceof LedgerError &&
    error.code === 'cannot-open' &&
    /checkpoints: \{ file: PATH \}/u.test(error.message);
  await assert.rejects(place.open(), refused);
  if (process.getuid?.() === 0) return t.diagnostic('a file without permissions: skipped, root reads everything');
  rmSync(place.file, { recursive: true });
  writeFileSync(place.file, '');
  chmodSync(place.file, 0o000);
  await assert.rejects(place.open(), refused);
});

test('a file inside the data directory would be restored with it and is refused', async (t) => {
  const place = placeOf(t);
  const outside = { kind: 'file', file: join(place.data, 'outside') } as const;
  await assert.rejects(place.open({ outside }), /is in the data directory/u);
});

test('whoever has no configuration uses the file that the last opening kept', async (t) => {
  const place = placeOf(t);
  const elsewhere = join(place.data, '..', 'elsewhere');
  await place.grow(1, { outside: { kind: 'remembered', directory: elsewhere } });
  assert(existsSync(elsewhere));
  await place.grow(1);
  backUp(place);
  await place.grow(1);
  restore(place);
  await assert.rejects(place.open({ outside: { kind: 'remembered', directory: elsewhere } }), isRolledBack(/outside/u));
});

test('of two openings the one that signs last leaves its checkpoint, and neither goes back', async (t) => {
  const place = placeOf(t);
  await using one_ = await place.open();
  await using two = await place.open();
  for (let i = 0; i < 20; i += 1) {
    const ledger = i % 2 === 0 ? one_ : two;
    await ledger.append(one('policy.loaded', { digest: `${i}` }));
    await ledger.checkpoint();
  }
  await one_[Symbol.asyncDispose]();
  await two[Symbol.asyncDispose]();
  assert.equal(sizeOf(place.file), place.entries().length);
});
