import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Opening, type OpeningOptions, countersOf, openWorld, typesOf } from '../../test/authority-world.ts';
import type { JsonObject } from '../value/json.ts';
import type { Answer, Performed } from './answer.ts';
import type { Proposal } from './proposal.ts';

const INPUT = 'input: { type: object, properties: { charge: {type: string}, idem: {type: string} }, required: [idem] }';
const POLICY = `
interlock: 1
tools:
  bank.pay: { key: args.charge, input: { type: object, properties: { charge: {type: string} } } }
  bank.wire: { input: { type: object, properties: {} } }
  bank.read: { effect: read, input: { type: object, properties: {} } }
  bank.harmless: { failed: no-effect, input: { type: object, properties: {} } }
  bank.idem: { key: args.charge, ${INPUT}, downstreamKey: { arg: idem }, cost: { money: 3 } }
  bank.meta: { input: { type: object, properties: {} }, downstreamKey: { meta: x-key } }
budgets: { money: { limit: 5, unit: calls, window: 24h, per: [] } }
rules:
  - allow: bank.*
`;
const REFUSED: Performed = { kind: 'not-started', reason: 'refused' };
const FAILED: Performed = { kind: 'failed', output: { isError: true } };
const LOST: Performed = { kind: 'unknown', reason: 'lost' };

const open = (more: OpeningOptions = {}): Promise<Opening> => openWorld({ policy: POLICY, attemptsMax: 3, ...more });

/** The call with these outcomes in order, and what was sent; the clock moves whenever it waits. */
async function run(
  world: Opening,
  tool: string,
  outcomes: readonly Performed[],
  more: Partial<Proposal> = {},
): Promise<{ answer: Answer; sent: (readonly [JsonObject, JsonObject | undefined])[] }> {
  const sent: (readonly [JsonObject, JsonObject | undefined])[] = [];
  let done = false;
  const perform = async (args: JsonObject, meta?: JsonObject): Promise<Performed> => {
    sent.push([args, meta]);
    return outcomes[sent.length - 1] ?? { kind: 'succeeded', output: { n: sent.length } };
  };
  const calling = world.call(tool, more.args ?? {}, { perform, ...more }).finally(() => (done = true));
  while (!done) {
    await new Promise(setImmediate);
    world.world.advance(50);
  }
  return { answer: await calling, sent };
}

describe('a call makes another attempt by itself', () => {
  for (const [tool, outcome, attempts] of [
    ['bank.wire', REFUSED, 3],
    ['bank.pay', REFUSED, 3],
    ['bank.harmless', FAILED, 3],
    ['bank.meta', FAILED, 3],
    ['bank.read', LOST, 3],
    ['bank.wire', FAILED, 1],
    ['bank.read', FAILED, 1],
    ['bank.wire', LOST, 1],
    ['bank.meta', LOST, 1],
    ['bank.harmless', LOST, 1],
  ] as const) {
    test(`${attempts} at most when ${tool} ends as ${outcome.kind}, and the last outcome stands`, async () => {
      const world = await open();
      const args = tool === 'bank.pay' ? { charge: 'c' } : {};
      const { answer, sent } = await run(world, tool, [outcome, outcome, outcome, outcome], { args });
      assert.deepEqual([sent.length, answer.state], [attempts, outcome.kind]);
      const intents = world.entries().filter(({ type }) => type === 'call.intent');
      assert.equal(new Set(intents.map((entry) => entry['attempt'])).size, attempts);
      assert.deepEqual([...new Set(intents.map((entry) => entry['call']))], [answer.call]);
      assert.equal(typesOf(world).length, 2 * attempts);
    });
  }

  test('until one succeeds [R-retry]', async () => {
    const world = await open();
    const { answer, sent } = await run(world, 'bank.wire', [REFUSED]);
    assert.deepEqual([answer.state, answer.output, sent.length], ['succeeded', { n: 2 }, 2]);
  });

  test('not when its time does not reach so far, nor when the caller has left', async () => {
    const world = await open();
    await run(world, 'bank.read', []);
    const brief = await run(world, 'bank.wire', [REFUSED, REFUSED], { timeoutMs: 60 });
    assert.deepEqual([brief.sent.length, brief.answer.state], [1, 'not-started']);
    const gone = await run(await open(), 'bank.wire', [REFUSED, REFUSED], { signal: AbortSignal.abort() });
    assert.equal(gone.sent.length, 1);
  });

  test('not when its time is over by the log, though the clock went back since', async () => {
    const world = await open();
    const start = world.world.now();
    const perform = async (): Promise<Performed> => {
      world.world.setWall(start + 70_000);
      await world.call('bank.read', {});
      world.world.setWall(start);
      return REFUSED;
    };
    const { answer } = await run(world, 'bank.wire', [], { perform });
    assert.equal(answer.state, 'not-started');
    const intents = world.entries().filter(({ type }) => type === 'call.intent');
    assert.deepEqual(
      intents.map(({ at, deadline }) => typeof deadline === 'string' && at < deadline),
      [true, true],
    );
  });

  test('not when it is not allowed any more', async () => {
    const world = await open();
    const sent: unknown[] = [];
    const calling = world.call(
      'bank.wire',
      {},
      {
        perform: async () => {
          sent.push(1);
          await world.authority.refuse('no policy');
          return REFUSED;
        },
      },
    );
    while (typesOf(world).length < 2) await new Promise(setImmediate);
    await new Promise(setImmediate);
    world.world.advance(1_000);
    assert.deepEqual([(await calling).state, sent.length], ['not-started', 1]);
  });

  test('not when an equal one without a key runs meanwhile', async () => {
    const world = await open();
    const gate = Promise.withResolvers<Performed>();
    let sent = 0;
    const first = world.call('bank.wire', {}, { perform: async () => ((sent += 1), REFUSED) });
    while (typesOf(world).length < 2) await new Promise(setImmediate);
    const twin = world.call('bank.wire', {}, { perform: () => gate.promise });
    while (typesOf(world).length < 3) await new Promise(setImmediate);
    world.world.advance(1_000);
    assert.deepEqual([(await first).state, sent], ['not-started', 1]);
    gate.resolve(REFUSED);
    for (let turn = 0; turn < 100; turn += 1) {
      await new Promise(setImmediate);
      world.world.advance(100);
    }
    await twin;
  });

  test('and is charged once', async () => {
    const world = await open();
    const { answer } = await run(world, 'bank.idem', [FAILED], { args: { charge: 'c' }, timeoutMs: 60_000 });
    assert.equal(answer.state, 'succeeded', 'a budget of 5 has room for the second 3 in place of the first');
    const counters = [...countersOf(world).values()];
    assert.deepEqual(counters, [3]);
  });
});

describe('a downstream key', () => {
  const idem = { args: { charge: 'c' } };

  test('is the same for all attempts of a call and another for another call [R-downstream-key]', async () => {
    const world = await open({ policy: POLICY.replace('limit: 5', 'limit: 50') });
    const first = await run(world, 'bank.idem', [REFUSED, FAILED], idem);
    const keys = first.sent.map(([args]) => args['idem']);
    assert.equal(first.answer.state, 'succeeded');
    assert.deepEqual([keys.length, new Set(keys).size], [3, 1]);
    assert.match(JSON.stringify(keys[0]), /^"h_[\w-]{43}"$/);
    const other = await run(world, 'bank.idem', [], { args: { charge: 'd' } });
    assert.notEqual(other.sent[0]?.[0]['idem'], keys[0]);
    const intent = world.entries().find(({ type }) => type === 'call.intent');
    assert.deepEqual(
      [intent?.['args'], intent?.['downstreamKey']],
      [{ charge: 'c' }, { arg: 'idem', key: keys[0] ?? '' }],
    );
  });

  test('in `_meta` goes beside the arguments', async () => {
    const { sent } = await run(await open(), 'bank.meta', []);
    assert.deepEqual(sent[0]?.[0], {});
    assert.deepEqual(Object.keys(sent[0]?.[1] ?? {}), ['x-key']);
  });

  test('that a caller gives itself is refused', async () => {
    const world = await open();
    const { answer, sent } = await run(world, 'bank.idem', [], { args: { charge: 'c', idem: 'mine' } });
    assert.deepEqual([answer.decision?.code, sent.length], ['schema-mismatch', 0]);
    assert.match(answer.sentence ?? '', /`idem` is a key that is given for it/);
  });

  test('lets an unknown call be sent again when somebody asks for it, once its first process is gone', async () => {
    const world = await open();
    const lost = await run(world, 'bank.idem', [LOST], idem);
    assert.equal(lost.answer.state, 'unknown');
    const sibling = await open({ ...world, policy: POLICY });
    assert.equal((await run(sibling, 'bank.idem', [], idem)).answer.state, 'unknown');
    world.disk.alive.delete(world.ledger.instance);
    const again = await run(sibling, 'bank.idem', [], idem);
    assert.deepEqual([again.answer.state, again.answer.call], ['succeeded', lost.answer.call]);
    assert.equal(again.sent[0]?.[0]['idem'], lost.sent[0]?.[0]['idem']);
    const [first, second] = world.entries().filter(({ type }) => type === 'call.intent');
    assert.equal(second?.['resends'], first?.['attempt']);
    const charged = [...world.disk.tables.counters()].flatMap(([key, value]) =>
      key.startsWith('budget/') ? [value] : [],
    );
    assert.deepEqual(charged, [3]);
  });

  for (const first of [FAILED, LOST]) {
    test(`does not make a call that ${first.kind} one that never started, when it cannot be sent again`, async () => {
      const world = await open({ policy: POLICY.replace('limit: 5', 'limit: 50') });
      const outcomes = [first, REFUSED, REFUSED, REFUSED];
      let { answer } = await run(world, 'bank.idem', outcomes, idem);
      if (first === LOST) ({ answer } = await run(world, 'bank.idem', [REFUSED, REFUSED, REFUSED], idem));
      assert.equal(answer.state, 'unknown');
      const states = [...world.disk.tables.rows()].map(({ state }) => state);
      assert.deepEqual([states, [...countersOf(world).values()]], [['unknown'], [3]]);
      assert.equal((await run(world, 'bank.idem', [], idem)).answer.state, 'succeeded');
    });
  }

  test('lets a call be sent again in its own slot and its own count, but not in those of another [R-own-room]', async () => {
    const limits = `limits:
  - { tools: bank.*, concurrency: 2 }
  - { tools: bank.idem, count: 1, per: [run] }
`;
    const world = await open({ policy: POLICY + limits });
    const counted = async (): Promise<JsonObject> => Object.fromEntries(countersOf(world));
    await run(world, 'bank.idem', [LOST], idem);
    await run(world, 'bank.pay', [LOST], { args: { charge: 'other' } });
    assert.equal((await run(world, 'bank.wire', [])).answer.decision?.code, 'concurrency-exceeded');
    const held = await counted();
    const again = await run(world, 'bank.idem', [LOST], idem);
    assert.deepEqual([again.answer.state, again.sent.length], ['unknown', 1]);
    assert.deepEqual(await counted(), held);
    assert.equal([...world.disk.tables.leases()].length, 2, 'the new attempt holds the slot of the one before');
    assert.equal((await run(world, 'bank.idem', [], idem)).answer.state, 'succeeded');
    assert.equal(
      (await run(world, 'bank.idem', [], { args: { charge: 'd' } })).answer.decision?.code,
      'budget-exhausted',
    );
    const full = await open({ policy: `${POLICY}limits:\n  - { tools: bank.*, concurrency: 2 }\n` });
    const one = await run(full, 'bank.idem', [LOST], idem);
    await run(full, 'bank.pay', [LOST], { args: { charge: 'other' } });
    const narrow = await open({ ...full, policy: `${POLICY}limits:\n  - { tools: bank.*, concurrency: 1 }\n` });
    full.disk.alive.delete(full.ledger.instance);
    const refused = await run(narrow, 'bank.idem', [], idem);
    assert.deepEqual([refused.answer.state, refused.answer.call, refused.sent.length], ['unknown', one.answer.call, 0]);
  });

  test('of a call that its own process has lost lets it be sent again there too; without one it stays unknown', async () => {
    const world = await open();
    await run(world, 'bank.idem', [LOST], idem);
    assert.equal((await run(world, 'bank.idem', [], idem)).answer.state, 'succeeded');
    await run(world, 'bank.pay', [LOST], idem);
    assert.equal((await run(world, 'bank.pay', [], idem)).answer.state, 'unknown');
  });
});
