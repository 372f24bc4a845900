import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brief, EVENING, policyOf, requestOf } from '../../../test/sample-policy.ts';
import { decide, questionOf } from '../decide/decide.ts';
import type { Approval } from '../decide/decide.ts';

const KEY = 'ed25519:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=';
const PEOPLE = `principals:
  bot: {}
  ann: { roles: [finance], key: "${KEY}" }
  bob: { roles: [finance, legal], key: "${KEY}" }
  cid: { key: "${KEY}" }
  dan: { roles: [finance] }
`;
const LATER = EVENING + 60_000;

const INTERACTIVE = 'approvals: { interactive: true }\n';

/** What becomes of a call of `bot` that `ask` asks about, given these answers. */
function outcome(ask: string, given: readonly (string | Approval)[], top = '', principal = 'bot'): string {
  const policy = policyOf(`${PEOPLE}${top}rules:\n  - allow: "*"\n${ask}`);
  const approved = given.map((each) =>
    typeof each === 'string' ? ({ by: each, how: 'signed', expires: LATER } as const) : each,
  );
  return brief(decide(policy, requestOf('bank.pay', {}, { principal }), new Map(), { approved }));
}

const asks = (...fields: string[]): string => fields.map((each) => `  - { ask: bank.pay${each} }\n`).join('');
const ALLOWED = 'allow allowed [rules/0]';
const ASKED = 'ask asked [rules/1]';

test('an approver by id or by role turns the question into an allow, anybody else does not', () => {
  const ask = asks(', approvers: [finance, cid]');
  assert.equal(outcome(ask, []), ASKED);
  for (const by of ['ann', 'bob', 'cid']) assert.equal(outcome(ask, [by]), ALLOWED, by);
  for (const by of ['bot', 'eve', 'finance', 'requester', '__proto__', 'constructor', '', 'Ann']) {
    assert.equal(outcome(ask, [by]), ASKED, by);
  }
  assert.equal(outcome(ask, ['dan']), ASKED, 'in the role, but without a key nobody can have signed for him');
  assert.equal(outcome(ask, ['eve', 'ann']), ALLOWED);
});

test('without approvers anybody may answer who can sign', () => {
  assert.equal(outcome(asks(''), ['cid']), ALLOWED);
  assert.equal(outcome(asks(''), ['bot']), ASKED);
});

test('a quorum wants different people', () => {
  const ask = asks(', approvers: [finance], quorum: 2');
  assert.equal(outcome(ask, ['ann']), ASKED);
  assert.equal(outcome(ask, ['ann', 'ann']), ASKED);
  assert.equal(outcome(ask, ['ann', 'cid']), ASKED);
  assert.equal(outcome(ask, ['ann', 'bob']), ALLOWED);
});

test('the requester does not count where another person is wanted, and does where it is named', () => {
  const own = asks(', approvers: [finance], notRequester: true');
  assert.equal(outcome(own, ['ann'], '', 'ann'), ASKED);
  assert.equal(outcome(own, ['bob'], '', 'ann'), ALLOWED);
  const requester = asks(', approvers: [requester]');
  assert.equal(outcome(requester, ['cid'], '', 'cid'), ALLOWED);
  assert.equal(outcome(requester, ['ann'], '', 'cid'), ASKED);
  const roled = asks(', approvers: [finance]');
  assert.equal(outcome(roled, ['ann'], '', 'ann'), ALLOWED, 'an approver may have asked, unless the rule says not');
});

test('nobody becomes the requester by being called so', () => {
  const people = `principals: { bot: {}, requester: { roles: [requester], key: "${KEY}" } }\n`;
  const policy = policyOf(`${people}rules:\n  - allow: "*"\n  - { ask: bank.pay, approvers: [requester] }\n`);
  const approved = [{ by: 'requester', how: 'signed', expires: LATER }] as const;
  const decision = decide(policy, requestOf('bank.pay', {}, { principal: 'bot' }), new Map(), { approved });
  assert.equal(brief(decision), ASKED);
});

test('every rule that asks must be satisfied', () => {
  const ask = asks(', approvers: [finance]', ', approvers: [legal], notRequester: true');
  assert.equal(outcome(ask, ['ann']), 'ask asked [rules/1 rules/2]');
  assert.equal(outcome(ask, ['bob']), ALLOWED, 'one person may hold both roles');
  assert.equal(outcome(ask, ['cid', 'dan']), 'ask asked [rules/1 rules/2]');
});

test('an expired answer dispatches nothing, and says so where it was what lacked', () => {
  const old: Approval = { by: 'ann', how: 'signed', expires: EVENING };
  const good: Approval = { ...old, expires: EVENING + 1 };
  const ask = asks(', approvers: [finance]');
  assert.equal(outcome(ask, [old]), 'deny approval-expired []');
  assert.equal(outcome(ask, [good]), ALLOWED);
  assert.equal(outcome(ask, [old, 'bob']), ALLOWED);
  assert.equal(outcome(ask, [{ ...old, by: 'cid' }]), ASKED);
  assert.equal(outcome(ask, [{ ...old, expires: Number.NaN }]), 'deny approval-expired []');
});

test('the word of the operating-system user counts only where signatures are not wanted', () => {
  const by = (name: string): Approval => ({ by: name, how: 'unsigned', expires: LATER });
  const unsigned = 'approvals: { signed: false }\n';
  assert.equal(outcome(asks(''), [by('ann')]), ASKED);
  assert.equal(outcome(asks(''), [by('ann')], unsigned), ALLOWED);
  assert.equal(outcome(asks(''), [by('local')], unsigned), ALLOWED);
  assert.equal(outcome(asks(''), [by('eve')], unsigned), ASKED, 'nobody the policy knows');
  assert.equal(outcome(asks(', approvers: [finance]'), [by('dan')], unsigned), ALLOWED);
  assert.equal(outcome(asks(', approvers: [finance]'), [by('local')], unsigned), ASKED);
});

test('what the caller’s host fetched counts for the requester alone, and never for a role, a quorum or another person', () => {
  const own: Approval = { by: 'ann', how: 'elicited', expires: LATER };
  const ask = asks(', approvers: [requester, legal]');
  assert.equal(outcome(ask, [own], INTERACTIVE, 'ann'), ALLOWED);
  assert.equal(outcome(ask, [own], '', 'ann'), ASKED, 'the host is not known to be interactive');
  assert.equal(outcome(ask, [own], INTERACTIVE, 'bot'), ASKED, 'not its own call');
  assert.equal(outcome(asks(', approvers: [finance]'), [own], INTERACTIVE, 'ann'), ASKED);
  assert.equal(outcome(asks(''), [own], INTERACTIVE, 'ann'), ASKED);
  assert.equal(outcome(asks(', approvers: [requester, legal], quorum: 2'), [own, 'bob'], INTERACTIVE, 'ann'), ASKED);
  assert.equal(outcome(asks(', approvers: [requester, legal], notRequester: true'), [own], INTERACTIVE, 'ann'), ASKED);
  const both = asks(', approvers: [requester]', ', approvers: [legal]');
  assert.equal(outcome(both, [own], INTERACTIVE, 'ann'), 'ask asked [rules/1 rules/2]');
  assert.equal(outcome(both, [own, 'bob'], INTERACTIVE, 'ann'), ALLOWED);
});

test('an approval lifts no other gate, and only then the call is charged', () => {
  const money = `budgets: { money: { limit: 10, unit: usd, window: 24h } }\ntools: { bank.pay: { cost: { money: args.amount } } }\n`;
  const policy = policyOf(
    `${PEOPLE}${money}rules:\n  - allow: "*"\n  - { ask: bank.pay, approvers: [finance] }\n  - { deny: bank.pay, when: args.amount == 3 }\n`,
  );
  const approved = [{ by: 'ann', how: 'signed', expires: LATER }] as const;
  const day = 'budget/money/all@2026-11-20T00:00:00.000Z';
  const decided = (amount: number, facts: Readonly<Record<string, number>> = {}): ReturnType<typeof decide> =>
    decide(policy, requestOf('bank.pay', { amount }, { principal: 'bot' }), new Map(Object.entries(facts)), {
      approved,
    });
  assert.deepEqual(decided(10).reservation?.reserved, { [day]: 10 });
  assert.equal(decided(10).explanation, 'bank.pay is allowed by rules/0, and what rules/1 asked has been approved');
  assert.equal(decided(3).code, 'denied-by-rule');
  assert.equal(decided(11).code, 'budget-exhausted');
  assert.equal(decided(10, { [day]: 1 }).code, 'budget-exhausted');
  assert.equal(decided(10, { 'kill/principal:bot': 1 }).code, 'kill-switch');
  assert.equal(decided(10, { 'parked/principal=bot': 1_000 }).code, 'allowed');
});

test('answers to what is not asked, or not allowed, change nothing', () => {
  assert.equal(outcome('', ['ann']), ALLOWED);
  const policy = policyOf(`${PEOPLE}rules:\n  - { ask: bank.pay, approvers: [finance] }\n`);
  const approved = [{ by: 'ann', how: 'signed', expires: LATER }] as const;
  const decision = decide(policy, requestOf('bank.pay', {}, { principal: 'bot' }), new Map(), { approved });
  assert.equal(brief(decision), 'deny no-rule []', 'an `ask` only restricts');
});

test('a question is what all its rules want together', () => {
  const question = (ask: string): ReturnType<typeof questionOf> => {
    const policy = policyOf(`${PEOPLE}rules:\n  - allow: "*"\n${ask}`);
    const request = requestOf('bank.pay', { amount: 1 }, { principal: 'bot' });
    return questionOf(policy, request, decide(policy, request));
  };
  assert.deepEqual(question(asks('')), {
    approvers: [],
    quorum: 1,
    notRequester: false,
    requester: false,
    expiresMs: 86_400_000,
  });
  assert.deepEqual(
    question(
      asks(
        ', approvers: [finance, requester], quorum: 2, expires: 30m',
        ', approvers: [legal], notRequester: true',
        ', expires: 2h, when: args.amount > 5',
      ),
    ),
    { approvers: ['finance', 'legal'], quorum: 2, notRequester: true, requester: false, expiresMs: 1_800_000 },
  );
  assert.deepEqual(question(asks(', approvers: [requester, finance]')), {
    approvers: ['finance'],
    quorum: 1,
    notRequester: false,
    requester: true,
    expiresMs: 86_400_000,
  });
  assert.equal(question(asks(', approvers: [requester]', '')).requester, false);
});
