import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RuntimeWorld, openRuntimeWorld, succeeded } from '../../test/runtime-world.ts';

const POLICY = `
interlock: 1
tools: { shop.pay: { input: { type: object, properties: { to: { type: string } } } } }
rules: [{ allow: shop.pay, when: args.to == "ann" }]
`;
const PAY = `
program: pay
start: pay
steps:
  pay: { tool: shop.pay, args: { to: ann }, retry: { attempts: 2 }, next: done }
  done: { end: success }
`;

test('what a tool does to its arguments changes neither the next attempt nor what is decided of it', async () => {
  const seen: unknown[] = [];
  const world: RuntimeWorld = await openRuntimeWorld({
    policy: POLICY,
    tools: {
      'shop.pay': (args, nth) => {
        seen.push({ ...args });
        Reflect.set(args, 'to', 'eve');
        return nth === 0 ? { kind: 'not-started', reason: 'busy' } : succeeded();
      },
    },
  });
  let view: Awaited<ReturnType<RuntimeWorld['run']>> | undefined;
  void world.run(PAY).then((rested) => (view = rested));
  while (view === undefined) {
    await new Promise((resolve) => setImmediate(resolve));
    world.world.advance(100);
  }
  assert.deepEqual([view.status, seen], ['success', [{ to: 'ann' }, { to: 'ann' }]]);
});
