import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Opening, claimed, openWorld, policyOf, POLICY } from '../../test/authority-world.ts';
import type { Performed } from './answer.ts';
import { approve } from './approve.ts';
import { settle } from './settle.ts';

const OPEN = `${POLICY}approvals: { signed: false }\n`;
const LOST: Performed = { kind: 'unknown', reason: 'lost' };

const status = (opening: Opening, call: string, principal = 'local') => opening.authority.status(principal, call);

test('a call says where it stands, with its result once there is one [R-get-call]', async () => {
  const opening = await openWorld();
  const gate = Promise.withResolvers<Performed>();
  const running = opening.call('bank.wire', { amount: 1 }, { perform: () => gate.promise });
  assert.equal(await status(opening, ''), undefined);
  while (opening.entries().at(-1)?.type !== 'call.intent') await new Promise((done) => setImmediate(done));
  const id = opening.entries().at(-1)?.['call'];
  assert.ok(typeof id === 'string');
  assert.deepEqual(await status(opening, id), {
    call: id,
    tool: 'bank.wire',
    state: 'running',
    sentence: 'bank.wire is running',
  });
  gate.resolve({ kind: 'succeeded', output: { paid: 1 } });
  await running;
  const after = await status(opening, id);
  assert.deepEqual([after?.state, after?.output], ['succeeded', { paid: 1 }]);
});

test('an unknown outcome says how it is settled, and then what a person said', async () => {
  const opening = await openWorld();
  const { call } = await opening.call('bank.wire', { amount: 1 }, { perform: () => Promise.resolve(LOST) });
  const before = await status(opening, call);
  assert.deepEqual([before?.state, before?.output], ['unknown', undefined]);
  assert.match(before?.sentence ?? '', new RegExp(`interlock settle ${call} `, 'u'));
  await settle(opening.ledger, opening, { call, as: 'executed', by: 'os:ann', reason: 'seen', output: { paid: 1 } });
  const after = await status(opening, call);
  assert.deepEqual([after?.state, after?.output], ['settled-executed', { paid: 1 }]);
});

test('a parked call says until when it waits, that it is approved, and at last its result [R-get-call]', async () => {
  const opening = await openWorld({ policy: OPEN });
  const { call } = await opening.call('bank.asked');
  const waiting = await status(opening, call);
  assert.deepEqual([waiting?.state, waiting?.expires], ['parked', '2026-11-21T18:00:00.000Z']);
  await approve(opening.ledger, opening.world, { call, by: 'os:ann', unsigned: true });
  assert.match((await status(opening, call))?.sentence ?? '', /has an approval and did not run yet/u);
  await claimed(opening);
  const after = await status(opening, call);
  assert.deepEqual([after?.state, after?.output], ['succeeded', { done: 1 }]);
});

test('a parked call whose time is over has not happened, whether or not anybody recorded that', async () => {
  const opening = await openWorld({ policy: OPEN });
  const { call } = await opening.call('bank.asked');
  opening.world.advance(24 * 3_600_000);
  const late = await status(opening, call);
  assert.deepEqual([late?.state, late?.expires], ['denied', undefined]);
  assert.match(late?.sentence ?? '', /not approved in time/u);
});

test('the call of another, an id that is none, and a tool that the caller may not know are all the same [R-get-call]', async () => {
  const opening = await openWorld();
  const theirs = await opening.call('bank.wire', { amount: 1 }, { principal: 'bob' });
  const hidden = await opening.call('bank.hidden');
  const own = await opening.call('bank.wire', { amount: 2 });
  for (const id of [theirs.call, hidden.call, 'nothing', '', '__proto__'])
    assert.equal(await status(opening, id), undefined, id);
  assert.equal((await status(opening, own.call))?.state, 'succeeded');
  await opening.authority.load(policyOf(POLICY.replace('  - allow: bank.wire\n', '')));
  assert.equal(await status(opening, own.call), undefined, 'it may no longer know of the tool');
});
