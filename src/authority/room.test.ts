import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Opening, openWorld, overriding, policyOf, typesOf } from '../../test/authority-world.ts';
import { isCode } from '../../test/ledger-place.ts';
import type { Performed } from './answer.ts';
import { setKill } from './kill.ts';

const MIB = 2 ** 20;
const PAY = { charge: 'ch_1', amount: 100 };

/** An authority on a disk with as much room as `disk` says; `looks` counts how often it was asked. */
async function onDisk(disk: { free: number | undefined; looks: number }): Promise<Opening> {
  return openWorld({
    between: (ledger) =>
      overriding(ledger, {
        free: async () => {
          disk.looks += 1;
          return disk.free;
        },
      }),
  });
}

test('with less room than the reserve a call is refused as busy, unrecorded, and runs once there is room [R-reserve]', async () => {
  const disk = { free: 64 * MIB, looks: 0 };
  const world = await onDisk(disk);
  assert.equal((await world.call('bank.pay', PAY)).state, 'succeeded');
  const before = typesOf(world);
  disk.free -= 1;
  world.world.advance(100);
  const refused = await world.call('bank.pay', { ...PAY, charge: 'ch_2' });
  assert.deepEqual([refused.state, refused.decision?.code, refused.decision?.retryable], ['denied', 'busy', true]);
  assert.match(refused.sentence ?? '', /has 63 MiB left, and 64 MiB are kept .*`disk\.reserve`.*: make room$/u);
  await assert.rejects(world.authority.malformed('local', 's', 'no call'), isCode('disk-full'));
  assert.deepEqual(typesOf(world), before);
  disk.free += 1;
  world.world.advance(100);
  assert.equal((await world.call('bank.pay', { ...PAY, charge: 'ch_2' })).state, 'succeeded');
});

test('the outcome of a call that was sent, and a kill switch, use the reserve [R-reserve]', async () => {
  const disk = { free: 64 * MIB, looks: 0 };
  const opening = await onDisk(disk);
  const perform = async (): Promise<Performed> => {
    disk.free = 0;
    opening.world.advance(100);
    return { kind: 'succeeded', output: {} };
  };
  assert.equal((await opening.call('bank.pay', PAY, { perform })).state, 'succeeded');
  await setKill(opening.ledger, opening.world, { target: 'all', reason: 'r', by: 'ann' });
  assert.equal((await opening.call('bank.wire', { amount: 1 })).decision?.code, 'busy');
  assert.deepEqual(
    opening
      .entries()
      .slice(-3)
      .map(({ type }) => type),
    ['call.intent', 'call.succeeded', 'kill.set'],
  );
});

test('the reserve is what the policy in force says, and the disk is looked at ten times a second at most', async () => {
  const disk = { free: 10 * MIB, looks: 0 };
  const world = await onDisk(disk);
  await world.authority.load(
    policyOf(
      'interlock: 1\ndisk: { reserve: 10MiB }\ntools: { bank.wire: { input: { type: object } } }\nrules: [{ allow: "*" }]\n',
    ),
  );
  for (let call = 0; call < 20; call += 1) {
    assert.equal((await world.call('bank.wire', { amount: call })).state, 'succeeded');
  }
  assert.equal(disk.looks, 1);
  await world.authority.load(
    policyOf(
      'interlock: 1\ndisk: { reserve: 11MiB }\ntools: { bank.wire: { input: { type: object } } }\nrules: [{ allow: "*" }]\n',
    ),
  );
  assert.equal((await world.call('bank.wire')).decision?.code, 'busy');
});

test('where nobody tells how much is free calls go on', async () => {
  const world = await onDisk({ free: undefined, looks: 0 });
  assert.equal((await world.call('bank.pay', PAY)).state, 'succeeded');
});
