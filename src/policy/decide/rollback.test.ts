import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brief, EVENING, policyOf, requestOf } from '../../../test/sample-policy.ts';
import { PARKED_MAX } from '../meter/charge.ts';
import { decide, needs, questionOf } from './decide.ts';
import { ROLLBACK_KEY } from './rollback.ts';

const KEY = 'ed25519:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=';
const POLICY = policyOf(`principals: { bot: {}, ann: { key: "${KEY}" }, bob: { key: "${KEY}" } }
tools: { files.read: { effect: read } }
rules:
  - allow: "*"
  - { ask: bank.refund, approvers: [bob] }
  - deny: bank.pay
    when: args.amount > 9
`);
const RESTORED = new Map([[ROLLBACK_KEY, 1]]);

const signed = (by: string) => ({ by, how: 'signed', expires: EVENING + 60_000 }) as const;

function after(tool: string, args = {}, facts = RESTORED, approved?: readonly ReturnType<typeof signed>[]): string {
  const request = requestOf(tool, args, { principal: 'bot' });
  return brief(decide(POLICY, request, facts, approved === undefined ? {} : { approved }));
}

test('after a rollback was accepted what rules allow is asked about, but for reads; what they deny stays denied', () => {
  assert.equal(after('bank.pay', { amount: 1 }), 'ask asked [ledger/rollback]');
  assert.equal(after('bank.refund'), 'ask asked [rules/1 ledger/rollback]');
  assert.equal(after('bank.pay', { amount: 10 }), 'deny denied-by-rule [rules/2]');
  assert.equal(after('files.read'), 'allow allowed [rules/0]');
  assert.equal(after('bank.pay', { amount: 1 }, new Map([[ROLLBACK_KEY, 0]])), 'allow allowed [rules/0]');
});

test('somebody else than the requester who can sign answers it, and each rule that asks wants its own answer', () => {
  const [ann, bob, bot] = [signed('ann'), signed('bob'), signed('bot')];
  assert.equal(after('bank.pay', { amount: 1 }, RESTORED, [ann]), 'allow allowed [rules/0]');
  assert.equal(after('bank.pay', { amount: 1 }, RESTORED, [bot]), 'ask asked [ledger/rollback]');
  assert.equal(after('bank.refund', {}, RESTORED, [ann]), 'ask asked [rules/1 ledger/rollback]');
  assert.equal(after('bank.refund', {}, RESTORED, [bob]), 'allow allowed [rules/0]');
  const request = requestOf('bank.refund', {}, { principal: 'bot' });
  const question = questionOf(POLICY, request, decide(POLICY, request, RESTORED));
  assert.deepEqual([question.approvers, question.quorum, question.notRequester], [['bob'], 1, true]);
});

test('an approval given meanwhile is not needed any more once the acceptance is lifted', () => {
  assert.equal(after('bank.pay', { amount: 1 }, new Map(), []), 'allow allowed [rules/0]');
});

test('a decision needs the fact for calls with effects, carries it, and no rule of a file can be named like it', () => {
  const request = requestOf('bank.pay', { amount: 1 }, { principal: 'bot' });
  assert(needs(POLICY, request).includes(ROLLBACK_KEY));
  assert(!needs(POLICY, requestOf('files.read', {}, { principal: 'bot' })).includes(ROLLBACK_KEY));
  assert.deepEqual(decide(POLICY, request, RESTORED).facts, { [ROLLBACK_KEY]: 1 });
  assert.throws(() => policyOf('rules:\n  - { id: ledger/rollback, allow: "*" }\n'), /ledger\//u);
});

test('a principal cannot have more such questions waiting than others', () => {
  const full = new Map([...RESTORED, ['parked/principal=bot', PARKED_MAX]]);
  assert.equal(after('bank.pay', { amount: 1 }, full), 'deny approval-unavailable []');
});
