/** `interlock kill` and `interlock revive`: the switch is in the ledger, with who and why. */

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { type Ended, Scratch, drivesTerminal, json, run } from './command.ts';
import { leaves, openRecording } from './recorded.ts';

const REASON = ['--reason', 'it pays twice'];

function switches(data: string): Record<string, unknown>[] {
  return leaves(data)
    .map((leaf) => JSON.parse(leaf) as Record<string, unknown>)
    .filter(({ type }) => String(type).startsWith('kill.'));
}

async function killed(data: string): Promise<string[]> {
  await using recording = await openRecording(data);
  return (await recording.ledger.kills()).map(({ target }) => target);
}

test('a switch is set and lifted with who and why, and survives a restart in between', async () => {
  using scratch = new Scratch();
  const data = scratch.at('.interlock');
  const command = (...args: readonly string[]): Promise<Ended> =>
    run([...args, ...REASON], { directory: scratch.path });
  for (const target of ['all', 'principal:bob', 'server:bank', 'tool:bank.pay']) {
    const { code, out, err } = await command('kill', target);
    assert.deepEqual([code, err], [0, '']);
    assert.match(out, new RegExp(`^killed ${target}: `, 'u'));
    assert.deepEqual(await killed(data), [target]);
    assert.deepEqual(await command('revive', target), { code: 0, out: `revived ${target}\n`, err: '' });
    assert.deepEqual(await killed(data), []);
  }
  const entries = switches(data);
  assert.equal(entries.length, 8);
  for (const entry of entries) {
    assert.equal(entry['reason'], 'it pays twice');
    assert.match(String(entry['by']), /^os:./u);
  }
  assert.equal((await run(['verify', '--data', data])).code, 0);
});

test('a call that is proposed after the kill is denied, by a gateway that was open before', async () => {
  using scratch = new Scratch();
  await using recording = await openRecording(scratch.path);
  const done = { kind: 'succeeded', output: {} } as const;
  const state = async (n: number): Promise<string | undefined> => {
    const id = await recording.call('bank.pay', { n }, done);
    return (await recording.ledger.call(id))?.state;
  };
  assert.equal(await state(1), 'succeeded');
  assert.equal((await run(['kill', 'tool:bank.pay', '--data', scratch.path, ...REASON])).code, 0);
  assert.equal(await state(2), 'denied');
  assert.equal((await run(['revive', 'tool:bank.pay', '--data', scratch.path, ...REASON])).code, 0);
  assert.equal(await state(3), 'succeeded');
});

test('setting twice is fine; lifting what is not killed says so, and what still is', async () => {
  using scratch = new Scratch();
  const data = ['--data', scratch.path];
  assert.equal((await run(['kill', 'all', ...data, ...REASON])).code, 0);
  const again = await run(['kill', 'all', '--json', ...data, '--reason', 'still']);
  assert.deepEqual([again.code, json(again.out)], [0, { ok: true, target: 'all', killed: true }]);
  const wrong = await run(['revive', 'server:bank', ...data, ...REASON]);
  assert.deepEqual([wrong.code, wrong.out], [1, '']);
  assert.match(
    wrong.err,
    /^interlock: `server:bank` is not killed \[not-killed\]\nstill killed: all \(by os:.*: still\)\n$/u,
  );
  const told = await run(['revive', 'server:bank', '--json', ...data, ...REASON]);
  assert.deepEqual([told.code, json(told.out)['code']], [1, 'not-killed']);
  const lifted = await run(['revive', 'all', '--json', ...data, ...REASON]);
  assert.deepEqual([lifted.code, json(lifted.out)], [0, { ok: true, target: 'all', killed: false }]);
});

test('a target that could stop nothing and a reason that is none are refused before anything is made', async () => {
  using scratch = new Scratch();
  const targets = [
    '',
    'everything',
    'ALL',
    'tool:',
    'tool:pay',
    'tool:bank.*',
    'server:*',
    'server:Bank',
    'principal:',
  ];
  for (const name of ['kill', 'revive']) {
    for (const target of [...targets, 'tool:bank.\u001b[2J', `principal:${'x'.repeat(600)}`]) {
      const { code, out, err } = await run([name, target, ...REASON], { directory: scratch.path });
      assert.deepEqual([code, out, drivesTerminal(err)], [2, '', false], target);
      assert.match(err, /expected all, principal:ID, server:NAME or tool:SERVER\.TOOL/u);
    }
    for (const reason of [[], ['--reason', ''], ['--reason', ' '], ['--reason', 'x'.repeat(4_097)]]) {
      const { code, err } = await run([name, 'all', ...reason], { directory: scratch.path });
      assert.equal(code, 2);
      assert.match(err, /reason/u);
    }
  }
  assert.deepEqual(readdirSync(scratch.path), []);
  assert.equal((await run(['revive', 'all', ...REASON], { directory: scratch.path })).code, 7);
  assert.deepEqual(readdirSync(scratch.path), []);
});
