/** `interlock verify`: what it finds in a data directory, in every state one can be in. */

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { openReader } from '../../src/ledger/sqlite/reader.ts';
import { type Ended, Scratch, drivesTerminal, json, run } from './command.ts';
import { copyData, leaves, openRecording, record, tamper } from './recorded.ts';

const MEMBERS = ['verdict', 'entries', 'root', 'attested', 'erased', 'problems'];
const scratch = new Scratch();
const data = scratch.at('.interlock');

before(() => record(data));
after(() => scratch[Symbol.dispose]());

function verify(...args: readonly string[]): Promise<Ended> {
  return run(['verify', ...args], { directory: scratch.path });
}

interface Report {
  readonly code: number | null;
  readonly verdict: unknown;
  readonly entries: unknown;
  readonly problems: readonly { readonly code: string; readonly entry?: number; readonly message: string }[];
  readonly key: { readonly vkey: string; readonly trusted: string };
  readonly checkpoint?: string;
}

async function report(...args: readonly string[]): Promise<Report> {
  const { code, out, err } = await verify(...args, '--json');
  assert.equal(err, '');
  assert.equal(drivesTerminal(out), false);
  const told = json(out);
  for (const member of MEMBERS) assert.ok(Object.hasOwn(told, member), member);
  assert.equal(code, told['verdict'] === 'ok' ? 0 : 1);
  return { ...(told as unknown as Report), code };
}

const codes = ({ problems }: Report): string[] => problems.map(({ code }) => code);

test('a good log verifies, and says whose key it took on trust', async () => {
  const found = await report();
  assert.deepEqual([found.code, found.verdict, found.problems], [0, 'ok', []]);
  assert.equal(found.entries, leaves(data).length);
  assert.equal(found.key.trusted, 'on-first-sight');
  const { code, out, err } = await verify();
  assert.deepEqual([code, err], [0, '']);
  assert.match(out, /^ok: \d+ entries, \d+ valid checkpoints?, root [\w+/]{43}=\n {2}key taken on trust/u);
  assert.ok(out.includes(found.key.vkey));
});

test('the directory is given as PATH, with --data, or found beside the configuration', async () => {
  const expected = await verify('--json');
  // Of a directory that is named as PATH nothing outside is looked at.
  const { checkpoints, ...rest } = json((await verify('.interlock', '--json')).out);
  assert.deepEqual({ ...rest, checkpoints: Number(checkpoints) + 1 }, json(expected.out));
  assert.deepEqual(await verify('--data', data, '--json'), expected);
  scratch.write('interlock.yaml', 'nonsense');
  assert.deepEqual(await verify('-c', 'interlock.yaml', '--json'), expected);
  const { code, err } = await verify('.interlock', '-c', 'absent.yaml');
  assert.equal(code, 2);
  assert.match(err, /`absent\.yaml` does not exist/u);
});

test('a key kept elsewhere is what the log must be signed with', async () => {
  const { key } = await report();
  scratch.write('key.txt', `${key.vkey}\n`);
  const right = await report('--key', 'key.txt');
  assert.deepEqual([right.code, right.key.trusted], [0, 'given']);
  assert.doesNotMatch((await verify('--key', 'key.txt')).out, /on trust/u);

  await record(scratch.at('foreign'));
  const wrong = await report('foreign', '--key', 'key.txt');
  assert.equal(wrong.code, 1);
  assert.ok(codes(wrong).includes('key-mismatch'));
});

test('a file that is no key is refused, and the hint says what one is', async () => {
  mkdirSync(scratch.at('folder'));
  scratch.write('bytes.key', Uint8Array.of(0xff, 0xfe));
  scratch.write('word.key', 'secret\n');
  for (const file of ['bytes.key', 'word.key', '.interlock/signer.key']) {
    const { code, out, err } = await verify('--key', file);
    assert.deepEqual([code, out], [2, '']);
    assert.match(err, new RegExp(`^interlock: \`${file}\` is no verifier key\n {2}hint: expected one line NAME`, 'u'));
  }
  for (const option of ['--key', '--checkpoint']) {
    for (const [file, reason] of [
      ['absent', 'there is no such file'],
      ['folder', 'it is a directory'],
    ] as const) {
      const { code, err } = await verify(option, file);
      assert.deepEqual([code, err], [2, `interlock: \`${file}\` cannot be read: ${reason}\n`]);
    }
  }
});

test('a copy rolled back to an earlier state is found by a checkpoint that was kept outside', async () => {
  const copy = copyData(data, scratch.at('backup'));
  const grown = copyData(data, scratch.at('grown'));
  {
    await using recording = await openRecording(grown, false);
    await recording.call('bank.pay', { n: 6 }, { kind: 'succeeded', output: {} });
  }
  const { checkpoint = '' } = await report('grown');
  scratch.write('outside.txt', checkpoint);
  assert.equal((await report('grown', '--checkpoint', 'outside.txt')).code, 0);
  assert.equal((await report('backup')).code, 0, 'nobody can tell without it');
  const found = await report('backup', '--checkpoint', 'outside.txt');
  assert.deepEqual([found.code, codes(found)], [1, ['log-truncated']]);
  assert.equal(found.problems[0]?.entry, leaves(copy).length);
  const { code, out } = await verify('backup', '--checkpoint', 'outside.txt');
  assert.equal(code, 1);
  assert.match(out, /^bad: .*\n(?: {2}.*\n)* {2}entry \d+: .* \[log-truncated\]\n$/u);
});

test('a checkpoint of another log, or no checkpoint at all, is a finding', async () => {
  await record(scratch.at('other'));
  const { checkpoint = '' } = await report('other');
  scratch.write('other.txt', checkpoint);
  scratch.write('none.txt', 'no checkpoint\u001b[2J\n');
  assert.deepEqual(codes(await report('--checkpoint', 'other.txt')), ['outside-origin']);
  assert.deepEqual(codes(await report('--checkpoint', 'none.txt')), ['outside-malformed']);
});

test('one flipped bit in any entry is found, and told with the range it lies in', async () => {
  const copy = copyData(data, scratch.at('flipped'));
  using reader = openReader(data);
  for (const { position, leaf } of reader.leaves()) {
    const flipped = Uint8Array.from(leaf);
    flipped[leaf.length >> 1] = (flipped[leaf.length >> 1] ?? 0) ^ 1;
    tamper(copy, 'UPDATE entries SET leaf = ? WHERE position = ?', flipped, position);
    const found = await report('flipped');
    assert.deepEqual([found.code, found.verdict, found.checkpoint], [1, 'bad', undefined], `entry ${position}`);
    assert.ok(found.problems.length > 0);
    tamper(copy, 'UPDATE entries SET leaf = ? WHERE position = ?', leaf, position);
  }
  assert.equal((await report('flipped')).code, 0);
});

test('a missing, added or moved entry is found', async () => {
  const last = leaves(data).length - 1;
  const edits: readonly (readonly [string, string])[] = [
    ['DELETE FROM entries WHERE position = 3', 'entry-missing'],
    [`DELETE FROM entries WHERE position = ${last}`, 'log-truncated'],
    ['DELETE FROM entries', 'log-not-created'],
    [`UPDATE entries SET position = ${last + 7} WHERE position = ${last}`, 'entry-missing'],
  ];
  for (const [sql, code] of edits) {
    tamper(copyData(data, scratch.at('edited')), sql);
    const found = await report('edited');
    assert.equal(found.code, 1);
    assert.ok(codes(found).includes(code), `${sql}: ${codes(found).join(', ')}`);
  }
});

test('a database that is damaged inside is a bad log with what can still be read, not a failure of the command', async () => {
  const copy = copyData(data, scratch.at('damaged'));
  tamper(copy, "UPDATE meta SET name = 'gol' WHERE name = 'log'");
  const nameless = await report('damaged');
  assert.deepEqual([nameless.code, nameless.entries], [1, 0]);
  assert.ok(codes(nameless).includes('database-damaged'));

  copyData(data, copy);
  const frontier = Uint8Array.of(1, 2, 3);
  tamper(copy, 'UPDATE checkpoints SET frontier = ?', frontier);
  const unsigned = await report('damaged');
  assert.deepEqual([unsigned.code, unsigned.entries], [1, leaves(data).length]);
  assert.deepEqual(codes(unsigned), ['database-damaged']);
  assert.match((await verify('damaged')).out, /^bad: .*\[database-damaged\]\n$/su);
});

test('what is no data directory is told apart from a ledger that cannot be opened', async () => {
  using other = new Scratch();
  const around = { directory: other.path };
  other.write('file', 'x');
  mkdirSync(other.at('empty'));
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [['absent'], 2, /^interlock: `absent` does not exist\n/u],
    [['empty'], 2, /`empty` is no data directory, no export and no bundle\n {2}hint: a data directory holds /u],
    [['--data', 'absent'], 7, /holds no ledger: .* \[cannot-open\]\n$/u],
    [['--data', 'empty'], 7, /holds no ledger/u],
    [['--data', 'file'], 7, /is a file, expected a directory/u],
    [[], 7, /holds no ledger/u],
  ];
  for (const [args, exit, expected] of cases) {
    const { code, out, err } = await run(['verify', ...args], around);
    assert.deepEqual([code, out], [exit, ''], args.join(' '));
    assert.match(err, expected);
  }
});

test('a database of another program, or a file that is none, is exit code 7', async () => {
  const strange = copyData(data, scratch.at('strange'));
  tamper(strange, 'PRAGMA application_id = 1');
  scratch.write('noise/ledger.db', 'x'.repeat(9_000));
  scratch.write('hollow/ledger.db', '');
  mkdirSync(scratch.at('nested', 'ledger.db'), { recursive: true });
  for (const [path, expected] of [
    ['strange', /is a database of another program/u],
    ['noise', /is damaged or no SQLite database/u],
    ['hollow', /is empty/u],
    ['nested', /cannot be opened/u],
  ] as const) {
    const { code, out, err } = await verify(path);
    assert.deepEqual([code, out], [7, ''], path);
    assert.match(err, expected);
    assert.match(err, /^interlock: .*\[cannot-open\]\n$/u);
  }
});

test('entries that no signature covers yet are counted', async () => {
  const copy = copyData(data, scratch.at('unsigned'));
  const { entries } = await report('unsigned');
  tamper(copy, 'DELETE FROM checkpoints');
  const found = await verify('unsigned');
  assert.equal(found.code, 0);
  assert.ok(found.out.includes(`\n  ${String(entries)} entries at the end are not covered by a signature yet\n`));
});

test('a ledger that is in use verifies meanwhile', async () => {
  const live = scratch.at('live');
  await using recording = await openRecording(live);
  await recording.call('bank.pay', {}, { kind: 'succeeded', output: {} });
  assert.equal((await report('live')).code, 0);
});
