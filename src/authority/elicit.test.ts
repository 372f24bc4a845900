import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANN, answer, askingPolicy, PAY } from '../../test/approvers.ts';
import { type Opening, claimed, openWorld, overriding, typesOf } from '../../test/authority-world.ts';
import { LedgerError } from '../ledger/ledger.ts';
import type { Answer } from './answer.ts';
import { setKill } from './kill.ts';
import type { Elicit, HostQuestion } from './proposal.ts';

const INTERACTIVE = '\napprovals: { interactive: true }\n';
const OWN = `${askingPolicy('approvers: [requester, finance]\n    because: payments are looked at\n    expires: 30m')}${INTERACTIVE}`;

interface Said {
  readonly done: Answer;
  readonly asked: readonly HostQuestion[];
}

async function pay(world: Opening, elicit: Elicit, more: { readonly signal?: AbortSignal } = {}): Promise<Said> {
  const asked: HostQuestion[] = [];
  const asking: Elicit = (question) => {
    asked.push(question);
    return elicit(question);
  };
  return { done: await world.call('bank.pay', PAY, { elicit: asking, ...more }), asked };
}

test('a person at the host who accepts is asked about exactly the call, which then runs in the same request [R-elicit]', async () => {
  const world = await openWorld({ policy: OWN });
  const { done, asked } = await pay(world, async () => 'accept');
  assert.deepEqual([done.state, done.replayed, world.effects], ['succeeded', false, [PAY]]);
  const [{ tool, args, because, call } = { tool: '', args: {}, because: [], call: '' }] = asked;
  assert.deepEqual([tool, args, because, call], ['bank.pay', PAY, ['payments are looked at'], done.call]);
  assert.deepEqual(typesOf(world), ['call.parked', 'call.approved', 'call.intent', 'call.succeeded']);
  const entry = world.entries().find(({ type }) => type === 'call.approved');
  assert.deepEqual([entry?.['by'], entry?.['unsigned'], entry?.['interactive']], ['local', true, true]);
  await claimed(world);
  assert.equal(world.effects.length, 1);
});

test('a person at the host who declines refuses the call and frees its key [R-elicit]', async () => {
  const world = await openWorld({ policy: OWN });
  const { done } = await pay(world, async () => 'decline');
  assert.deepEqual([done.state, done.decision?.code, world.effects], ['denied', 'approval-refused', []]);
  const entry = world.entries().find(({ type }) => type === 'call.refused');
  assert.deepEqual([entry?.['by'], entry?.['interactive']], ['local', true]);
  assert.equal((await world.call('bank.pay', { ...PAY, amount: 5 })).state, 'succeeded');
});

for (const [name, text] of [
  ['names other people only', `${askingPolicy('approvers: [finance]')}${INTERACTIVE}`],
  ['names nobody', `${askingPolicy('')}${INTERACTIVE}`],
  ['wants two people', `${askingPolicy('approvers: [requester, finance]\n    quorum: 2')}${INTERACTIVE}`],
  [
    'does not take the requester',
    `${askingPolicy('approvers: [requester, finance]\n    notRequester: true')}${INTERACTIVE}`,
  ],
  [
    'stands beside one that names other people',
    `${askingPolicy('approvers: [requester]')}  - { ask: bank.pay, approvers: [finance] }${INTERACTIVE}`,
  ],
  ['is of a host that is not marked as interactive', askingPolicy('approvers: [requester]')],
] as const) {
  test(`the person at the host is not asked where a rule ${name} [R-elicit]`, async () => {
    const world = await openWorld({ policy: text });
    const { done, asked } = await pay(world, async () => 'accept');
    assert.deepEqual([done.state, asked.length, world.effects, typesOf(world)], ['parked', 0, [], ['call.parked']]);
    // A host that writes such an answer all the same is not believed.
    const digest = (await world.ledger.call(done.call))?.approval?.digest ?? '';
    const fields = { call: done.call, by: 'local', digest, unsigned: true, interactive: true };
    await world.ledger.append({ entries: [{ id: done.call, type: 'call.approved', fields }] });
    assert.equal((await pay(world, async () => 'accept')).done.state, 'parked');
    assert.deepEqual(world.effects, []);
  });
}

test('what is no answer leaves the call parked, and it can be asked about again', async () => {
  const world = await openWorld({ policy: OWN });
  assert.equal((await pay(world, async () => 'nothing')).done.state, 'parked');
  assert.deepEqual(typesOf(world), ['call.parked']);
  assert.equal((await pay(world, async () => 'accept')).done.state, 'succeeded');
});

test('a timeout is never a yes, not even when one comes late [R-elicit]', async () => {
  const world = await openWorld({ policy: OWN });
  const late = Promise.withResolvers<'accept'>();
  const asking = pay(world, () => late.promise);
  while (typesOf(world).length === 0) await new Promise(setImmediate);
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  world.world.advance(600_000);
  assert.equal((await asking).done.state, 'parked');
  late.resolve('accept');
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  await claimed(world);
  assert.deepEqual([typesOf(world), world.effects], [['call.parked'], []]);
});

test('a caller that gives up while the person is asked gets no call made, whatever is said', async () => {
  const world = await openWorld({ policy: OWN });
  const patience = new AbortController();
  const elicit: Elicit = async () => {
    patience.abort();
    return 'accept';
  };
  assert.equal((await pay(world, elicit, { signal: patience.signal })).done.state, 'parked');
  await claimed(world);
  assert.deepEqual([typesOf(world), world.effects], [['call.parked'], []]);
});

test('an answer from elsewhere ends the question, and the waiting request gets the result', async () => {
  const world = await openWorld({ policy: OWN });
  const asked = Promise.withResolvers<HostQuestion>();
  const asking = pay(world, (question) => {
    asked.resolve(question);
    return new Promise(() => {});
  });
  const { call, signal } = await asked.promise;
  await answer(world, call, ANN);
  await claimed(world);
  assert.equal(world.effects.length, 1);
  await claimed(world);
  assert.equal(signal.aborted, true);
  const { done } = await asking;
  assert.deepEqual([done.state, done.call, done.replayed, world.effects.length], ['succeeded', call, true, 1]);
});

test('the same call asked for twice at once puts one question and has one effect', async () => {
  const world = await openWorld({ policy: OWN });
  const yes = Promise.withResolvers<'accept'>();
  const first = pay(world, () => yes.promise);
  const second = pay(world, () => yes.promise);
  for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
  yes.resolve('accept');
  const both = await Promise.all([first, second]);
  assert.deepEqual(
    both.map(({ done }) => done.state),
    ['succeeded', 'succeeded'],
  );
  assert.deepEqual([both.flatMap(({ asked }) => asked).length, world.effects.length], [1, 1]);
});

test('what was accepted is decided again: a kill switch still wins', async () => {
  const world = await openWorld({ policy: OWN });
  const { done } = await pay(world, async () => {
    await setKill(world.ledger, world.world, { target: 'all', reason: 'smoke', by: 'os:x' });
    return 'accept';
  });
  assert.deepEqual([done.decision?.code, world.effects], ['kill-switch', []]);
});

test('an answer that cannot be recorded was not given', async () => {
  const world = await openWorld({
    policy: OWN,
    between: (ledger) =>
      overriding(ledger, {
        transact: (reads, compose) =>
          ledger.transact(reads, (facts) => {
            const composed = compose(facts);
            if (composed.writes?.entries.some(({ type }) => type === 'call.approved') === true) {
              throw new LedgerError('busy', 'the queue is full');
            }
            return composed;
          }),
      }),
  });
  assert.equal((await pay(world, async () => 'accept')).done.state, 'parked');
  assert.deepEqual(world.effects, []);
});
