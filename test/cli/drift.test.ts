/** `interlock replay SESSION --baseline`: how a session departs from earlier ones, erased subjects or not. */

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { Performed } from '../../src/authority/answer.ts';
import type { JsonObject } from '../../src/value/json.ts';
import { type Ended, Scratch, json, run } from './command.ts';
import { HOSTILE, copyData, openRecording } from './recorded.ts';

const RULES = `interlock: 1
tools:
  crm.note: { input: { type: object }, personal: [args.name], subject: args.customer, cost: { notes: '1' } }
  crm.look: { effect: read, input: { type: object } }
  crm.drop: { input: { type: object } }
rules:
  - allow: crm.note
  - allow: crm.look
budgets:
  notes: { limit: 100, unit: calls, window: 1h }
`;
const DONE: Performed = { kind: 'succeeded', output: { content: [] } };
const WHY = ['--reason', 'ticket 17'];
const scratch = new Scratch();

before(async () => {
  await using recording = await openRecording(scratch.at('.interlock'), true, RULES);
  const session = async (id: string, calls: readonly (readonly [string, JsonObject])[], principal = 'local') => {
    for (const [tool, args] of calls) await recording.call(tool, args, DONE, principal, id);
  };
  const note = (customer: string): readonly [string, JsonObject] => ['crm.note', { customer, name: 'Zoe', n: 1 }];
  await session('other', [['crm.drop', { everything: true }]], 'bob');
  await session('one', [['crm.look', { page: 1 }], note('c_1')]);
  await session('two', [['crm.look', { page: 2 }], note('c_2'), note('c_2')]);
  await session('same', [['crm.look', { page: 9 }], note('c_3')]);
  await session('odd', [
    note('c_3'),
    ['crm.note', { customer: 'c_3', name: ['Zoe'], [HOSTILE]: 1 }],
    note('c_3'),
    ['crm.drop', { everything: true }],
  ]);
});
after(() => scratch[Symbol.dispose]());

function replay(...args: readonly string[]): Promise<Ended> {
  return run(['replay', ...args], { directory: scratch.path });
}

const ODD = [
  ['tool', 'crm.drop was not used before'],
  ['order', 'crm.note was never the first'],
  ['argument', `crm.note never had a number at /${HOSTILE}`],
  ['lacking', 'crm.note always had /n: 1 of 3 calls lack it'],
  ['calls', '4 instead of 2 to 3 calls'],
  ['calls', '0 instead of 1 calls of crm.look'],
  ['calls', '3 instead of 1 to 2 calls of crm.note'],
  ['denials', '1 of 4 calls denied instead of 0 of 2'],
  ['cost', '3 instead of 1 to 2 charged to the budget notes'],
];

async function told(...args: readonly string[]): Promise<unknown[]> {
  const { code, out, err } = await replay(...args, '--json');
  assert.equal(err, '');
  const { ok, baseline, departures } = json(out);
  const list = departures as readonly { readonly kind: string; readonly message: string }[];
  return [code, ok, baseline, list.map(({ kind, message }) => [kind, message])];
}

test('what no earlier session showed is told, with its entry, and is exit code 1 [R-drift]', async () => {
  assert.deepEqual(await told('odd', '--baseline', 'one', 'two', 'one'), [1, false, ['one', 'two'], ODD]);
  const { code, out } = await replay('odd', '--baseline', 'one', 'two');
  assert.equal(code, 1);
  assert.match(out, /^ {2}entry \d+ +crm\.drop was not used before$/mu);
  assert.match(out, /^9 departures from 2 earlier sessions$/mu);
  assert.ok(!out.includes('\u001b') && !out.includes('\u202e'));
});

test('a session within what was shown is exit code 0', async () => {
  assert.deepEqual(await told('same', '--baseline', 'one', 'two'), [0, true, ['one', 'two'], []]);
  assert.match((await replay('same', '--baseline', '1')).out, /^\d departures? from 1 earlier session$/mu);
});

test('a number takes the last sessions of the same principal before it', async () => {
  const baselineOf = async (...args: readonly string[]): Promise<unknown> => (await told(...args))[2];
  assert.deepEqual(await baselineOf('odd', '--baseline', '2'), ['two', 'same']);
  assert.deepEqual(await baselineOf('odd', '--baseline', '99'), ['one', 'two', 'same']);
  assert.deepEqual(await baselineOf('two', '--baseline', '99'), ['one']);
});

test('what cannot be compared is refused with exit code 2', async () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['odd', '--baseline', 'odd'], /compared with itself/u],
    [['odd', '--baseline', 'one', 'none'], /no session `none` is recorded here/u],
    [['none', '--baseline', '3'], /no session `none` is recorded here/u],
    [['one', '--baseline', '3'], /no session of the same principal is recorded before `one`/u],
    [['odd', '--baseline', '0'], /expected `--baseline` to be 1 to 1000 sessions, got `0`/u],
    [['odd', '--baseline', '9999'], /got `9999`/u],
    [['odd', '--baseline', 'one', '--until', '2'], /expected neither `--policy` nor `--until`/u],
    [['odd', '--baseline'], /argument missing/u],
  ];
  for (const [args, expected] of cases) {
    const { code, out, err } = await replay(...args);
    assert.deepEqual([code, out], [2, ''], args.join(' '));
    assert.match(err, expected);
  }
});

test('nothing is told otherwise once its subjects are erased, or without the key of the vault [R-drift]', async () => {
  for (const subject of ['c_1', 'c_2', 'c_3']) {
    const erased = await run(['erase', subject, ...WHY], { directory: scratch.path });
    assert.equal(erased.code, 0, erased.err);
  }
  const data = copyData(scratch.at('.interlock'), scratch.at('copy'));
  rmSync(scratch.at('copy', 'vault.key'));
  assert.deepEqual(await told('odd', '--data', data, '--baseline', 'one', 'two'), [1, false, ['one', 'two'], ODD]);
});
