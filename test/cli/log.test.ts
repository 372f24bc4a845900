/** `interlock log`: what it shows of the ledger, and to whom. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { runCommandLine } from '../../src/cli/command-line.ts';
import { type Ended, Kept, Scratch, drivesTerminal, fakeTerminal, json, run } from './command.ts';
import { type Calls, HOSTILE, copyData, leaves, openRecording, record, tamper } from './recorded.ts';

const ESCAPE = '\u001b';
const COLOUR = new RegExp(`${ESCAPE}\\[\\d+m`, 'gu');
const scratch = new Scratch();
const data = scratch.at('.interlock');
let calls: Calls;

before(async () => {
  calls = await record(data);
});
after(() => scratch[Symbol.dispose]());

function log(...args: readonly string[]): Promise<Ended> {
  return run(['log', ...args], { directory: scratch.path });
}

/** The entries that a filter leaves, as programs see them. */
async function entries(...args: readonly string[]): Promise<Record<string, unknown>[]> {
  const { code, out, err } = await log('--json', ...args);
  assert.deepEqual([code, err], [0, '']);
  const lines = out.split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

const types = async (...args: readonly string[]): Promise<unknown[]> =>
  (await entries(...args)).map(({ type }) => type);
const callsOf = (found: readonly Record<string, unknown>[]): Set<unknown> => new Set(found.map(({ call }) => call));

test('--json is exactly the leaves, one a line', async () => {
  const { code, out, err } = await log('--json');
  assert.deepEqual([code, out, err], [0, `${leaves(data).join('\n')}\n`, '']);
});

test('people see when, what, which call of which tool, and why, and no trailing blanks', async () => {
  const { code, out } = await log();
  const lines = out.split('\n').slice(0, -1);
  assert.deepEqual([code, lines.length], [0, leaves(data).length]);
  assert.match(lines[0] ?? '', /^ {4}0 {2}\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z {2}ledger\.created$/u);
  const tail = (id: string): string => `…${id.slice(-8)}`;
  const shown = new RegExp(
    `call\\.intent +${tail(calls.succeeded)}  bank\\.pay  allowed  by rules/0  \\{"n":1\\}$`,
    'mu',
  );
  assert.match(out, shown);
  assert.match(out, new RegExp(`${tail(calls.failed)} .* for bob  \\{"n":2\\}$`, 'mu'));
  assert.match(out, new RegExp(`call\\.not-started +${tail(calls.notStarted)}  it was not running$`, 'mu'));
  assert.match(out, new RegExp(`call\\.denied .*  bank\\.balance  no-rule  \\{"n":5\\}$`, 'mu'));
  assert.doesNotMatch(out, / $/mu);
});

test('a call of unknown outcome is shown with the whole id that settles it', async () => {
  const { out } = await log('--call', calls.unknown);
  assert.ok(out.includes(`settle it as ${calls.unknown}\n`));
});

test('nothing an agent sent drives the terminal, in either form for people or with colours', async () => {
  const terminal = fakeTerminal({ directory: scratch.path, colours: true });
  await runCommandLine(terminal, ['log']);
  const coloured = terminal.output.text;
  assert.match(coloured, COLOUR);
  const plain = coloured.replaceAll(COLOUR, '');
  for (const text of [plain, (await log()).out]) {
    assert.equal(drivesTerminal(text), false);
    assert.ok(text.includes('\\u{1b}[2J\\u{9b}31m\\u{202e}\\u{a}'), 'the name of the tool');
    assert.ok(text.includes('\\u001b[2J\\u009b31m\\u202e\\n'), 'the arguments');
  }
});

test('each filter leaves the calls it names with all of their entries', async () => {
  assert.deepEqual(await types('--call', calls.succeeded), ['call.intent', 'call.succeeded']);
  assert.deepEqual(await types('--call', calls.unknown.slice(-8)), ['call.intent', 'call.unknown']);
  assert.deepEqual(await types('--call', calls.unknown.slice(-7)), []);
  assert.deepEqual(await types('--principal', 'bob'), ['call.intent', 'call.failed']);
  assert.deepEqual(await types('--principal', 'alice'), []);
  assert.deepEqual(await types('--effect', 'deny'), ['call.denied', 'call.denied']);
  assert.deepEqual(await types('--effect', 'ask'), []);
  assert.equal((await types('--effect', 'allow')).length, 8);
  assert.deepEqual(await types('--tool', 'bank.balance'), ['call.denied']);
  assert.deepEqual(
    callsOf(await entries('--tool', 'bank.*', '--effect', 'deny')),
    new Set([calls.denied, calls.hostile]),
  );
  assert.deepEqual(callsOf(await entries('--tool', '*.b*l*ce')), new Set([calls.denied]));
  assert.deepEqual(await types('--tool', 'bank.b*balance'), []);
  assert.deepEqual(await types('--tool', 'bank'), []);
  assert.deepEqual(callsOf(await entries('--tool', `bank.${HOSTILE}`)), new Set([calls.hostile]));
  assert.deepEqual(await types('--principal', 'bob', '--effect', 'deny'), []);
});

test('--since leaves what is not earlier, in any offset, and later entries of calls it cut', async () => {
  const all = await entries();
  const at = all.find(({ type }) => type === 'call.not-started')?.['at'] as string;
  const shifted = new Date(Date.parse(at) + 3_600_000).toISOString().replace('Z', '+01:00');
  for (const since of [at, shifted]) {
    const found = await entries('--since', since);
    assert.deepEqual(
      found,
      all.filter((entry) => (entry['at'] as string) >= at),
    );
  }
  assert.deepEqual(await types('--since', '2999-01-01T00:00:00Z'), []);
  const later = (await entries('--principal', 'bob', '--since', at)).length;
  assert.ok(later <= 1);
});

test('a filter that means nothing is refused', async () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['--since', '1h'], /expected --since to be an RFC 3339 time, got `1h`\n {2}hint: for example /u],
    [['--since', '2026-11-21'], /RFC 3339/u],
    [['--effect', 'maybe'], /expected --effect allow, ask or deny, got `maybe`/u],
  ];
  for (const [args, expected] of cases) {
    const { code, out, err } = await log(...args);
    assert.deepEqual([code, out], [2, '']);
    assert.match(err, expected);
  }
});

test('the ledger is found beside the configuration, whether that can be used or not, or where --data says', async () => {
  const expected = (await log('--json')).out;
  const elsewhere = { directory: scratch.at('..') };
  scratch.write('broken.yaml', 'nonsense');
  const file = scratch.at('broken.yaml');
  assert.equal((await run(['log', '--json', '-c', file], elsewhere)).out, expected);
  assert.equal((await run(['log', '--json', '--data', data], elsewhere)).out, expected);
  const { code, err } = await run(['log', '-c', scratch.at('absent.yaml')], elsewhere);
  assert.equal(code, 2);
  assert.match(err, /absent\.yaml` does not exist/u);
});

test('a directory without a ledger is exit code 7 and one sentence', async () => {
  using empty = new Scratch();
  empty.write('strange/ledger.db', 'this is no database at all, however long it may be');
  empty.write('fresh/ledger.db', '');
  empty.write('file', '');
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /holds no ledger/u],
    [['--data', 'absent'], /holds no ledger/u],
    [['--data', 'file'], /is a file, expected a directory/u],
    [['--data', 'strange'], /damaged or no SQLite database/u],
    [['--data', 'fresh'], /is empty: no ledger was created in it yet/u],
  ];
  for (const [args, expected] of cases) {
    const { code, out, err } = await run(['log', ...args], { directory: empty.path });
    assert.deepEqual([code, out], [7, ''], args.join(' '));
    assert.match(err, /^interlock: .* \[cannot-open\]\n$/u);
    assert.match(err, expected);
  }
});

test('what is no entry is told of whatever the filter, and cannot pass for entries', async () => {
  const copy = copyData(data, scratch.at('copy'));
  const [first = ''] = leaves(copy);
  tamper(copy, 'UPDATE entries SET leaf = ? WHERE position = 3', Buffer.from(`${first}\n${first}`));
  for (const args of [[], ['--effect', 'ask']]) {
    const people = await run(['log', '--data', copy, ...args]);
    assert.equal(people.code, 1);
    assert.match(people.out, /^3 is no entry$/mu);
    assert.match(people.err, /run `interlock verify`/u);
    const programs = await run(['log', '--data', copy, '--json', ...args]);
    assert.equal(programs.code, 1);
    const lines = programs.out.split('\n').slice(0, -1);
    assert.equal(lines.length, args.length === 0 ? leaves(copy).length : 1);
    assert.deepEqual(json(lines.find((line) => line.includes('unreadable')) ?? ''), { position: 3, unreadable: true });
  }
});

test('--follow shows entries as they arrive, and ends when nobody reads any more', async () => {
  using other = new Scratch();
  await using recording = await openRecording(other.path);
  const terminal = fakeTerminal();
  const following = runCommandLine(terminal, ['log', '--follow', '--effect', 'deny', '--data', other.path]);
  const denied = await recording.call('bank.balance', {}, { kind: 'unknown', reason: '' });
  const seen = await terminal.output.until((text) => text.includes(denied.slice(-8)));
  assert.match(seen, /call\.denied/u);
  terminal.output.destroy();
  assert.equal(await following, 0);
});

test('a reader that is gone ends the log at once and is no error', async () => {
  const terminal = fakeTerminal({ directory: scratch.path });
  const output = new Kept({ highWaterMark: 1 });
  output.once('kept', () => output.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })));
  const code = await runCommandLine({ ...terminal, output }, ['log']);
  assert.deepEqual([code, output.text.split('\n').length, terminal.errors.text], [0, 2, '']);
});
