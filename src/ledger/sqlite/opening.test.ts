import assert from 'node:assert/strict';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { one } from '../../../test/ledger-drafts.ts';
import { createManualWorld } from '../../../test/manual-world.ts';
import type { ManualWorld } from '../../../test/manual-world.ts';
import { LedgerError } from '../ledger.ts';
import { openVault } from '../vault.ts';
import { openReader } from './reader.ts';
import type { StoredLedger } from './store.ts';
import { openLedger } from './store.ts';

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'interlock-opening-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return join(path, 'data');
}

function open(dataDirectory: string, world: ManualWorld = createManualWorld()): Promise<StoredLedger> {
  const vault = openVault(dataDirectory, world);
  return openLedger({ dataDirectory, world, vault });
}

/** A closed ledger of `entries` entries after its opening; all of it is signed. */
async function closedLedger(dataDirectory: string, entries: number): Promise<void> {
  await using ledger = await open(dataDirectory);
  for (let i = 0; i < entries; i += 1) await ledger.append(one('policy.loaded', { digest: `${i}` }));
}

function change(dataDirectory: string, sql: string): void {
  const database = new DatabaseSync(join(dataDirectory, 'ledger.db'));
  database.exec(sql);
  database.close();
}

function isRefusal(code: string, message: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof LedgerError && error.code === code && message.test(error.message);
}

test(
  'a first start makes a directory and files that only their owner can read',
  { skip: process.platform === 'win32' },
  async (t) => {
    const dataDirectory = directory(t);
    await using ledger = await open(dataDirectory);
    await ledger.append(one('policy.loaded', { digest: 'd' }));
    const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);
    assert.equal(mode(dataDirectory), '700');
    const files = readdirSync(dataDirectory).toSorted();
    const [folders, database] = [
      ['epochs', 'instances'],
      ['ledger.db', 'ledger.db-shm', 'ledger.db-wal'],
    ];
    assert.deepEqual(files, [...folders, ...database, 'signer.key', 'vault.key']);
    for (const file of [...files, join('epochs', '1.key')]) {
      assert.equal(mode(join(dataDirectory, file)), folders.includes(file) ? '700' : '600', file);
    }
  },
);

test('a closed ledger leaves no lock and no log beside its database, and opens again', async (t) => {
  const dataDirectory = directory(t);
  await closedLedger(dataDirectory, 3);
  assert.deepEqual(readdirSync(dataDirectory).toSorted(), [
    'epochs',
    'instances',
    'ledger.db',
    'signer.key',
    'vault.key',
  ]);
  assert.deepEqual(readdirSync(join(dataDirectory, 'instances')), []);
  using reader = openReader(dataDirectory);
  assert.equal([...reader.checkpoints()].at(-1)?.frontier.size, reader.head().frontier.size);
  await using ledger = await open(dataDirectory);
  assert.equal(ledger.log, reader.log);
});

test(
  'a signer key that others can read is refused, with what to do',
  { skip: process.platform === 'win32' },
  async (t) => {
    const dataDirectory = directory(t);
    await closedLedger(dataDirectory, 0);
    chmodSync(join(dataDirectory, 'signer.key'), 0o640);
    await assert.rejects(open(dataDirectory), isRefusal('cannot-open', /mode 0640, expected 0600: run chmod 600/));
    chmodSync(join(dataDirectory, 'signer.key'), 0o600);
    chmodSync(join(dataDirectory, 'vault.key'), 0o604);
    await assert.rejects(async () => open(dataDirectory), isRefusal('cannot-open', /vault.key` has mode 0604/));
  },
);

test('a key that is missing, damaged or another is refused, and none is made in its place', async (t) => {
  const dataDirectory = directory(t);
  await closedLedger(dataDirectory, 0);
  const signer = join(dataDirectory, 'signer.key');
  writeFileSync(signer, 'no key');
  await assert.rejects(open(dataDirectory), isRefusal('cannot-open', /signer.key` is damaged/));
  rmSync(signer);
  await assert.rejects(open(dataDirectory), isRefusal('cannot-open', /signer.key` is missing/));
  assert.equal(existsSync(signer), false);
  const other = directory(t);
  await closedLedger(other, 0);
  copyFileSync(join(other, 'signer.key'), signer);
  await assert.rejects(open(dataDirectory), isRefusal('cannot-open', /not the key that this ledger is signed with/));
  rmSync(join(dataDirectory, 'vault.key'));
  await assert.rejects(async () => open(dataDirectory), isRefusal('cannot-open', /vault.key` is missing/));
});

test('what is no data directory of ours is refused, and stays as it is', async (t) => {
  const dataDirectory = directory(t);
  writeFileSync(dataDirectory, 'a file');
  await assert.rejects(async () => open(dataDirectory), isRefusal('cannot-open', /is a file, expected a directory/));
  assert.throws(() => openReader(dataDirectory), isRefusal('cannot-open', /is a file, expected a directory/));

  const empty = directory(t);
  mkdirSync(empty);
  assert.throws(() => openReader(empty), isRefusal('cannot-open', /holds no ledger/));
  assert.deepEqual(readdirSync(empty), []);

  const garbage = directory(t);
  openVault(garbage, createManualWorld());
  writeFileSync(join(garbage, 'ledger.db'), 'garbage'.repeat(1_000));
  await assert.rejects(open(garbage), isRefusal('cannot-open', /no SQLite database/));

  const foreign = directory(t);
  openVault(foreign, createManualWorld());
  change(foreign, 'CREATE TABLE notes(text)');
  await assert.rejects(open(foreign), isRefusal('cannot-open', /database of another program/));
  assert.throws(() => openReader(foreign), isRefusal('cannot-open', /database of another program/));
});

test('a ledger of a later version is refused', async (t) => {
  const dataDirectory = directory(t);
  await closedLedger(dataDirectory, 0);
  change(dataDirectory, 'PRAGMA user_version = 6');
  await assert.rejects(
    open(dataDirectory),
    isRefusal('cannot-open', /version 6, expected version 5.*update Interlock/),
  );
  assert.throws(() => openReader(dataDirectory), isRefusal('cannot-open', /update Interlock/));
});

test('a ledger from before the first release is refused, and what to do is said', async (t) => {
  const dataDirectory = directory(t);
  await closedLedger(dataDirectory, 0);
  change(dataDirectory, 'PRAGMA user_version = 1');
  const said = isRefusal('cannot-open', /version 1, expected version 5.*before the first release.*--data/);
  await assert.rejects(open(dataDirectory), said);
  assert.throws(() => openReader(dataDirectory), said);
});

test('an empty database file is a ledger that was not created yet', async (t) => {
  const dataDirectory = directory(t);
  openVault(dataDirectory, createManualWorld());
  writeFileSync(join(dataDirectory, 'ledger.db'), '');
  assert.throws(() => openReader(dataDirectory), isRefusal('cannot-open', /empty/));
  await using ledger = await open(dataDirectory);
  await ledger.append(one('policy.loaded', { digest: 'd' }));
});

/** Changes to a ledger whose last 4 entries are not signed yet, and what opening says. */
const TAMPERINGS: readonly (readonly [what: string, sql: string, message: RegExp])[] = [
  [
    'a changed byte in an entry that is not signed yet',
    `UPDATE entries SET leaf = CAST(replace(CAST(leaf AS TEXT), '"digest":"2"', '"digest":"9"') AS BLOB)`,
    /are not those that were written/,
  ],
  ['a removed last entry', 'DELETE FROM entries WHERE position = (SELECT max(position) FROM entries)', /is missing/],
  [
    'a removed entry before the last',
    'DELETE FROM entries WHERE position = (SELECT max(position) FROM entries) - 1',
    /is missing/,
  ],
  ['an added entry', 'INSERT INTO entries SELECT max(position) + 1, leaf FROM entries', /after the end of the log/],
  [
    'a shortened log',
    'UPDATE head SET frontier = (SELECT frontier FROM checkpoints ORDER BY size LIMIT 1)',
    /ends at 2 entries, and 3 were known/,
  ],
  ['a removed head', 'DELETE FROM head', /head of the log is missing/],
  ['a damaged head', "UPDATE head SET frontier = x'00'", /column `frontier`/],
  [
    'a changed size in a checkpoint',
    'UPDATE checkpoints SET note = replace(note, char(10) || size || char(10), char(10) || (size + 1) || char(10))',
    /not signed by this ledger's key/,
  ],
  [
    'a changed signature',
    "UPDATE checkpoints SET note = substr(note, 1, length(note) - 10) || 'AAAAAAA' || substr(note, -3)",
    /./,
  ],
  ['a checkpoint that is no note', "UPDATE checkpoints SET note = 'signed'", /cannot be read/],
  [
    'a changed tree under a checkpoint',
    'UPDATE checkpoints SET frontier = (SELECT frontier FROM head)',
    /does not sign the tree/,
  ],
  ['a changed first entry', "UPDATE entries SET leaf = x'7b7d' WHERE position = 0", /first entry/],
  ['another name of the log', "UPDATE meta SET value = 'interlock/other'", /first entry/],
  ['a removed name of the log', 'DELETE FROM meta', /name of the log is missing/],
];

test('a log that does not extend what was signed does not open', async (t) => {
  const original = directory(t);
  const world = createManualWorld();
  const ledger = await open(original, world);
  await ledger.append(one('policy.loaded', { digest: 'signed' }));
  await ledger.checkpoint();
  for (let i = 0; i < 4; i += 1) await ledger.append(one('policy.loaded', { digest: `${i}` }));
  // A copy as a crash would leave it. VACUUM INTO reads through SQLite, which keeps the locks of this process.
  const image = (path: string): void => {
    mkdirSync(path, { recursive: true });
    change(original, `VACUUM INTO '${join(path, 'ledger.db')}'`);
    for (const key of ['signer.key', 'vault.key']) copyFileSync(join(original, key), join(path, key));
    cpSync(join(original, 'epochs'), join(path, 'epochs'), { recursive: true });
  };
  for (const [what, sql, message] of TAMPERINGS) {
    const copy = directory(t);
    image(copy);
    change(copy, sql);
    await assert.rejects(open(copy), isRefusal('tampered', message), what);
  }
  const untouched = directory(t);
  image(untouched);
  // Whoever opens it later signs what the crash left unsigned, before anything else is written.
  world.advance(1_000);
  await using again = await open(untouched, world);
  using reader = openReader(untouched);
  assert.equal([...reader.checkpoints()].at(-1)?.frontier.size, 7);
  assert.equal(again.log, ledger.log);
  await ledger[Symbol.asyncDispose]();
});
