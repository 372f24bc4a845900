import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Opening, type OpeningOptions, openWorld, typesOf } from '../../test/authority-world.ts';
import type { JsonObject } from '../value/json.ts';
import type { Performed } from './answer.ts';
import { setKill } from './kill.ts';

const POLICY = `
interlock: 1
tools:
  bank.pay:
    input: { type: object, required: [charge], properties: { charge: {type: string}, amount: {type: integer} } }
    key: args.charge
    effectTimeout: 60s
    probe: { tool: bank.find, args: { charge: args.charge }, executed: output.count > 0 }
  bank.find: { effect: read, input: { type: object, required: [charge], properties: { charge: {type: string} } } }
rules:
  - allow: bank.pay
`;
const PAY = { charge: 'ch_1', amount: 1 };
const LOST: Performed = { kind: 'unknown', reason: 'lost' };

interface Bank extends Opening {
  /** What the probe was asked, in order. */
  readonly asked: JsonObject[];
  /** What it answers. */
  says: Performed;
}

/** A bank whose call of `PAY` has become unknown. */
async function unknown(options: OpeningOptions = {}): Promise<Bank> {
  const asked: JsonObject[] = [];
  const reach = (tool: string) =>
    tool !== 'bank.find'
      ? undefined
      : {
          timeoutMs: 1_000,
          perform: async (args: JsonObject): Promise<Performed> => {
            asked.push(args);
            return bank.says;
          },
        };
  const opening = await openWorld({ policy: POLICY, reach, ...options });
  const bank: Bank = Object.assign(opening, { asked, says: count(0) });
  await bank.call('bank.pay', PAY, { perform: async () => LOST });
  return bank;
}

const count = (n: number): Performed => ({ kind: 'succeeded', output: { structuredContent: { count: n } } });
const settlements = (bank: Bank): unknown[] =>
  bank.entries().flatMap((entry) => (entry.type === 'call.settled' ? [[entry['as'], entry['by']]] : []));

describe('a probe', () => {
  test('that finds the effect settles the call as executed, with what it answered [R-probe]', async () => {
    const bank = await unknown();
    bank.says = count(1);
    await bank.authority.probe();
    assert.deepEqual([bank.asked, settlements(bank)], [[{ charge: 'ch_1' }], [['executed', 'probe']]]);
    const answer = await bank.call('bank.pay', PAY);
    assert.deepEqual(
      [answer.state, answer.replayed, answer.output, bank.effects.length],
      ['settled-executed', true, { structuredContent: { count: 1 } }, 0],
    );
  });

  test('is a recorded call of its own that names what it looks into, though no rule allows it', async () => {
    const bank = await unknown();
    await bank.authority.probe();
    const intent = bank.entries().findLast(({ type }) => type === 'call.intent');
    assert.deepEqual(intent?.['args'], { charge: 'ch_1' });
    assert.equal(intent?.['probes'], (await bank.call('bank.pay', PAY)).call);
    assert.equal((await bank.call('bank.find', { charge: 'x' })).decision?.code, 'unknown-tool');
  });

  test('is asked when somebody asks again under the key, who then gets the answer', async () => {
    const bank = await unknown();
    bank.says = count(1);
    assert.equal((await bank.call('bank.pay', PAY)).state, 'settled-executed');
    assert.equal(bank.asked.length, 1);
  });

  test('that finds nothing settles nothing until the effect can no longer arrive, then frees the key', async () => {
    const bank = await unknown();
    await bank.authority.probe();
    bank.world.advance(59_999);
    await bank.authority.probe();
    assert.deepEqual([bank.asked.length, settlements(bank)], [2, []]);
    bank.world.advance(2_001);
    assert.equal((await bank.call('bank.pay', PAY)).state, 'succeeded');
    assert.deepEqual([settlements(bank), bank.effects.length], [[['not-executed', 'probe']], 1]);
  });

  test('does not take a wall clock that jumped for the time in which the effect could arrive', async () => {
    const bank = await unknown();
    bank.world.setWall(bank.world.now() + 60_000);
    await bank.authority.probe();
    bank.world.advance(59_999);
    await bank.authority.probe();
    assert.deepEqual([bank.asked.length, settlements(bank)], [2, []]);
  });

  test('frees no key while the process that sent the call lives, whatever the time', async () => {
    const bank = await unknown();
    const sibling = await openWorld({
      ...bank,
      policy: POLICY,
      reach: () => ({ timeoutMs: 1, perform: async () => count(0) }),
    });
    await sibling.authority.probe();
    bank.world.advance(10_000_000);
    await sibling.authority.probe();
    assert.deepEqual(settlements(bank), []);
    bank.disk.alive.delete(bank.ledger.instance);
    bank.world.advance(10_000_000);
    await sibling.authority.probe();
    assert.deepEqual(settlements(bank), [['not-executed', 'probe']]);
  });

  for (const [what, says] of [
    ['errs', { kind: 'failed', output: { isError: true, structuredContent: { count: 1 } } }],
    ['is lost', LOST],
    ['does not start', { kind: 'not-started', reason: 'down' }],
    ['answers something else', { kind: 'succeeded', output: { structuredContent: { total: 1 } } }],
  ] as const) {
    test(`that ${what} settles nothing`, async () => {
      const bank = await unknown();
      bank.says = says;
      bank.world.advance(100_000);
      await bank.authority.probe();
      assert.deepEqual([bank.asked.length, settlements(bank)], [1, []]);
      assert.equal(typesOf(bank).includes('call.settled'), false);
    });
  }

  test('that is killed is not asked', async () => {
    const bank = await unknown();
    await setKill(bank.ledger, bank.world, { target: 'tool:bank.find', reason: 'r', by: 'os:x' });
    await bank.authority.probe();
    assert.deepEqual(bank.asked, []);
  });

  test('that settles nothing is asked again after growing pauses', async () => {
    const bank = await unknown();
    const at: number[] = [];
    for (let second = 0; second < 40; second += 1) {
      const before = bank.asked.length;
      await bank.authority.probe();
      if (bank.asked.length > before) at.push(second);
      bank.world.advance(1_000);
    }
    assert.deepEqual(at, [0, 2, 6, 14, 30]);
  });
});
