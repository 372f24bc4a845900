import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANN, FINANCE, PAY, answer, person } from '../../test/approvers.ts';
import {
  type Opening,
  type OpeningOptions,
  claimed,
  openWorld,
  overriding,
  typesOf,
} from '../../test/authority-world.ts';
import type { CallRow, Ledger } from '../ledger/ledger.ts';
import { type JsonObject, isJsonObject } from '../value/json.ts';
import type { Performed } from './answer.ts';
import { setKill } from './kill.ts';
import type { Proposal, Reach } from './proposal.ts';

const sent: { tool: string; args: JsonObject; meta: JsonObject | undefined }[] = [];
const reaching =
  (effects: unknown[], tools: readonly string[] = ['bank.pay']): Reach =>
  (tool) =>
    tools.includes(tool)
      ? {
          timeoutMs: 1_000,
          perform: async (args, meta) => {
            sent.push({ tool, args, meta });
            effects.push(args);
            return { kind: 'succeeded', output: { reached: effects.length } };
          },
        }
      : undefined;
/** A gateway parks `PAY` and dies; `ann` approves. */
async function left(text = FINANCE, more: Partial<Proposal> = {}): Promise<{ first: Opening; call: string }> {
  const first = await openWorld({ policy: text });
  const { call } = await first.call('bank.pay', PAY, { session: 'first', ...more });
  await answer(first, call, ANN);
  first.disk.alive.delete(first.ledger.instance);
  return { first, call };
}
const next = (first: Opening, text = FINANCE, more: OpeningOptions = {}): Promise<Opening> =>
  openWorld({
    disk: first.disk,
    world: first.world,
    effects: first.effects,
    policy: text,
    reach: reaching(first.effects),
    ...more,
  });

test('a call that another process parked is carried out by a gateway that was never asked for it, once, under its key and in its run [R-claimed]', async () => {
  const { first, call } = await left(FINANCE, { key: 'k_1' });
  const [one, two] = [await next(first), await next(first)];
  await Promise.all([claimed(one), claimed(two), claimed(one)]);
  assert.deepEqual(first.effects, [PAY]);
  const row = await one.ledger.call(call);
  assert.deepEqual([row?.state, row?.attempts, row?.keys.length], ['succeeded', 1, 2]);
  const intent = one.entries().findLast(({ type }) => type === 'call.intent');
  assert.deepEqual([intent?.['run'], intent?.['args'], intent?.['call']], [{ id: 'first' }, PAY, call]);
  const again = await two.call('bank.pay', PAY, { key: 'k_1' });
  assert.deepEqual([again.state, again.call, again.replayed, again.output], ['succeeded', call, true, { reached: 1 }]);
  assert.equal((await two.call('bank.pay', { ...PAY, amount: 99 })).decision?.code, 'key-conflict');
});

test('a call that another process parked is carried out with the arguments that the log only commits to [R-sealed]', async () => {
  const text = FINANCE.replace('key: args.charge', 'key: args.charge\n    personal: [args.charge]');
  const { first, call } = await left(text);
  const parked = first.entries().find(({ type }) => type === 'call.parked');
  assert.ok(!JSON.stringify(parked).includes(PAY.charge));
  const second = await next(first, text);
  const erased = (ledger: Ledger): Ledger => overriding(ledger, { argument: async () => undefined });
  await claimed(await next(first, text, { between: erased }));
  assert.deepEqual(first.effects, []);
  await claimed(second);
  assert.deepEqual([(await second.ledger.call(call))?.state, first.effects], ['succeeded', [PAY]]);
});

test('a call that another process parked is left while its tool cannot be reached, and carried out when it can', async () => {
  const { first, call } = await left();
  const tools: string[] = [];
  const second = await next(first, FINANCE, { reach: reaching(first.effects, tools) });
  await claimed(second);
  assert.equal((await second.ledger.call(call))?.state, 'parked');
  tools.push('bank.pay');
  await claimed(second);
  assert.deepEqual([(await second.ledger.call(call))?.state, first.effects.length], ['succeeded', 1]);
});

test('a call that another process parked of another principal is left to that principal', async () => {
  const { first, call } = await left();
  const second = await next(first);
  await claimed(second, 'ann', 'bob');
  assert.equal((await second.ledger.call(call))?.state, 'parked');
});

test('a call that another process parked is decided again: a kill switch, a deny and a forged answer win', async () => {
  const { first, call } = await left();
  await claimed(await next(first, `${FINANCE}  - deny: bank.pay\n`));
  const second = await next(first);
  await setKill(second.ledger, second.world, { target: 'all', reason: 'smoke', by: 'os:x' });
  await claimed(second);
  assert.deepEqual([first.effects, (await second.ledger.call(call))?.state], [[], 'parked']);
  const other = await openWorld({ policy: FINANCE });
  const forged = await other.call('bank.pay', PAY);
  await answer(other, forged.call, person('ann'));
  await claimed(await next(other));
  assert.deepEqual(other.effects, []);
});

test('a call that another process parked and that comes too early for a limit is tried again, and leaves no denial behind', async () => {
  const text = `${FINANCE}limits:\n  - { tools: bank.pay, concurrency: 1 }\n`;
  const { first, call } = await left(text);
  const second = await next(first, text);
  const gate = Promise.withResolvers<Performed>();
  const running = second.call('bank.pay', { charge: 'ch_2', amount: 1 }, { perform: () => gate.promise });
  while (!typesOf(second).includes('call.intent')) await new Promise(setImmediate);
  const before = typesOf(second).length;
  await claimed(second);
  await claimed(second);
  assert.deepEqual([typesOf(second).length, first.effects.length], [before, 0]);
  gate.resolve({ kind: 'succeeded', output: {} });
  await running;
  await claimed(second);
  assert.deepEqual([(await second.ledger.call(call))?.state, first.effects.length], ['succeeded', 1]);
});

test('a call that another process parked, without a key, waits until an equal call that runs has ended', async () => {
  const text = FINANCE.replace('key: args.charge', '');
  const { first, call } = await left(text);
  const second = await next(first, text);
  const keyed = await second.call('bank.pay', PAY, { key: 'k_1' });
  await answer(second, keyed.call, ANN);
  const gate = Promise.withResolvers<Performed>();
  const running = second.call('bank.pay', PAY, { key: 'k_1', perform: () => gate.promise });
  while (!typesOf(second).includes('call.intent')) await new Promise(setImmediate);
  await claimed(second);
  assert.equal((await second.ledger.call(call))?.state, 'parked');
  gate.resolve({ kind: 'succeeded', output: {} });
  await running;
  await claimed(second);
  assert.deepEqual([(await second.ledger.call(call))?.state, first.effects], ['succeeded', [PAY]]);
});

test('a call that another process parked is left to its caller when a condition reads the key that only the caller knows', async () => {
  const text = `${FINANCE}  - deny: bank.pay\n    when: call.key == "evil"\n`;
  const { first, call } = await left(text, { key: 'good' });
  const second = await next(first, text);
  await claimed(second);
  assert.equal((await second.ledger.call(call))?.state, 'parked');
  assert.equal((await second.call('bank.pay', PAY, { key: 'good' })).state, 'succeeded');
});

test('a call that another process parked is left when its row is not what was parked, or its arguments are gone', async () => {
  const { first, call } = await left();
  const forge = (row: CallRow): readonly CallRow[] => [
    { ...row, principal: 'local', keys: [] },
    { ...row, tool: 'bank.wire' },
    { ...row, position: row.position - 1 },
    ...(row.approval === undefined
      ? []
      : [
          { ...row, approval: { ...row.approval, digest: 'sha256:00' } },
          { ...row, approval: { ...row.approval, expires: 9e15 } },
        ]),
  ];
  const row = await first.ledger.call(call);
  assert.ok(row !== undefined);
  for (const forged of forge(row)) {
    const between = (ledger: Ledger): Ledger => overriding(ledger, { parked: async () => [forged] });
    await claimed(await next(first, FINANCE, { between, reach: reaching(first.effects, ['bank.pay', 'bank.wire']) }));
  }
  const large = { ...PAY, charge: 'x'.repeat(70_000) };
  const world = await openWorld({ policy: FINANCE });
  const parked = await world.call('bank.pay', large);
  await answer(world, parked.call, ANN);
  const gone = (ledger: Ledger): Ledger => overriding(ledger, { argument: async () => undefined });
  await claimed(await next(world, FINANCE, { between: gone }));
  assert.deepEqual([first.effects, world.effects], [[], []]);
  await claimed(await next(world));
  assert.deepEqual(world.effects, [large]);
});

test('questions that nobody answered in time are in nobody’s way, whoever asked them', async () => {
  const world = await openWorld({ policy: FINANCE });
  const calls: string[] = [];
  for (let nth = 0; nth < 20; nth += 1) calls.push((await world.call('bank.pay', { ...PAY, charge: `c${nth}` })).call);
  assert.equal((await world.call('bank.pay', PAY)).decision?.code, 'approval-unavailable');
  const second = await next(world);
  await claimed(second);
  assert.equal(
    (await world.call('bank.pay', PAY)).decision?.code,
    'approval-unavailable',
    'they can be answered still',
  );
  world.world.advance(25 * 3_600_000);
  await claimed(second);
  const states = await Promise.all(calls.map(async (call) => (await world.ledger.call(call))?.state));
  assert.deepEqual(new Set(states), new Set(['expired']));
  assert.equal((await world.call('bank.pay', PAY)).decision?.code, 'asked');
  assert.equal((await world.call('bank.pay', { ...PAY, charge: 'c0' })).decision?.code, 'approval-expired');
});

test('a call that another process parked takes the key along that its tool is promised, also in `_meta`', async () => {
  const text = FINANCE.replace('key: args.charge', 'key: args.charge\n    downstreamKey: { meta: idem }');
  const { first } = await left(text);
  const second = await next(first, text);
  sent.length = 0;
  await claimed(second);
  const intent = second.entries().findLast(({ type }) => type === 'call.intent');
  assert.ok(isJsonObject(intent?.['downstreamKey']));
  assert.deepEqual(sent[0]?.meta, { idem: intent['downstreamKey']['key'] });
});

test('a call that another process parked is parked still, or unknown, wherever the process dies that claims it', async () => {
  for (const dies of ['before the intent', 'after the intent', 'before the outcome'] as const) {
    const { first, call } = await left();
    let transactions = 0;
    const stop = (): Promise<never> => new Promise(() => {});
    const between = (ledger: Ledger): Ledger =>
      overriding(ledger, {
        transact: async (reads, compose) => {
          if (reads.call !== call) return ledger.transact(reads, compose);
          transactions += 1;
          if (dies === 'before the intent') return stop();
          const result = await ledger.transact(reads, compose);
          return dies === 'after the intent' ? stop() : result;
        },
        append: (writes) =>
          writes.entries.some(({ type }) => type === 'call.succeeded') ? stop() : ledger.append(writes),
      });
    const second = await next(first, FINANCE, { between });
    void claimed(second);
    for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
    assert.ok(transactions > 0);
    second.disk.alive.delete(second.ledger.instance);
    const third = await next(first);
    await third.authority.recover();
    await claimed(third);
    const state = (await third.ledger.call(call))?.state;
    const expected = {
      'before the intent': ['succeeded', 1],
      'after the intent': ['unknown', 0],
      'before the outcome': ['unknown', 1],
    };
    assert.deepEqual([state, first.effects.length], expected[dies], dies);
  }
});
