import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deepReport, overriding, policyOf } from '../../test/authority-world.ts';
import { type RuntimeWorld, type RuntimeWorldOptions, openRuntimeWorld, succeeded } from '../../test/runtime-world.ts';
import { approve, refuse } from '../authority/approve.ts';
import { settle } from '../authority/settle.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { isJsonObject } from '../value/json.ts';
import type { RunView } from './view.ts';

const OBJECT = '{ input: { type: object } }';
const NAMES = ['pay', 'mail', 'refund', 'unmail', 'fail', 'lost', 'guarded', 'slow'];
const POLICY = `
interlock: 1
approvals: { signed: false }
principals: { local: {}, ann: { roles: [finance] } }
tools: { ${NAMES.map((name) => `shop.${name}: ${OBJECT}`).join(', ')} }
rules:
  - allow: shop.*
  - ask: shop.guarded
    approvers: [ann]
`;
const TOOLS: NonNullable<RuntimeWorldOptions['tools']> = {
  'shop.pay': ({ charge = '' }) => succeeded({ id: `r_${JSON.stringify(charge)}` }),
  'shop.mail': () => succeeded({ sent: true }),
  'shop.refund': () => succeeded(),
  'shop.unmail': () => succeeded(),
  'shop.fail': () => ({ kind: 'failed', output: {} }),
  'shop.lost': () => ({ kind: 'unknown', reason: 'lost' }),
  'shop.guarded': () => succeeded({ done: true }),
};

const PAY = `
program: pay
input: { type: object, required: [charge], properties: { charge: { type: string } } }
events: { settled: { type: object, required: [ok], properties: { ok: { type: boolean } } } }
start: pay
steps:
  pay:
    tool: shop.pay
    args: { charge: "\${{ input.charge }}" }
    undo: { tool: shop.refund, args: { id: "\${{ steps.pay.output.id }}" } }
    next: tell
  tell:
    parallel:
      one: { tool: shop.mail, args: { to: one }, undo: { tool: shop.unmail, args: { to: one } } }
      two: { tool: shop.mail, args: { to: two }, undo: { tool: shop.unmail, args: { to: two } } }
    next: settled
  settled: { wait: settled, timeout: 1h, next: told, expired: late }
  told: { choose: [{ when: steps.settled.output.ok, next: done }, { next: late }] }
  done: { end: success, output: { id: "\${{ steps.pay.output.id }}" } }
  late: { end: late }
`;
const ASK = `
program: asking
start: ask
steps:
  ask: { ask: finance, show: "Pay?", timeout: 1h, yes: pay, no: stop, expired: old }
  pay: { tool: shop.pay, args: { charge: c }, next: done }
  done: { end: success }
  stop: { end: rejected }
  old: { end: old }
`;
const single = (tool: string, more = ''): string => `
program: single
start: act
steps:
  act: { tool: shop.${tool}, args: { n: 1 }, next: done${more} }
  done: { end: success, output: "\${{ steps.act.output }}" }
`;

/** The call or the run that a run waits for. */
function waitedFor({ waits }: Pick<RunView, 'waits'>): string {
  return waits[0]?.of ?? '';
}

for (const alwaysReplay of [false, true]) {
  const open = (more: Partial<RuntimeWorldOptions> = {}): Promise<RuntimeWorld> =>
    openRuntimeWorld({ policy: POLICY, tools: TOOLS, alwaysReplay, ...more });
  const mode = alwaysReplay ? ', rebuilt before each move' : '';

  test(`a run waits for its event, takes it once, and ends with its output [R-run-once]${mode}`, async () => {
    const world = await open();
    const { run, status, steps } = await world.run(PAY, { charge: 'c1' });
    assert.deepEqual([status, steps], ['suspended', ['pay', 'tell', 'settled']]);
    const bad = await world.runtime.signal(run, 'settled', { ok: 1 });
    assert.equal(bad.ok ? '' : bad.code, 'event-invalid');
    const both = await Promise.all(
      ['w1', 'w1', 'w2'].map((id) => world.runtime.signal(run, 'settled', { ok: true }, { id })),
    );
    assert.equal(both.filter((one) => one.ok && one.outcome === 'moved').length, 1);
    const after = await world.rest(run);
    assert.deepEqual([after.status, after.output], ['success', { id: 'r_"c1"' }]);
    assert.deepEqual(after.steps, ['pay', 'tell', 'settled', 'told', 'done']);
    const again = await world.runtime.signal(run, 'settled', { ok: true }, { id: 'w1' });
    assert.equal(again.ok ? '' : again.code, 'over');
    const none = await world.runtime.signal('none', 'settled', {});
    assert.equal(none.ok ? '' : none.code, 'no-such-run');
    assert.deepEqual(
      world.done.map(({ tool }) => tool),
      ['shop.pay', 'shop.mail', 'shop.mail'],
    );
    assert.deepEqual(deepReport(world).problems, []);
  });

  test(`a wait that is over leads elsewhere, and what was done is undone, the last first${mode}`, async () => {
    const world = await open();
    const { run } = await world.run(PAY, { charge: 'c1' });
    world.world.advance(3_599_999);
    await world.runtime.look();
    assert.equal((await world.rest(run)).status, 'suspended');
    world.world.advance(1);
    await world.runtime.look();
    assert.equal((await world.rest(run)).status, 'late');
    const [, , , ...undone] = world.done.map(({ tool, args }) => [tool, args]);
    assert.deepEqual(undone, [
      ['shop.unmail', { to: 'two' }],
      ['shop.unmail', { to: 'one' }],
      ['shop.refund', { id: 'r_"c1"' }],
    ]);
    assert.deepEqual(deepReport(world).problems, []);
  });

  test(`a step that asks people goes on with their answer, or without one${mode}`, async () => {
    const answers: readonly (readonly [string, (world: RuntimeWorld, call: string) => Promise<unknown>, string])[] = [
      ['success', ({ ledger, world }, call) => approve(ledger, world, { call, by: 'ann', unsigned: true }), 'shop.pay'],
      ['rejected', ({ ledger, world }, call) => refuse(ledger, world, { call, by: 'ann', reason: 'no' }), ''],
      ['old', async ({ world }) => world.advance(3_600_000), ''],
    ];
    for (const [status, act, done] of answers) {
      const world = await open();
      const view = await world.run(ASK);
      assert.equal(view.status, 'suspended');
      const [parked] = await world.ledger.parked();
      assert.deepEqual([parked?.tool, parked?.approval?.approvers], ['interlock.ask', ['finance']]);
      await world.runtime.look();
      assert.equal((await world.rest(view.run)).status, 'suspended');
      await act(world, parked?.id ?? '');
      await world.runtime.look();
      assert.equal((await world.rest(view.run)).status, status);
      assert.equal(world.done.map(({ tool }) => tool).join(), done);
      assert.deepEqual(deepReport(world).problems, []);
    }
  });

  test(`a call that waits for an approval suspends its run, and runs once when it has it${mode}`, async () => {
    const world = await open();
    const view = await world.run(single('guarded'));
    assert.deepEqual([view.status, view.waits[0]?.kind], ['suspended', 'approval']);
    const [parked] = await world.ledger.parked();
    await approve(world.ledger, world.world, { call: parked?.id ?? '', by: 'ann', unsigned: true });
    await world.runtime.look();
    const after = await world.rest(view.run);
    assert.deepEqual([after.status, after.output, world.done.length], ['success', { done: true }, 1]);
  });

  test(`an unknown outcome suspends the run whatever it has for errors, until it is settled${mode}`, async () => {
    for (const as of ['executed', 'not-executed'] as const) {
      const world = await open();
      const view = await world.run(single('lost', ', on_error: done'));
      assert.deepEqual([view.status, view.waits[0]?.kind], ['suspended', 'settlement']);
      const call = waitedFor(view);
      // What was not executed can only be said once the process that sent it is gone.
      const ledger = overriding(world.ledger, { isAlive: async () => false });
      const output = { structuredContent: { done: 1 } };
      await settle(ledger, world, {
        call,
        as,
        by: 'os:me',
        reason: 'looked',
        ...(as === 'executed' ? { output } : {}),
      });
      await world.runtime.look();
      const after = await world.rest(view.run);
      // The step that failed leaves no output, which the end reads.
      assert.equal(after.status, as === 'executed' ? 'success' : 'failed');
      assert.equal(world.done.length, 1);
    }
  });

  test(`a cancelled run takes its questions back, undoes what it did, and takes no event any more${mode}`, async () => {
    const world = await open();
    const view = await world.run(PAY, { charge: 'c' });
    assert.equal(await world.runtime.cancel(view.run), true);
    assert.equal((await world.rest(view.run)).status, 'cancelled');
    assert.equal(world.done.at(-1)?.tool, 'shop.refund');
    assert.equal(await world.runtime.cancel(view.run), false);
    const asked = await world.run(ASK);
    await world.runtime.cancel(asked.run);
    assert.equal((await world.rest(asked.run)).status, 'cancelled');
    await world.runtime.idle();
    assert.deepEqual(await world.ledger.parked(), []);
  });

  test(`a program calls another, which waits for it, fails it, and is cancelled with it${mode}`, async () => {
    const caller = `
program: caller
start: child
steps:
  child: { call: pay, input: { charge: k }, next: done, on_error: failed }
  done: { end: success, output: "\${{ steps.child.output.id }}" }
  failed: { end: child-failed }
`;
    const world = await open({ programs: { pay: PAY } });
    const results: RunView[] = [];
    for (const ok of [true, false]) {
      const { run, status, waits } = await world.run(caller);
      assert.deepEqual([status, waits[0]?.kind], ['suspended', 'run']);
      await world.runtime.signal(waitedFor({ waits }), 'settled', { ok });
      await world.runtime.idle();
      results.push(await world.rest(run));
    }
    assert.deepEqual(
      results.map(({ status, output }) => [status, output]),
      [
        ['success', 'r_"k"'],
        ['child-failed', null],
      ],
    );
    const { run, waits } = await world.run(caller);
    await world.runtime.cancel(run);
    await world.runtime.idle();
    assert.equal((await world.rest(run)).status, 'cancelled');
    assert.equal((await world.rest(waitedFor({ waits }))).status, 'cancelled');
    assert.deepEqual(deepReport(world).problems, []);
  });
}

test('a run that brings null, in its first move or later, is verified as it is', async () => {
  const world = await openRuntimeWorld({ policy: POLICY, tools: TOOLS });
  const end = 'done: { end: success, output: null }';
  await world.run(`program: none\nstart: done\nsteps:\n  ${end}\n`);
  await world.run(`program: some\nstart: pay\nsteps:\n  pay: { tool: shop.pay, args: {}, next: done }\n  ${end}\n`);
  assert.deepEqual(deepReport(world).problems, []);
});

/** The ledger of an opening that dies once it has written `left` transactions. */
function dying(left: number, die: (ledger: Ledger) => void): (ledger: Ledger) => Ledger {
  let writes = 0;
  return (ledger) => {
    const count = <T>(made: Promise<T>, wrote: () => boolean): Promise<T> =>
      made.then((result) => {
        if (wrote() && (writes += 1) === left) die(ledger);
        return result;
      });
    return overriding(ledger, {
      append: (writing) => count(ledger.append(writing), () => true),
      transact: (reads, compose) => {
        let wrote = false;
        const composed: typeof compose = (facts) => {
          const composition = compose(facts);
          wrote = composition.writes !== undefined;
          return composition;
        };
        return count(ledger.transact(reads, composed), () => wrote);
      },
    });
  };
}

test('a run whose process dies after any write goes on elsewhere, and does nothing twice [R-run-crash]', async () => {
  let reached = 0;
  for (let left = 2; left < 60; left += 1) {
    const done: RuntimeWorld['done'] = [];
    const base = { policy: POLICY, tools: TOOLS, done };
    let dead = false;
    const first: RuntimeWorld = await openRuntimeWorld({
      ...base,
      between: dying(left, (ledger) => {
        dead = true;
        first.disk.alive.delete(ledger.instance);
      }),
    });
    const started = first.runtime.start({
      principal: 'local',
      source: { file: 'p', text: PAY },
      input: { charge: 'c' },
    });
    const run = await started.then(
      (one) => (one.ok ? one.run : ''),
      () => '',
    );
    await first.runtime.settled(run).catch(() => undefined);
    if (!dead) {
      await first.runtime.signal(run, 'settled', { ok: false }).catch(() => undefined);
      await first.runtime.settled(run).catch(() => undefined);
    }
    if (!dead) break;
    reached += 1;
    const { disk, vault, world } = first;
    const next = await openRuntimeWorld({ ...base, disk, vault, world });
    await next.authority.recover();
    const [open] = [...(await next.ledger.counters('run/')).keys()].map((key) => key.slice('run/'.length));
    if (open === undefined) continue;
    for (let turn = 0; turn < 20; turn += 1) {
      await next.runtime.recover();
      await next.runtime.idle();
      for (const row of await next.ledger.unsettled('unknown')) {
        const { tool, id: call } = row;
        const wasSent = done.some((effect) => effect.tool === tool);
        const as = wasSent ? 'executed' : 'not-executed';
        const output = { structuredContent: { id: 'r_"c"' } };
        await settle(next.ledger, next, { call, as, by: 'os:me', reason: 'x', ...(wasSent ? { output } : {}) });
      }
      await next.runtime.look();
      await next.runtime.idle();
      const view = await next.runtime.get(open);
      if (view?.waits[0]?.kind === 'event') await next.runtime.signal(open, 'settled', { ok: false });
      await next.runtime.idle();
      if (view?.status === 'late' || view?.status === 'failed') break;
    }
    const view = await next.runtime.get(open);
    assert.ok(
      view?.status === 'late' || view?.status === 'failed',
      `after write ${left}: ${JSON.stringify(view)} ${next.lines.join()}`,
    );
    const effects = done.map(({ tool, args }) => JSON.stringify([tool, args]));
    assert.deepEqual(effects, [...new Set(effects)], `after write ${left}`);
    if (view.status === 'late') assert.equal(effects.length, 6, `after write ${left}: ${effects.join()}`);
    assert.deepEqual(deepReport(next).problems, [], `after write ${left}`);
  }
  assert.ok(reached > 15, `expected the run to take many writes, got ${reached}`);
});

test('a run does no more once the policy says anything else of what it may do [R-run-capability]', async () => {
  const world = await openRuntimeWorld({ policy: POLICY, tools: TOOLS });
  const changes = [
    POLICY.replace('- allow: shop.*', '- allow: shop.*\n    when: args.to != "x"'),
    POLICY.replace('rules:', 'rules:\n  - deny: shop.unmail\n    when: "false"'),
    POLICY.replace('shop.mail: { input: { type: object } }', 'shop.mail: { effect: read, input: { type: object } }'),
  ];
  for (const changed of changes) {
    await world.authority.load(policyOf(POLICY));
    const { run } = await world.run(PAY, { charge: 'c1' });
    const before = world.done.length;
    await world.authority.load(policyOf(changed));
    assert.equal(await world.runtime.cancel(run), true);
    const after = await world.rest(run);
    assert.deepEqual([after.status, after.notUndone?.length, world.done.length - before], ['cancelled', 3, 0]);
    const denied = world.entries().filter(({ type }) => type === 'call.denied');
    assert.ok(
      denied.length >= 3 &&
        denied.every(({ policy }) => isJsonObject(policy) && policy['code'] === 'contract-violation'),
    );
  }
  // What has nothing to do with the run changes nothing for it.
  await world.authority.load(policyOf(POLICY));
  const { run } = await world.run(PAY, { charge: 'c2' });
  await world.authority.load(
    policyOf(POLICY.replace('- ask: shop.guarded', '- deny: shop.lost\n  - ask: shop.guarded')),
  );
  await world.runtime.signal(run, 'settled', { ok: true });
  assert.equal((await world.rest(run)).status, 'success');
  assert.deepEqual(deepReport(world).problems, []);
});

test('a run whose program does not fit the policy in force waits for one that it fits', async () => {
  const world = await openRuntimeWorld({ policy: POLICY, tools: TOOLS });
  const { run } = await world.run(PAY, { charge: 'c1' });
  const stricter = POLICY.replace(
    'shop.mail: { input: { type: object } }',
    'shop.mail: { input: { type: object, required: [subject] } }',
  );
  await world.authority.load(policyOf(stricter));
  const refused = await world.runtime.signal(run, 'settled', { ok: true });
  assert.equal(refused.ok ? '' : refused.code, 'unreadable');
  assert.equal((await world.rest(run)).status, 'suspended');
  await world.authority.load(policyOf(POLICY));
  await world.runtime.signal(run, 'settled', { ok: true });
  assert.equal((await world.rest(run)).status, 'success');
});

test('an event that came before is known again also while the run waits for another [R-run-once]', async () => {
  const world = await openRuntimeWorld({ policy: POLICY, tools: TOOLS });
  const { run } = await world.run(`
program: two
events: { one: { type: object }, two: { type: object } }
start: first
steps:
  first: { wait: one, timeout: 1h, next: second, expired: done }
  second: { wait: two, timeout: 1h, next: done, expired: done }
  done: { end: success }
`);
  const signal = (event: string, id: string) => world.runtime.signal(run, event, {}, { id });
  assert.deepEqual(await signal('one', 'e'), { ok: true, outcome: 'moved', status: 'suspended' });
  assert.deepEqual(await signal('one', 'e'), { ok: true, outcome: 'taken', status: 'suspended' });
  const other = await signal('one', 'f');
  assert.equal(other.ok ? '' : other.code, 'not-waiting');
  assert.equal((await signal('two', 'g')).ok, true);
  assert.equal((await world.rest(run)).status, 'success');
});
