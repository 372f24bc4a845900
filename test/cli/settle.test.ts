/** `interlock settle`: a person says what happened to a call, once, and with a reason. */

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { Performed } from '../../src/authority/answer.ts';
import { type Ended, Scratch, drivesTerminal, json, run } from './command.ts';
import { type Calls, copyData, leaves, openRecording, record } from './recorded.ts';

const scratch = new Scratch();
const original = scratch.at('original');
const data = scratch.at('.interlock');
let calls: Calls;

before(async () => {
  calls = await record(original);
  copyData(original, data);
});
after(() => scratch[Symbol.dispose]());

function settle(args: readonly string[], input = ''): Promise<Ended> {
  return run(['settle', ...args], { directory: scratch.path, input });
}

const settlements = (): Record<string, unknown>[] =>
  leaves(data)
    .map((leaf) => JSON.parse(leaf) as Record<string, unknown>)
    .filter(({ type }) => type === 'call.settled');

const REASON = ['--reason', 'seen on the bank statement'];

test('a call of unknown outcome is settled once, with who and why', async () => {
  copyData(original, data);
  const { unknown } = calls;
  const first = await settle([unknown, 'executed', ...REASON]);
  assert.deepEqual(first, { code: 0, out: `call ${unknown} (bank.pay) is settled: executed\n`, err: '' });
  const [entry, ...more] = settlements();
  assert.deepEqual([entry?.['call'], entry?.['as'], more], [unknown, 'executed', []]);
  assert.equal(entry?.['reason'], 'seen on the bank statement');
  assert.match(String(entry?.['by']), /^os:./u);
  assert.equal(entry?.['output'], undefined);

  for (const outcome of ['executed', 'not-executed']) {
    const again = await settle([unknown, outcome, ...REASON]);
    assert.deepEqual([again.code, again.out], [1, '']);
    assert.match(
      again.err,
      /^interlock: only a call of unknown outcome can be settled.*`settled-executed` \[not-unknown\]\n$/u,
    );
  }
  assert.equal(settlements().length, 1);
  assert.equal((await run(['verify', '--data', data])).code, 0);
});

test('what the call returned answers for it from now on, from a file or standard input', async () => {
  scratch.write('output.json', '{"content":[{"type":"text","text":"paid"}]}');
  for (const [file, input] of [
    ['output.json', ''],
    ['-', '"paid"'],
  ] as const) {
    copyData(original, data);
    const { code } = await settle([calls.unknown, 'executed', ...REASON, '--output', file], input);
    assert.equal(code, 0);
    const [entry] = settlements();
    assert.match(JSON.stringify(entry?.['output']), /^\{"\$body":"[\w-]{43}"\}$/u);
    await using recording = await openRecording(data);
    const expected = file === '-' ? 'paid' : { content: [{ type: 'text', text: 'paid' }] };
    assert.deepEqual(await recording.ledger.body(calls.unknown, 'output'), expected);
  }
});

test('a call that was not executed is settled so, and has no output', async () => {
  copyData(original, data);
  const refused = await settle([calls.unknown, 'not-executed', ...REASON, '--output', '-'], '{}');
  assert.deepEqual([refused.code, settlements().length], [2, 0]);
  assert.match(refused.err, /has no output\n {2}hint: /u);
  const { code, out } = await settle([calls.unknown, 'not-executed', ...REASON, '--json']);
  assert.deepEqual([code, json(out)], [0, { ok: true, call: calls.unknown, as: 'not-executed' }]);
  assert.equal(settlements()[0]?.['as'], 'not-executed');
});

test('only a call that is unknown is settled: 1 for another state, 2 for an id nobody knows', async () => {
  copyData(original, data);
  for (const id of [calls.succeeded, calls.failed, calls.notStarted, calls.denied]) {
    const { code, out, err } = await settle([id, 'executed', ...REASON]);
    assert.deepEqual([code, out], [1, '']);
    assert.match(err, /\[not-unknown\]\n$/u);
  }
  const hostile = '\u001b[2J';
  const absent = await settle([hostile, 'executed', ...REASON]);
  assert.deepEqual([absent.code, absent.out, drivesTerminal(absent.err)], [2, '', false]);
  assert.match(absent.err, /there is no call `\\u\{1b\}\[2J` in this ledger \[no-such-call\]\n$/u);
  const told = json((await settle([hostile, 'executed', ...REASON, '--json'])).out);
  assert.deepEqual([told['ok'], told['code']], [false, 'no-such-call']);
  assert.deepEqual(settlements(), []);
});

test('while the process that sent the call lives, it may only be settled as executed', async () => {
  using other = new Scratch();
  await using recording = await openRecording(other.path);
  const id = await recording.call('bank.pay', {}, { kind: 'unknown', reason: 'no answer in time' });
  const refused = await run(['settle', id, 'not-executed', '--data', other.path, ...REASON]);
  assert.deepEqual([refused.code, refused.out], [1, '']);
  assert.match(refused.err, /still runs and may yet get its answer; stop it first \[owner-alive\]\n$/u);
  assert.equal((await run(['settle', id, 'executed', '--data', other.path, ...REASON])).code, 0);
});

test('a call that still runs is not settled', async () => {
  using other = new Scratch();
  await using recording = await openRecording(other.path);
  const [sent, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<Performed>()];
  const running = recording.call('bank.pay', {}, () => {
    sent.resolve();
    return answered.promise;
  });
  await sent.promise;
  const id = String((JSON.parse(leaves(other.path).at(-1) ?? '') as Record<string, unknown>)['call']);
  for (const outcome of ['executed', 'not-executed']) {
    const { code, err } = await run(['settle', id, outcome, '--data', other.path, ...REASON]);
    assert.equal(code, 1);
    assert.match(
      err,
      /only a call of unknown outcome can be settled; this one is `intent`: the process that runs it lives.* \[not-unknown\]\n$/u,
    );
  }
  answered.resolve({ kind: 'succeeded', output: {} });
  assert.equal(await running, id);
});

test('wrong operands, reasons and outputs are refused before anything is opened', async () => {
  copyData(original, data);
  scratch.write('bad.json', '{\n"a":}');
  const id = calls.unknown;
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [[id, 'maybe', ...REASON], /expected executed or not-executed, got `maybe`/u],
    [[id, 'executed', '--reason', ' \t'], /a settlement needs a reason\n {2}hint: --reason TEXT/u],
    [[id, 'executed', '--reason', 'x'.repeat(4_097)], /a reason of at most 4096 characters, got 4097/u],
    [[id, 'executed', ...REASON, '--output', 'absent.json'], /`absent\.json` cannot be read: there is no such file/u],
    [
      [id, 'executed', ...REASON, '--output', 'bad.json'],
      /^bad\.json:2:5: error: (?:.*\n)+interlock: `bad\.json` is not JSON/u,
    ],
    [[id, 'executed', ...REASON, '-c', 'absent.yaml'], /`absent\.yaml` does not exist/u],
  ];
  const before = leaves(data);
  for (const [args, expected] of cases) {
    const { code, out, err } = await settle(args);
    assert.deepEqual([code, out], [2, ''], args.join(' '));
    assert.match(err, expected);
  }
  assert.deepEqual(leaves(data), before);
});

test('the longest reason there may be is recorded whole', async () => {
  copyData(original, data);
  const reason = '\u{1f600}'.repeat(2_048);
  assert.equal((await settle([calls.unknown, 'executed', '--reason', reason])).code, 0);
  assert.equal(settlements()[0]?.['reason'], reason);
});

test('where there is no ledger nothing is made, and the exit code is 7', async () => {
  using other = new Scratch();
  other.write('strange/ledger.db', 'x'.repeat(5_000));
  other.write('empty/.keep', '');
  for (const [directory, left] of [
    ['strange', ['ledger.db']],
    ['empty', ['.keep']],
  ] as const) {
    const { code, out, err } = await run(['settle', 'x', 'executed', '--data', other.at(directory), ...REASON]);
    assert.deepEqual([code, out], [7, '']);
    assert.match(err, /^interlock: .* \[cannot-open\]\n$/u);
    assert.deepEqual(readdirSync(other.at(directory)), left);
  }
});
