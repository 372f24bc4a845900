import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Opening,
  type OpeningOptions,
  claimed,
  openWorld,
  overriding,
  POLICY,
} from '../../test/authority-world.ts';
import { LedgerError } from '../ledger/ledger.ts';
import type { Answer } from './answer.ts';
import { approve } from './approve.ts';
import { acceptClock } from './clock.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const WORD = { reason: 'the clock is right', by: 'os:ann' };

async function codeOf(answer: Promise<Answer>): Promise<string> {
  const { decision, state } = await answer;
  return decision?.code ?? state;
}

function jumps(opening: Opening): unknown[] {
  return opening
    .entries()
    .filter(({ type }) => type === 'clock.jumped')
    .map(({ since, byMs }) => [since, byMs]);
}

function reopen(opening: Opening, more: OpeningOptions = {}): Promise<Opening> {
  const { disk, world, vault, effects } = opening;
  return openWorld({ disk, world, vault, effects, ...more });
}

for (const [how, byMs] of [
  ['forwards', 6 * MINUTE],
  ['backwards', -6 * MINUTE],
] as const) {
  test(`a wall clock that jumps ${how} denies writes from the next call on, and reads go on [R-clock]`, async () => {
    const opening = await openWorld();
    assert.equal(await codeOf(opening.call('bank.wire', { amount: 1 })), 'succeeded');
    opening.world.setWall(opening.world.now() + byMs);
    assert.equal(await codeOf(opening.call('bank.wire', { amount: 2 })), 'clock-jump');
    assert.equal(await codeOf(opening.call('bank.balance')), 'succeeded');
    assert.equal(await codeOf(opening.call('bank.hidden')), 'clock-jump', 'says nothing of the tool');
    assert.equal(opening.effects.length, 2);
    assert.deepEqual(jumps(opening), [['start', byMs]]);
  });
}

test('a jump is obeyed by siblings and after a restart, until a person accepts it, once [R-clock]', async () => {
  const first = await openWorld();
  const sibling = await reopen(first);
  await first.call('bank.wire', { amount: 1 });
  first.world.setWall(first.world.now() + DAY);
  assert.equal(await codeOf(sibling.call('bank.wire', { amount: 2 })), 'clock-jump');
  assert.equal(await codeOf(first.call('bank.wire', { amount: 3 })), 'clock-jump');
  const later = await reopen(first);
  assert.equal(await codeOf(later.call('bank.wire', { amount: 4 })), 'clock-jump');
  assert.equal(jumps(first).length, 1, 'what is recorded already is not recorded again');
  assert.deepEqual(await acceptClock(later.ledger, later.world, WORD), { ok: true });
  for (const [amount, opening] of [first, sibling, later].entries()) {
    assert.equal(await codeOf(opening.call('bank.wire', { amount: 10 + amount })), 'succeeded');
  }
  const again = await acceptClock(later.ledger, later.world, WORD);
  assert.equal(again.ok ? '' : again.code, 'not-jumped');
  first.world.setWall(first.world.now() - DAY);
  assert.equal(await codeOf(first.call('bank.wire', { amount: 20 })), 'clock-jump', 'the next jump is another one');
});

test('small steps count together: the clock is compared with where it started', async () => {
  const opening = await openWorld();
  opening.world.setWall(opening.world.now() + 4 * MINUTE);
  assert.equal(await codeOf(opening.call('bank.wire', { amount: 1 })), 'succeeded');
  opening.world.advance(DAY);
  opening.world.setWall(opening.world.now() + 2 * MINUTE);
  assert.equal(await codeOf(opening.call('bank.wire', { amount: 2 })), 'clock-jump');
});

test('a machine that was suspended did not jump; one whose clock was also set did', async () => {
  const opening = await openWorld();
  opening.world.suspend(8 * 60 * MINUTE);
  assert.equal(await codeOf(opening.call('bank.wire', { amount: 1 })), 'succeeded');
  opening.world.suspend(8 * 60 * MINUTE);
  opening.world.setWall(opening.world.now() + 6 * MINUTE);
  assert.equal(await codeOf(opening.call('bank.wire', { amount: 2 })), 'clock-jump');
  assert.deepEqual(jumps(opening), [['start', 6 * MINUTE]]);
});

test('a suspension hides no small steps', async () => {
  const opening = await openWorld();
  opening.world.setWall(opening.world.now() + 4 * MINUTE);
  opening.world.suspend(60 * MINUTE);
  assert.equal(await codeOf(opening.call('bank.wire', { amount: 1 })), 'succeeded');
  opening.world.setWall(opening.world.now() + 2 * MINUTE);
  assert.equal(await codeOf(opening.call('bank.wire', { amount: 2 })), 'clock-jump');
});

test('a start later than `clock.gap` after the last entry denies writes, also when a command ran in between', async () => {
  const first = await openWorld();
  first.disk.alive.delete(first.ledger.instance);
  first.world.advance(31 * DAY);
  await (await reopen(first)).ledger[Symbol.asyncDispose]();
  const second = await reopen(first);
  assert.equal(await codeOf(second.call('bank.wire', { amount: 1 })), 'clock-jump');
  assert.deepEqual(jumps(second), [['last-entry', 31 * DAY]]);
  assert.deepEqual(await acceptClock(second.ledger, second.world, WORD), { ok: true });
  assert.equal(await codeOf(second.call('bank.wire', { amount: 2 })), 'succeeded');
  const third = await reopen(first);
  assert.equal(await codeOf(third.call('bank.wire', { amount: 3 })), 'succeeded', 'it was accepted for good');
});

test("`clock.gap` is the operator's: within it a start is none, beyond it one is", async () => {
  for (const [gap, code] of [
    ['31d', 'succeeded'],
    ['30m', 'clock-jump'],
  ] as const) {
    const policy = `${POLICY}clock: { gap: ${gap} }\n`;
    const first = await openWorld({ policy });
    first.world.advance(gap === '31d' ? 31 * DAY : 31 * MINUTE);
    const second = await reopen(first, { policy });
    assert.equal(await codeOf(second.call('bank.wire', { amount: 1 })), code, gap);
  }
});

test('a start far before the last entry denies writes; once accepted, later starts do not ask again', async () => {
  const first = await openWorld();
  first.world.advance(DAY);
  await first.call('bank.wire', { amount: 1 });
  first.world.setWall(first.world.now() - DAY);
  const second = await reopen(first);
  assert.equal(await codeOf(second.call('bank.wire', { amount: 2 })), 'clock-jump');
  assert.deepEqual(jumps(second), [['last-entry', -DAY]]);
  assert.deepEqual(await acceptClock(second.ledger, second.world, WORD), { ok: true });
  const third = await reopen(first);
  assert.equal(await codeOf(third.call('bank.wire', { amount: 3 })), 'succeeded');
});

test('of many calls that meet a jump at once none passes, and it is recorded once', async () => {
  const opening = await openWorld();
  await opening.call('bank.wire', { amount: 1 });
  opening.world.setWall(opening.world.now() + DAY);
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, amount) => codeOf(opening.call('bank.wire', { amount: 100 + amount }))),
  );
  assert.deepEqual(new Set(answers), new Set(['clock-jump']));
  assert.equal(jumps(opening).length, 1);
});

test('a jump that cannot be recorded denies, and the next call tries again', async () => {
  let full = false;
  const opening = await openWorld({
    between: (ledger) =>
      overriding(ledger, {
        transact: (reads, compose) => {
          if (full && reads.facts?.includes('clock/jump') === true && reads.facts.length <= 3) {
            return Promise.reject(new LedgerError('busy', 'on purpose'));
          }
          return ledger.transact(reads, compose);
        },
      }),
  });
  await opening.call('bank.wire', { amount: 1 });
  full = true;
  opening.world.setWall(opening.world.now() + DAY);
  assert.equal(await codeOf(opening.call('bank.wire', { amount: 2 })), 'busy');
  assert.deepEqual(jumps(opening), []);
  full = false;
  assert.equal(await codeOf(opening.call('bank.wire', { amount: 2 })), 'clock-jump');
});

test('an approved call waits while the clock is not accepted, and runs afterwards', async () => {
  const policy = `${POLICY}approvals: { signed: false }\n`;
  const opening = await openWorld({ policy });
  const parked = await opening.call('bank.asked');
  const answered = await approve(opening.ledger, opening.world, { call: parked.call, by: 'os:ann', unsigned: true });
  assert.equal(answered.ok, true);
  opening.world.setWall(opening.world.now() + 60 * MINUTE);
  await claimed(opening);
  assert.deepEqual(opening.effects, []);
  assert.equal((await opening.ledger.call(parked.call))?.state, 'parked');
  await acceptClock(opening.ledger, opening.world, WORD);
  assert.equal(await codeOf(opening.call('bank.asked')), 'succeeded');
});
