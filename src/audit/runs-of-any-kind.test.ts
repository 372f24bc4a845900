/** Whatever tools answer and people do, and in whatever order: what the runtime records, the verifier finds to be right. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import * as fc from 'fast-check';
import { deepReport, overriding } from '../../test/authority-world.ts';
import { type RuntimeWorld, openRuntimeWorld, succeeded } from '../../test/runtime-world.ts';
import type { Performed } from '../authority/answer.ts';
import { approve, refuse } from '../authority/approve.ts';
import { settle } from '../authority/settle.ts';
import { DeepVerifier } from './deep.ts';

const OBJECT = '{ input: { type: object } }';
const POLICY = `
interlock: 1
approvals: { signed: false }
principals: { local: {}, ann: { roles: [finance] } }
tools: { ${['one', 'two', 'back', 'asked'].map((name) => `t.${name}: ${OBJECT}`).join(', ')}, t.safe: { effect: read, input: { type: object } } }
limits: [{ tools: t.two, rate: 2/1h }]
rules:
  - allow: t.*
  - ask: t.asked
    approvers: [ann]
  - { deny: t.back, when: args.n == 3 }
`;
const MAIN = `
program: main
events: { go: { type: object } }
start: one
steps:
  one: { tool: t.one, args: { n: 1 }, undo: { tool: t.back, args: { n: 1 } }, next: many, on_error: look }
  look: { tool: t.safe, retry: { attempts: 3 }, next: many }
  many:
    parallel:
      a: { tool: t.two, args: { n: 2 }, retry: { attempts: 2 }, undo: { tool: t.back, args: { n: 2 } } }
      b: { tool: t.asked, args: { n: 3 }, undo: { tool: t.back, args: { n: 3 } } }
      c: { call: child }
    max: 2
    next: people
    on_error: people
  people: { ask: finance, show: "Again?", timeout: 1h, yes: one, no: hold, expired: hold }
  hold: { wait: go, timeout: 1h, next: done, expired: late }
  done: { end: success }
  late: { end: late }
`;
const CHILD = `
program: child
events: { go: { type: object } }
start: two
steps:
  two: { tool: t.two, args: { n: 4 }, next: hold }
  hold: { wait: go, timeout: 1h, next: done, expired: late }
  done: { end: success, output: { done: true } }
  late: { end: late }
`;

const TOKEN = `ghp_${'aB3dE5gH7jK9'.repeat(3)}`;
const ANSWERS: readonly Performed[] = [
  succeeded({ n: 1 }),
  succeeded({ n: 2, mail: 'ann@example.com' }),
  succeeded({ token: TOKEN }),
  { kind: 'failed', output: {} },
  { kind: 'unknown', reason: 'lost' },
  { kind: 'not-started', reason: 'not there' },
];
const DEEDS = ['approve', 'refuse', 'signal', 'wait', 'settle', 'lose', 'cancel'] as const;
const OPEN = 'run-open/';

async function act(world: RuntimeWorld, run: string, deed: (typeof DEEDS)[number]): Promise<void> {
  const { ledger, runtime, world: clock } = world;
  const [parked] = await ledger.parked();
  const [unknown] = await ledger.unsettled('unknown');
  if (deed === 'approve' && parked !== undefined) {
    await approve(ledger, clock, { call: parked.id, by: 'ann', unsigned: true });
  }
  if (deed === 'refuse' && parked !== undefined) {
    await refuse(ledger, clock, { call: parked.id, by: 'ann', reason: 'no' });
  }
  if (deed === 'cancel') await runtime.cancel(run);
  if (deed === 'wait') clock.advance(3_600_000);
  if (deed === 'signal') {
    for (const key of (await ledger.counters(OPEN)).keys()) await runtime.signal(key.slice(OPEN.length), 'go', {});
  }
  if ((deed === 'settle' || deed === 'lose') && unknown !== undefined) {
    const settled =
      deed === 'settle'
        ? { as: 'executed' as const, output: { structuredContent: { n: 9 } } }
        : { as: 'not-executed' as const };
    // What was not executed can only be said once the process that sent it is gone.
    const gone = overriding(ledger, { isAlive: async () => false });
    await settle(gone, world, { call: unknown.id, by: 'os:me', reason: 'looked', ...settled });
  }
  await runtime.look();
  await rest(world);
}

/** Pauses between attempts pass by themselves. */
async function rest({ runtime, world: clock }: RuntimeWorld): Promise<void> {
  let isIdle = false;
  const idle = runtime.idle().then(() => (isIdle = true));
  while (!isIdle) {
    await setImmediate();
    clock.advance(100);
  }
  await idle;
}

test('what any run leaves in the log is what it could be, with the key of the vault and without [R-run-again]', async () => {
  const statuses = new Set<string>();
  const answers = fc.array(fc.integer({ min: 0, max: ANSWERS.length - 1 }), { minLength: 1, maxLength: 8 });
  const deeds = fc.array(fc.constantFrom(...DEEDS), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(answers, deeds, async (given, done) => {
      let nth = 0;
      const answer = (): Performed => ANSWERS[given[nth++ % given.length] ?? 0] ?? succeeded();
      const tools = Object.fromEntries(['one', 'two', 'back', 'asked', 'safe'].map((name) => [`t.${name}`, answer]));
      const world = await openRuntimeWorld({ policy: POLICY, tools, programs: { child: CHILD } });
      const source = { file: 'main.yaml', text: MAIN };
      const started = await world.runtime.start({ principal: 'local', source, input: {} });
      assert.ok(started.ok);
      const { run } = started;
      await rest(world);
      for (const deed of done) await act(world, run, deed);
      statuses.add((await world.runtime.get(run))?.status ?? '');
      assert.deepEqual(deepReport(world).problems, []);
      const verifier = new DeepVerifier();
      for (const [position, entry] of world.entries().entries()) verifier.take(entry, position);
      assert.deepEqual(verifier.report().problems, []);
    }),
    { numRuns: 40 },
  );
  for (const status of ['suspended', 'failed', 'cancelled']) assert.ok(statuses.has(status), [...statuses].join());
});
