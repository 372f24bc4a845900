/** `interlock recover --accept-clock`: a person accepts a jump of the clock, with who and why. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scratch, json, run } from './command.ts';
import { leaves, openRecording } from './recorded.ts';

const RECOVER = ['recover', '--accept-clock', '--reason', 'ntp was off'];

async function jump(data: string): Promise<void> {
  await using recording = await openRecording(data);
  const fields = { since: 'start', byMs: 3_600_000, wall: '2026-11-20T19:00:00.000Z' };
  await recording.ledger.append({ entries: [{ id: crypto.randomUUID(), type: 'clock.jumped', fields }] });
}

test('a jump is accepted once, with who and why, and the log still verifies [R-clock]', async () => {
  using scratch = new Scratch();
  await jump(scratch.path);
  const told = await run([...RECOVER, '--data', scratch.path]);
  assert.deepEqual(told, { code: 0, out: 'the clock is accepted as it is: writes are decided again\n', err: '' });
  const [entry, ...more] = leaves(scratch.path)
    .map((leaf) => JSON.parse(leaf) as Record<string, unknown>)
    .filter(({ type }) => type === 'clock.accepted');
  assert.deepEqual([more.length, entry?.['reason'], entry?.['behindMs']], [0, 'ntp was off', 0]);
  assert.match(String(entry?.['by']), /^os:./u);
  const again = await run([...RECOVER, '--data', scratch.path]);
  assert.deepEqual([again.code, again.out], [1, '']);
  assert.match(again.err, /^interlock: no jump of the clock waits to be accepted \[not-jumped\]\n$/u);
  assert.equal((await run(['verify', '--data', scratch.path])).code, 0);
  const log = await run(['log', '--data', scratch.path]);
  assert.match(log.out, /clock\.jumped {6}by 3600000 ms: the wall clock said 2026-11-20T19:00:00\.000Z/u);
});

test('the answer as JSON', async () => {
  using scratch = new Scratch();
  await jump(scratch.path);
  const first = await run([...RECOVER, '--json', '--data', scratch.path]);
  assert.deepEqual([first.code, json(first.out)], [0, { ok: true, done: 'clock-accepted' }]);
  const second = await run([...RECOVER, '--json', '--data', scratch.path]);
  const message = 'no jump of the clock waits to be accepted';
  assert.deepEqual([second.code, json(second.out)], [1, { ok: false, code: 'not-jumped', message }]);
});

test('a recovery says from what and why, and makes no ledger', async () => {
  using scratch = new Scratch();
  const wrong: readonly (readonly [args: readonly string[], code: number, message: RegExp])[] = [
    [['recover', '--reason', 'x'], 2, /expected one of --accept-clock, --accept-rollback and --lift/u],
    [['recover', '--accept-clock'], 2, /--reason/u],
    [['recover', '--accept-clock', '--reason', ' '], 2, /a recovery needs a reason/u],
    [RECOVER, 7, /\[cannot-open\]/u],
  ];
  for (const [args, code, message] of wrong) {
    const ended = await run([...args, '--data', scratch.at('none')]);
    assert.equal(ended.code, code, args.join(' '));
    assert.match(ended.err, message);
  }
});
