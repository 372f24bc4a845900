import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deepReport } from '../../test/authority-world.ts';
import { type RuntimeWorldOptions, openRuntimeWorld, succeeded } from '../../test/runtime-world.ts';

const POLICY = `
interlock: 1
approvals: { signed: false }
principals: { local: {}, ann: { roles: [finance] } }
tools:
  shop.*: { input: { type: object } }
rules:
  - allow: shop.*
  - ask: shop.guarded
    approvers: [ann]
`;
const TOOLS: RuntimeWorldOptions['tools'] = {
  'shop.pay': ({ charge = '' }) => succeeded({ id: `r_${String(charge)}` }),
  'shop.mail': () => succeeded({ sent: true }),
  'shop.refund': () => succeeded(),
  'shop.fail': () => ({ kind: 'failed', output: {} }),
  'shop.lost': () => ({ kind: 'unknown', reason: 'lost' }),
  'shop.guarded': () => succeeded({ done: true }),
};
const policy = POLICY.replace('shop.*: {', `shop.pay: { input: { type: object } }
  shop.mail: { input: { type: object } }
  shop.refund: { input: { type: object } }
  shop.fail: { input: { type: object } }
  shop.lost: { input: { type: object } }
  shop.guarded: {`);

const PAY = `
program: pay
input: { type: object, required: [charge], properties: { charge: { type: string } } }
events: { settled: { type: object, required: [ok], properties: { ok: { type: boolean } } } }
start: pay
steps:
  pay: { tool: shop.pay, args: { charge: "\${{ input.charge }}" }, undo: { tool: shop.refund, args: { id: "\${{ steps.pay.output.id }}" } }, next: settled }
  settled: { wait: settled, timeout: 1h, next: told, expired: late }
  told: { choose: [{ when: steps.settled.output.ok, next: done }, { next: late }] }
  done: { end: success, output: { id: "\${{ steps.pay.output.id }}" } }
  late: { end: late }
`;

test('a run waits for its event, takes it once, and ends with its output', async () => {
  const world = await openRuntimeWorld({ policy, tools: TOOLS });
  const view = await world.run(PAY, { charge: 'c1' });
  assert.deepEqual([view.status, view.steps], ['suspended', ['pay', 'settled']]);
  const bad = await world.runtime.signal(view.run, 'settled', { ok: 1 });
  assert.equal(bad.ok ? '' : bad.code, 'event-invalid');
  const moved = await world.runtime.signal(view.run, 'settled', { ok: true }, { id: 'w1' });
  assert.equal(moved.ok && moved.outcome, 'moved');
  const after = await world.rest(view.run);
  assert.deepEqual([after.status, after.output, after.steps], ['success', { id: 'r_c1' }, ['pay', 'settled', 'told', 'done']]);
  const again = await world.runtime.signal(view.run, 'settled', { ok: true }, { id: 'w1' });
  assert.equal(again.ok ? '' : again.code, 'over');
  assert.deepEqual(world.done, [{ tool: 'shop.pay', args: { charge: 'c1' } }]);
  const deep = deepReport(world);
  assert.deepEqual(deep.problems, []);
});

test('a wait that is over leads elsewhere, and what was done is undone', async () => {
  const world = await openRuntimeWorld({ policy, tools: TOOLS });
  const view = await world.run(PAY, { charge: 'c1' });
  world.world.advance(3_600_000);
  await world.runtime.look();
  const after = await world.rest(view.run);
  assert.deepEqual([after.status, world.done.map(({ tool }) => tool)], ['late', ['shop.pay', 'shop.refund']]);
  assert.deepEqual(world.done[1]?.args, { id: 'r_c1' });
});
