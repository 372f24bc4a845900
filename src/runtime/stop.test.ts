import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RuntimeWorldOptions, openRuntimeWorld, succeeded } from '../../test/runtime-world.ts';
import type { Performed } from '../authority/answer.ts';
import { runIdOf } from './child.ts';

const POLICY = `
interlock: 1
tools: { shop.slow: { input: { type: object } }, shop.pay: { input: { type: object } } }
rules: [{ allow: shop.* }]
`;
const TEXT = `
program: two
start: slow
steps:
  slow: { tool: shop.slow, args: {}, on_error: failed, next: pay }
  pay: { tool: shop.pay, args: {}, on_error: failed, next: done }
  done: { end: success }
  failed: { end: failed }
`;
const ORDER = { principal: 'local', source: { file: 'p', text: TEXT }, input: {} };

/** A run whose first step is under way until `answer` gets what it came to. */
async function slowRun(options: RuntimeWorldOptions = {}) {
  const slow = Promise.withResolvers<Performed>();
  const sent = Promise.withResolvers<void>();
  const tools: RuntimeWorldOptions['tools'] = {
    'shop.slow': () => {
      sent.resolve();
      return slow.promise;
    },
    'shop.pay': () => succeeded(),
  };
  const world = await openRuntimeWorld({ policy: POLICY, tools, ...options });
  const started = await world.runtime.start(ORDER);
  assert(started.ok);
  await sent.promise;
  return { world, run: started.run, answer: slow.resolve };
}

for (const [name, ends] of [
  ['what is under way is recorded and no step begins', succeeded()],
  ['a refusal that comes of the stop is not taken for an answer', { kind: 'not-started', reason: 'it ends' }],
] satisfies [string, Performed][]) {
  test(`once a runtime is stopped ${name}, and another process goes on [R-program-tools]`, async () => {
    const { world, run, answer } = await slowRun();
    world.runtime.stop();
    answer(ends);
    await world.runtime.idle();
    assert.deepEqual([(await world.runtime.get(run))?.status, world.done.length], ['running', 1]);
    world.disk.alive.delete(world.ledger.instance);
    const { disk, vault, done } = world;
    const tools = { 'shop.slow': () => succeeded(), 'shop.pay': () => succeeded() };
    const next = await openRuntimeWorld({ policy: POLICY, tools, disk, vault, world: world.world, done });
    assert.equal(await next.runtime.recover(), 1);
    await next.runtime.idle();
    assert.equal((await next.runtime.get(run))?.status, 'success');
    const again = ends.kind === 'succeeded' ? [] : ['shop.slow'];
    assert.deepEqual(
      done.map(({ tool }) => tool),
      ['shop.slow', ...again, 'shop.pay'],
    );
  });
}

test('a process takes up the runs of those that it looks after, from when it does [R-program-own]', async () => {
  const { world, run, answer } = await slowRun();
  world.runtime.stop();
  answer(succeeded());
  await world.runtime.idle();
  world.disk.alive.delete(world.ledger.instance);
  const { disk, vault } = world;
  let principals = ['eve'];
  const tools = { 'shop.pay': () => succeeded() };
  const own = { policy: POLICY, tools, disk, vault, world: world.world, principals: () => principals };
  const next = await openRuntimeWorld(own);
  assert.deepEqual([await next.runtime.recover(), await next.runtime.recover()], [0, 0]);
  assert.equal((await next.runtime.get(run))?.status, 'running');
  principals = ['eve', 'local'];
  assert.equal(await next.runtime.recover(), 1);
  await next.runtime.idle();
  assert.equal((await next.runtime.get(run))?.status, 'success');
});

test('a run that is started again under its id is the one that there is', async () => {
  const tools = { 'shop.slow': () => succeeded(), 'shop.pay': () => succeeded() };
  const { runtime, done } = await openRuntimeWorld({ policy: POLICY, tools });
  const id = runIdOf('a test', 'key');
  for (let turn = 0; turn < 3; turn += 1) {
    assert.deepEqual(await runtime.start({ ...ORDER, id }), { ok: true, run: id });
    await runtime.settled(id);
  }
  assert.equal((await runtime.get(id))?.status, 'success');
  assert.equal(done.length, 2);
});
