/** The table of docs/ledger.md (Keys): a test for each of its rows, under the row's own words. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { type Opening, openWorld } from '../../test/authority-world.ts';
import type { Answer, Performed } from './answer.ts';
import { approve, refuse } from './approve.ts';
import type { Proposal } from './proposal.ts';
import { settle } from './settle.ts';

const POLICY = `
interlock: 1
tools:
  bank.pay:
    input: { type: object, required: [charge, amount], properties: { charge: {type: string}, amount: {type: integer} } }
    key: args.charge
  bank.send: { input: { type: object, required: [amount], properties: { amount: {type: integer} } } }
  bank.odd:
    input: { type: object, required: [n], properties: { n: {type: integer} } }
    key: "args.n == 0 ? '' : string(10 / (args.n - 1))"
retention: { bodies: 1h }
approvals: { signed: false }
rules:
  - allow: bank.*
  - { ask: bank.pay, when: args.amount > 10, expires: 30m }
  - { ask: bank.send, when: args.amount > 10, expires: 30m }
`;
const PAY = { charge: 'ch_1', amount: 1 };
const ASK = { charge: 'ch_2', amount: 11 };
const LOST: Performed = { kind: 'unknown', reason: 'lost' };
const REFUSED: Performed = { kind: 'not-started', reason: 'refused' };

const open = (): Promise<Opening> => openWorld({ policy: POLICY });

/** What the caller is told: a code, else the state; and whether it is a replay. */
const told = ({ decision, state, replayed }: Answer): string =>
  `${decision?.code ?? state}${replayed ? ', replayed' : ''}`;

const pay = async (world: Opening, args = PAY, more: Partial<Proposal> = {}): Promise<string> =>
  told(await world.call('bank.pay', args, more));

async function unknown(world: Opening): Promise<string> {
  const { call } = await world.call('bank.pay', PAY, { perform: async () => LOST });
  return call;
}

async function settled(world: Opening, as: 'executed' | 'not-executed', output?: string): Promise<void> {
  const call = await unknown(world);
  // Its process is gone.
  world.disk.alive.delete(world.ledger.instance);
  const desk = await openWorld({ ...world, policy: POLICY });
  const said = output === undefined ? {} : { output };
  const answer = await settle(desk.ledger, desk, { call, as, by: 'os:ann', reason: 'looked', ...said });
  assert.equal(answer.ok, true);
  world.disk.alive.add(world.ledger.instance);
}

/** A call that runs until `end` is called with how it ended. */
function running(world: Opening, tool: string, args: Proposal['args']) {
  const gate = Promise.withResolvers<Performed>();
  const answered = world.call(tool, args, { perform: () => gate.promise });
  return { answered, end: (performed: Performed) => gate.resolve(performed) };
}

/** Resolves once nothing moves any more but what waits for something outside. */
async function still(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
}

const DONE: Performed = { kind: 'succeeded', output: { done: 1 } };

/** By the first cell of the row. */
const ROWS: Readonly<Record<string, (world: Opening) => Promise<void>>> = {
  'same key, same call, succeeded or failed': async (world) => {
    await pay(world, PAY, { perform: async () => ({ kind: 'failed', output: { isError: true } }) });
    assert.equal(await pay(world), 'failed, replayed');
    await pay(world, { ...PAY, charge: 'ch_3' });
    assert.equal(await pay(world, { ...PAY, charge: 'ch_3' }), 'succeeded, replayed');
    assert.equal(world.effects.length, 1);
  },
  'same key, `not-started` or settled as not executed': async (world) => {
    await pay(world, PAY, { perform: async () => REFUSED });
    assert.equal(await pay(world), 'succeeded');
    const next = await open();
    await settled(next, 'not-executed');
    assert.equal(await pay(next), 'succeeded');
    const attempts = next.entries().filter(({ type }) => type === 'call.intent');
    assert.equal(new Set(attempts.map((entry) => entry['attempt'])).size, 2);
    assert.equal(new Set(attempts.map((entry) => entry['call'])).size, 1);
  },
  'same key, still running': async (world) => {
    const first = running(world, 'bank.pay', PAY);
    await still();
    const leaving = new AbortController();
    const sibling = await openWorld({ ...world, policy: POLICY });
    const impatient = sibling.call('bank.pay', PAY, { signal: leaving.signal });
    const waiting = pay(world);
    await still();
    leaving.abort();
    const handle = await impatient;
    first.end(DONE);
    assert.deepEqual([told(handle), handle.call], ['running, replayed', (await first.answered).call]);
    assert.equal(await waiting, 'succeeded, replayed');
  },
  'same key, different call': async (world) => {
    await pay(world);
    assert.equal(await pay(world, { ...PAY, amount: 2 }), 'key-conflict');
    await world.call('bank.send', { amount: 1 }, { key: 'k' });
    assert.equal(told(await world.call('bank.send', { amount: 2 }, { key: 'k' })), 'key-conflict');
    assert.equal(await pay(world, { ...PAY, charge: 'ch_4' }, { key: 'k' }), 'key-conflict');
    assert.equal(await pay(world, PAY, { key: 'k' }), 'key-conflict', 'two keys of two calls');
  },
  "the operator's key, another principal": async (world) => {
    const { output } = await world.call('bank.pay', PAY);
    assert.ok(output !== undefined);
    const other = await world.call('bank.pay', PAY, { principal: 'other' });
    assert.deepEqual([told(other), other.output], ['key-taken', undefined]);
  },
  'same key, parked': async (world) => {
    const parked = await world.call('bank.pay', ASK);
    const again = await world.call('bank.pay', ASK);
    assert.deepEqual([told(again), again.call], ['asked', parked.call]);
    await approve(world.ledger, world.world, { call: parked.call, by: 'os:ann', unsigned: true });
    const run = await world.call('bank.pay', ASK);
    assert.deepEqual([told(run), run.call], ['succeeded', parked.call]);
  },
  'same key, its approval refused or expired': async (world) => {
    const { call } = await world.call('bank.pay', ASK);
    await refuse(world.ledger, world.world, { call, by: 'os:ann', reason: 'no' });
    assert.equal(await pay(world, ASK), 'approval-refused, replayed');
    assert.equal(await pay(world, { ...ASK, amount: 1 }), 'succeeded');
    await pay(world, { ...ASK, charge: 'ch_5' });
    world.world.advance(1_800_000);
    assert.equal(await pay(world, { ...ASK, charge: 'ch_5' }), 'approval-expired');
    assert.equal(await pay(world, { charge: 'ch_5', amount: 1 }), 'succeeded');
  },
  'same key, `unknown`': async (world) => {
    const call = await unknown(world);
    const answer = await world.call('bank.pay', PAY);
    assert.deepEqual([told(answer), answer.call, world.effects.length], ['outcome-unknown, replayed', call, 0]);
    assert.match(answer.sentence ?? '', /interlock settle/u);
  },
  'same key, settled as executed': async (world) => {
    await settled(world, 'executed', 'it was paid');
    const answer = await world.call('bank.pay', PAY);
    assert.equal(told(answer), 'settled-executed, replayed');
    assert.match(JSON.stringify(answer.output), /it was paid/u);
  },
  'same key, ended longer ago than `retention`': async (world) => {
    await pay(world);
    await pay(world, { ...PAY, charge: 'ch_6' }, { perform: async () => REFUSED });
    world.world.advance(7_200_000);
    assert.equal(await world.authority.expire(), 2);
    assert.equal(await pay(world), 'erased, replayed');
    assert.equal(await pay(world, { ...PAY, charge: 'ch_6' }), 'succeeded');
  },
  'same key, and the result held a secret, some time ago': async (world) => {
    const output = { token: `ghp_${'aB3dE5gH7jK9'.repeat(3)}` };
    await pay(world, PAY, { perform: async () => ({ kind: 'succeeded', output }) });
    assert.equal(await pay(world), 'succeeded, replayed');
    world.world.advance(10 * 60_000);
    assert.equal(await pay(world), 'result-redacted, replayed');
    assert.equal(world.effects.length, 0);
  },
  'no key, and an equal call with effects is running or unknown': async (world) => {
    const first = running(world, 'bank.send', { amount: 1 });
    await still();
    const twin = (): Promise<Answer> => world.call('bank.send', { amount: 1 });
    assert.equal(told(await twin()), 'twin-unsettled');
    assert.equal(told(await world.call('bank.send', { amount: 2 })), 'succeeded', 'another call is none');
    assert.equal(told(await world.call('bank.send', { amount: 1 }, { principal: 'other' })), 'succeeded');
    first.end(LOST);
    const { call } = await first.answered;
    const again = await twin();
    assert.deepEqual([told(again), again.call, again.state], ['twin-unsettled', call, 'unknown']);
    await settle(world.ledger, world, { call, as: 'executed', by: 'os:ann', reason: 'looked' });
    assert.equal(told(await twin()), 'succeeded', 'two equal payments may both be meant');
  },
  'no key, and an equal call is parked': async (world) => {
    const parked = await world.call('bank.send', { amount: 11 });
    const again = await world.call('bank.send', { amount: 11 });
    assert.deepEqual([told(again), again.call], ['asked', parked.call]);
    await approve(world.ledger, world.world, { call: parked.call, by: 'os:ann', unsigned: true });
    const run = await world.call('bank.send', { amount: 11 });
    assert.deepEqual([told(run), run.call, world.effects.length], ['succeeded', parked.call, 1]);
  },
};

describe('keys', () => {
  test('have a test for every row of their table, and a row for every test [R-keys]', () => {
    const page = readFileSync(new URL('../../docs/ledger.md', import.meta.url), 'utf8');
    const table = page.slice(
      page.indexOf('| situation | answer |'),
      page.indexOf('A call with effects and without any key'),
    );
    const rows = table
      .split('\n')
      .slice(2)
      .filter((line) => line.startsWith('|'));
    assert.deepEqual(
      rows.map((line) => line.split('|')[1]?.trim()),
      Object.keys(ROWS),
    );
  });

  for (const [row, holds] of Object.entries(ROWS)) {
    test(`${row} [R-keys]`, async () => holds(await open()));
  }

  test('that err or are empty deny the call, and nothing is consumed', async () => {
    const world = await open();
    for (const n of [0, 1]) {
      const answer = await world.call('bank.odd', { n });
      assert.equal(told(answer), 'obligation-failed');
    }
    assert.equal(world.effects.length, 0);
    assert.equal(told(await world.call('bank.odd', { n: 2 })), 'succeeded');
  });

  test('are stored as HMACs only, and no hash of the arguments is', async () => {
    const world = await open();
    await world.call('bank.pay', { charge: 'a charge nobody may read', amount: 1 }, { key: 'a key nobody may read' });
    const [row] = world.disk.tables.rows();
    assert.equal(row?.keys.length, 2);
    for (const key of row?.keys ?? []) assert.match(key, /^h_[\w-]{43}$/u);
    const other = await open();
    await other.call('bank.pay', { charge: 'a charge nobody may read', amount: 1 }, { key: 'a key nobody may read' });
    const [same] = other.disk.tables.rows();
    assert.deepEqual(same?.keys, row?.keys, 'one vault, one key');
    assert.notDeepEqual(same?.fingerprint, row?.fingerprint, 'the salt is the row’s own');
  });
});
