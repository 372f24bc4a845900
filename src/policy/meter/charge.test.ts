import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALLOW_ALL, brief, compiled, EVENING, policyOf, requestOf, reservedOn } from '../../../test/sample-policy.ts';
import { PARKED_MAX } from './charge.ts';
import { admitCaller, charge, decide, explain, judge, needs } from '../decide/decide.ts';
import type { Request } from '../decide/decision.ts';
import { ROLLBACK_KEY } from '../decide/rollback.ts';

const MONEY = `budgets:
  money: { limit: 100, unit: usd-cents, per: [principal], window: 24h }
tools:
  bank.pay: { cost: { money: args.amount } }
`;
const DAY = 'budget/money/principal=local@2026-11-20T00:00:00.000Z';
const HOUR_MS = 3_600_000;

function facts(values: Readonly<Record<string, number>>): ReadonlyMap<string, number> {
  return new Map(Object.entries(values));
}

test('a call is charged to its budget before it runs, and denied when there is no room', () => {
  const policy = policyOf(MONEY + ALLOW_ALL);
  const pay = (amount: number, spent: number): ReturnType<typeof decide> =>
    decide(policy, requestOf('bank.pay', { amount }), facts({ [DAY]: spent }));
  assert.deepEqual(pay(40, 60).reservation, { reserved: { [DAY]: 40 }, rates: {}, slots: [] });
  assert.equal(brief(pay(40, 60)), 'allow allowed [rules/0]');
  const denied = pay(41, 60);
  assert.deepEqual(
    [brief(denied), denied.retryable, denied.reservation],
    ['deny budget-exhausted []', true, undefined],
  );
  assert.equal(
    denied.explanation,
    'bank.pay is denied: the budget money has no room for it now; a smaller or a later call may be allowed',
  );
  assert.deepEqual(denied.facts, { [DAY]: 60 });
  assert.equal(brief(pay(0, 100)), 'allow allowed [rules/0]', 'what costs nothing needs no room');
  assert.deepEqual(pay(0, 100).reservation?.reserved, { [DAY]: 0 });
  assert.equal(brief(pay(0, 101)), 'deny budget-exhausted []', 'after an overrun the budget is shut');
  assert.equal(decide(policy, requestOf('bank.refund')).reservation, undefined, 'other tools take nothing');
});

test('a budget of zero is shut for whatever costs anything', () => {
  const policy = policyOf(MONEY.replace('limit: 100', 'limit: 0') + ALLOW_ALL);
  assert.equal(decide(policy, requestOf('bank.pay', { amount: 1 })).code, 'budget-exhausted');
  assert.equal(decide(policy, requestOf('bank.pay', { amount: 0 })).code, 'allowed');
});

test('an amount that is negative, fractional, huge or none is denied, whatever is left', () => {
  const deny = (cost: string, args: Parameters<typeof requestOf>[1]): string => {
    const policy = policyOf(MONEY.replace('args.amount', cost) + ALLOW_ALL);
    const decision = decide(policy, requestOf('bank.pay', args));
    assert.equal(decision.code, 'obligation-failed', cost);
    assert.equal(decision.reservation, undefined);
    return decision.explanation.replace(/^.*`, /u, '');
  };
  assert.equal(deny('args.amount', { amount: -1 }), 'is negative');
  assert.equal(deny('args.rate', { rate: 0.5 }), 'is no whole number');
  assert.equal(deny('args.rate', { rate: -0.5 }), 'is negative');
  assert.equal(deny('args.rate', { rate: 1e300 }), 'is more than 2^53-1');
  assert.equal(deny('args.rate / 0.0', { rate: 1 }), 'is no finite number');
  assert.equal(deny('args.rate / 0.0', { rate: 0 }), 'is no finite number');
  assert.equal(deny('args.amount * 2', { amount: Number.MAX_SAFE_INTEGER }), 'is more than 2^53-1');
  assert.match(deny('args.amount * args.amount', { amount: Number.MAX_SAFE_INTEGER }), /^cannot be evaluated/);
  assert.match(deny('args.amount', {}), /^cannot be evaluated/);
  assert.match(deny('args.amount / args.amount', { amount: 0 }), /^cannot be evaluated/);
  for (const any of ['12', true, null, [1], { constructor: 1 }])
    assert.equal(deny('args.any', { any }), 'is no number');
  const fine = (cost: string, args: Parameters<typeof requestOf>[1]): number | undefined =>
    decide(policyOf(MONEY.replace('args.amount', cost) + ALLOW_ALL), requestOf('bank.pay', args)).reservation?.reserved[
      DAY
    ];
  assert.equal(fine('args.rate', { rate: 12 }), 12);
  assert.equal(fine('args.any', { any: 7 }), 7);
  assert.equal(fine('uint(args.amount)', { amount: 3 }), 3);
  assert.ok(Object.is(fine('args.rate', { rate: -0 }), 0));
});

test('what a tool costs cannot be told by arguments that come from nowhere', () => {
  const policy = policyOf(`${MONEY.replace('args.amount', 'args.any')}${ALLOW_ALL}`);
  const proto = JSON.parse('{"__proto__": {"any": 1}}') as Parameters<typeof requestOf>[1];
  assert.equal(decide(policy, requestOf('bank.pay', proto)).code, 'obligation-failed');
});

test('fixed windows begin at whole multiples of their length since 1970, and each has its own counter', () => {
  const policy = policyOf(`budgets:
  money: { limit: 9, unit: calls, window: 7h }
tools:
  bank.pay: { cost: { money: 1 } }
${ALLOW_ALL}`);
  const keyAt = (now: number): string | undefined =>
    needs(policy, requestOf('bank.pay', {}, { now })).find((key) => key.startsWith('budget/'));
  assert.equal(keyAt(0), 'budget/money/all@1970-01-01T00:00:00.000Z');
  assert.equal(keyAt(7 * HOUR_MS - 1), 'budget/money/all@1970-01-01T00:00:00.000Z');
  assert.equal(keyAt(7 * HOUR_MS), 'budget/money/all@1970-01-01T07:00:00.000Z');
  assert.equal(keyAt(-1), 'budget/money/all@1969-12-31T17:00:00.000Z');
  assert.equal(keyAt(EVENING), 'budget/money/all@2026-11-20T18:00:00.000Z');
  assert.equal(keyAt(EVENING - 1), 'budget/money/all@2026-11-20T11:00:00.000Z');
  assert.ok(keyAt(-62_167_219_200_000) !== undefined, 'the first moment that has a text');
  assert.ok(keyAt(253_402_300_799_999) !== undefined, 'the last one');
});

test('a rolling window is the bucket of now and sixty before it, and only the first is charged', () => {
  const policy = policyOf(`budgets:
  money: { limit: 10, unit: calls, window: 1h, rolling: true }
tools:
  bank.pay: { cost: { money: 1 } }
${ALLOW_ALL}`);
  const request = requestOf('bank.pay');
  const keys = needs(policy, request).filter((key) => key.startsWith('budget/'));
  assert.equal(keys.length, 61);
  assert.deepEqual(
    [keys[0], keys[1], keys[60]],
    [
      'budget/money/all@2026-11-20T18:00:00.000Z',
      'budget/money/all@2026-11-20T17:59:00.000Z',
      'budget/money/all@2026-11-20T17:00:00.000Z',
    ],
  );
  const old = keys[60] ?? '';
  assert.deepEqual(decide(policy, request, facts({ [old]: 9 })).reservation?.reserved, { [keys[0] ?? '']: 1 });
  assert.equal(decide(policy, request, facts({ [old]: 10 })).code, 'budget-exhausted');
  assert.equal(decide(policy, { ...request, now: EVENING + 60_000 }, facts({ [old]: 10 })).code, 'allowed');
});

test('the buckets of a rolling window that is no multiple of sixty hold at least all of it', () => {
  const policy = policyOf(`budgets:
  money: { limit: 1, unit: calls, window: 60001ms, rolling: true }
tools:
  bank.pay: { cost: { money: 1 } }
${ALLOW_ALL}`);
  const request = requestOf('bank.pay');
  const starts = needs(policy, request).flatMap((key) =>
    key.startsWith('budget/') ? [Date.parse(key.slice(-24))] : [],
  );
  const [first = 0, second = 0] = starts;
  assert.deepEqual([starts.length, first - second], [61, 1_001]);
  assert.ok(first <= EVENING && first > EVENING - 1_001);
});

test('several budgets are charged by one call, and one without room denies it all', () => {
  const policy = policyOf(`budgets:
  money: { limit: 100, unit: usd-cents, per: [principal, tool], window: 1h }
  calls: { limit: 2, unit: calls, window: 1h }
tools:
  bank.pay: { cost: { money: args.amount, calls: 1 } }
${ALLOW_ALL}`);
  const money = 'budget/money/principal=local,tool=bank.pay@2026-11-20T18:00:00.000Z';
  const calls = 'budget/calls/all@2026-11-20T18:00:00.000Z';
  const request = requestOf('bank.pay', { amount: 30 });
  assert.deepEqual(decide(policy, request).reservation?.reserved, { [money]: 30, [calls]: 1 });
  assert.equal(decide(policy, request, facts({ [calls]: 2 })).code, 'budget-exhausted');
  assert.equal(decide(policy, request, facts({ [money]: 71 })).code, 'budget-exhausted');
  const other = { ...request, principal: 'ann' };
  assert.equal(decide(policy, other, facts({ [money]: 100 })).code, 'allowed', 'each principal has its own');
});

const LIMITS = `limits:
  - { tools: "*", rate: 2/1s, per: [principal] }
  - { tools: "bank.*", concurrency: 1 }
  - { tools: "*", count: 3, per: [run] }
  - { tools: bank.pay, depth: 1 }
`;

test('limits take a time-stamp, a lease and a count, and deny with their codes', () => {
  const policy = policyOf(LIMITS + ALLOW_ALL);
  const request = requestOf('bank.refund');
  const { reservation } = decide(policy, request);
  const [rate = ''] = Object.keys(reservation?.rates ?? {});
  const [slot = ''] = reservation?.slots ?? [];
  const [count = ''] = Object.keys(reservation?.reserved ?? {});
  assert.match(rate, /^rate\/[0-9a-f]{16}\/principal=local$/);
  assert.match(slot, /^slots\/[0-9a-f]{16}\/all$/);
  assert.match(count, /^count\/[0-9a-f]{16}\/run=r$/);
  const taken = { reserved: { [count]: 1 }, rates: { [rate]: EVENING * 1_000 + 500_000 }, slots: [slot] };
  assert.deepEqual(reservation, taken);
  const codeWith = (values: Readonly<Record<string, number>>, more: Partial<Request> = {}): string =>
    decide(policy, { ...request, ...more }, facts(values)).code;
  assert.equal(codeWith({ [rate]: EVENING * 1_000 + 500_000 }), 'allowed');
  assert.equal(codeWith({ [rate]: EVENING * 1_000 + 500_001 }), 'rate-exceeded');
  assert.equal(codeWith({ [slot]: 1 }), 'concurrency-exceeded');
  assert.equal(codeWith({ [count]: 2 }), 'allowed');
  assert.equal(codeWith({ [count]: 3 }), 'budget-exhausted');
  assert.equal(codeWith({ [count]: 3 }, { run: { id: 'r2', depth: 0 } }), 'allowed', 'another run');
  assert.equal(codeWith({}, { tool: 'bank.pay', run: { id: 'r', depth: 1 } }), 'allowed');
  assert.equal(codeWith({}, { tool: 'bank.pay', run: { id: 'r', depth: 2 } }), 'depth-exceeded');
  assert.equal(codeWith({}, { tool: 'bank.pay', run: { id: 'r', depth: Number.NaN } }), 'depth-exceeded');
  assert.equal(codeWith({}, { run: { id: 'r', depth: 9 } }), 'allowed', 'another tool');
});

test('the gates come in their order: rules, obligations, depth, rate, concurrency, budget, count', () => {
  const policy = policyOf(`${MONEY}${LIMITS}rules:
  - allow: bank.pay
    when: args.name != "no"
`);
  const deep = { run: { id: 'r', depth: 2 } };
  const all = new Map(
    needs(policy, requestOf('bank.pay'))
      .filter((key) => !/^(?:kill|pin|clock)\//u.test(key))
      .map((key) => [key, 1e17]),
  );
  for (const [key] of all) if (key.startsWith('rate/')) all.set(key, EVENING * 2_000);
  const fullWith = (args: Parameters<typeof requestOf>[1], more: Partial<Request>, open: readonly string[]): string => {
    const values = [...all].filter(([key]) => !open.some((prefix) => key.startsWith(prefix)));
    return decide(policy, requestOf('bank.pay', args, more), new Map(values)).code;
  };
  const paid = { amount: 1, name: 'yes' };
  assert.equal(fullWith({ amount: -1, name: 'no' }, deep, []), 'no-rule');
  assert.equal(fullWith({ amount: -1, name: 'yes' }, deep, []), 'obligation-failed');
  assert.equal(fullWith(paid, deep, []), 'depth-exceeded');
  assert.equal(fullWith(paid, {}, []), 'rate-exceeded');
  assert.equal(fullWith(paid, {}, ['rate/']), 'concurrency-exceeded');
  assert.equal(fullWith(paid, {}, ['rate/', 'slots/']), 'budget-exhausted');
  assert.equal(fullWith(paid, {}, ['rate/', 'slots/', 'budget/']), 'budget-exhausted');
  assert.equal(fullWith(paid, {}, ['rate/', 'slots/', 'budget/', 'count/']), 'approval-unavailable');
  assert.equal(fullWith(paid, {}, ['rate/', 'slots/', 'budget/', 'count/', 'parked/']), 'asked');
  assert.equal(fullWith(paid, {}, ['rate/', 'slots/', 'budget/', 'count/', 'rollback/']), 'allowed');
});

test('a lease outlives an unknown outcome by what the operator says the tool needs', () => {
  const text = `tools: { bank.pay: { effectTimeout: 5m }, bank.refund: {} }\nlimits: [{ tools: "bank.*", concurrency: 1 }]\n`;
  const policy = policyOf(text + ALLOW_ALL);
  assert.equal(decide(policy, requestOf('bank.pay')).reservation?.effectTimeoutMs, 300_000);
  assert.equal(decide(policy, requestOf('bank.refund')).reservation?.effectTimeoutMs, undefined);
});

test('a kill switch comes after the principal and before everything that tells of tools', () => {
  const policy = policyOf(`principals: { ann: {} }\nrules:\n  - allow: bank.pay\n    when: args.amount < 5\n`);
  const killed = (target: string, more: Partial<Request> = {}): string =>
    decide(policy, requestOf('bank.pay', { amount: 1 }, more), facts({ [`kill/${target}`]: 1 })).code;
  assert.equal(killed('all'), 'kill-switch');
  assert.equal(killed('principal:local'), 'kill-switch');
  assert.equal(killed('server:bank'), 'kill-switch');
  assert.equal(killed('tool:bank.pay'), 'kill-switch');
  for (const other of ['principal:ann', 'server:files', 'tool:bank.refund', 'tool:bank', 'server:', 'ALL']) {
    assert.equal(killed(other), 'allowed', other);
  }
  assert.equal(killed('all', { principal: 'eve' }), 'unknown-principal');
  assert.equal(killed('all', { tool: 'no.such' }), 'kill-switch');
  assert.equal(killed('server:no', { tool: 'no.such' }), 'kill-switch');
  assert.equal(killed('all', { args: { amount: 'x' } }), 'kill-switch');
  const decision = decide(policy, requestOf('bank.pay'), facts({ 'kill/server:bank': 1 }));
  assert.equal(decision.explanation, 'bank.pay is denied: the operator has switched such calls off');
  assert.deepEqual([decision.facts, decision.retryable], [{ 'kill/server:bank': 1 }, false]);
  assert.equal(admitCaller(policy, requestOf('bank.pay'), facts({ 'kill/all': 1 }))?.code, 'kill-switch');
  const odd = decide(policy, requestOf('x.\n\u202E'), facts({ 'kill/all': 1 })).explanation;
  assert.doesNotMatch(odd, /[\p{Cc}\p{Cf}]/u);
});

test('what a decision needs are exact keys: switches, waiting calls where it may ask, counters of its own tool', () => {
  const policy = policyOf(`${MONEY}${LIMITS}rules:\n  - allow: "*"\n  - ask: bank.pay\n    when: args.amount > 5\n`);
  const own = needs(policy, requestOf('bank.pay'));
  assert.equal(new Set(own).size, own.length);
  assert.deepEqual(
    own.map((key) => key.replace(/sha256:[0-9a-f]{64}|[0-9a-f]{16}/u, 'ID')).toSorted(),
    [
      DAY,
      'clock/jump',
      'count/ID/run=r',
      'kill/all',
      'kill/principal:local',
      'kill/server:bank',
      'kill/tool:bank.pay',
      'parked/principal=local',
      'pin/ID/bank.pay',
      'rate/ID/principal=local',
      'rollback/accepted',
      'slots/ID/all',
    ].toSorted(),
  );
  assert.deepEqual(needs(policy, requestOf('bank.pay', { amount: 9 })), own, 'arguments do not matter');
  assert.deepEqual(needs(policy, requestOf('nope')), [
    'kill/all',
    'kill/principal:local',
    'kill/server:nope',
    'kill/tool:nope',
    'clock/jump',
  ]);
  assert.equal(needs(policy, requestOf('files.read')).length, 5 + 1 + 2 + 2);
});

test('a decision carries the facts it was made from: those it needs, that are not 0', () => {
  const policy = policyOf(MONEY + ALLOW_ALL);
  const values = facts({ [DAY]: 7, 'budget/other/all@1970-01-01T00:00:00.000Z': 3, 'kill/all': 0 });
  assert.deepEqual(decide(policy, requestOf('bank.pay', { amount: 1 }), values).facts, { [DAY]: 7 });
  assert.deepEqual(decide(policy, requestOf('bank.pay', { amount: -1 }), values).facts, { [DAY]: 7 });
  assert.deepEqual(decide(policy, requestOf('bank.pay', { amount: 'x' }), values).facts, { [DAY]: 7 });
  assert.equal(decide(policy, requestOf('files.read'), values).facts, undefined);
});

test('facts that are no whole numbers only narrow', () => {
  const policy = policyOf(MONEY + LIMITS + ALLOW_ALL);
  const request = requestOf('bank.pay', { amount: 1 });
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 0.5, 2 ** 60]) {
    // Calls that wait matter only to one that would wait.
    for (const key of needs(policy, request).filter((each) => !each.startsWith('parked/'))) {
      const narrowed = key === ROLLBACK_KEY ? 'ask' : 'deny';
      assert.equal(decide(policy, request, facts({ [key]: value })).effect, narrowed, `${key} = ${value}`);
    }
  }
  for (const key of needs(policy, request).filter((each) => !/^(?:kill|pin|clock)\//u.test(each))) {
    const fresh = decide(policy, request);
    assert.deepEqual(decide(policy, request, facts({ [key]: -1_000 })).reservation, fresh.reservation, key);
  }
  assert.equal(
    decide(policy, requestOf('bank.pay', { amount: 101 }), facts({ [DAY]: -1_000 })).code,
    'budget-exhausted',
  );
  assert.equal(decide(policy, request, facts({ 'kill/all': -1 })).code, 'kill-switch');
});

test('conditions read what a budget has left, typed, and need its counter', () => {
  const policy = policyOf(`budgets:
  money: { limit: 100, unit: usd-cents, per: [principal], window: 24h }
  constructor: { limit: 5, unit: calls, window: 1h }
rules:
  - allow: bank.pay
    when: args.amount <= budget.money.left / 2
  - allow: bank.refund
    when: budget.constructor.left == 5
`);
  const request = requestOf('bank.pay', { amount: 30 });
  assert.ok(needs(policy, request).includes(DAY));
  assert.equal(needs(policy, request).filter((key) => key.startsWith('budget/')).length, 1);
  assert.equal(decide(policy, request).code, 'allowed');
  assert.equal(decide(policy, request, facts({ [DAY]: 40 })).code, 'allowed');
  const denied = decide(policy, request, facts({ [DAY]: 41 }));
  assert.deepEqual([denied.code, denied.facts], ['no-rule', { [DAY]: 41 }]);
  assert.equal(decide(policy, request, facts({ [DAY]: 500 })).code, 'no-rule', 'less than nothing is left');
  assert.equal(decide(policy, request, facts({ [DAY]: Number.NaN })).code, 'no-rule');
  assert.equal(decide(policy, requestOf('bank.refund')).code, 'allowed');
  assert.equal(explain(policy, request, facts({ [DAY]: 40 })).rules[0]?.matched, true);
  assert.equal(explain(policy, request, facts({ [DAY]: 41 })).rules[0]?.matched, false);
  assert.equal(judge(policy, request, facts({ [DAY]: 41 })).code, 'no-rule');
});

test('a condition that reads budgets otherwise than by name still gets all of them', () => {
  const budgets = 'budgets:\n  a: { limit: 1, unit: calls, window: 1h }\n  b: { limit: 2, unit: calls, window: 1h }\n';
  const read = (when: string): readonly string[] => {
    const policy = policyOf(`${budgets}rules:\n  - allow: bank.pay\n    when: ${JSON.stringify(when)}\n`);
    assert.equal(decide(policy, requestOf('bank.pay', { amount: 1 })).code, 'allowed', when);
    return needs(policy, requestOf('bank.pay')).flatMap((key) => /^budget\/(\w+)/u.exec(key)?.[1] ?? []);
  };
  assert.deepEqual(read('budget.a.left == 1'), ['a']);
  assert.deepEqual(read('2 == budget . b\n.left'), ['b']);
  assert.deepEqual(read('has(budget.b) && budget.a.left == 1'), ['b', 'a']);
  assert.deepEqual(read('[budget].all(x, x.b.left == 2)'), ['a', 'b']);
  assert.deepEqual(read('args.amount == 1'), []);
  assert.deepEqual(read('args.name != "budget" || args.amount == 1'), ['a', 'b'], 'rather too many');
});

test('a budget that is not declared is an error in a condition', () => {
  const codes = (body: string): readonly string[] =>
    compiled(body)
      .issues.filter(({ severity }) => severity === 'error')
      .map(({ code, line, column }) => `${line}:${column} ${code}`);
  const rule = 'rules:\n  - allow: bank.pay\n    when: budget.mony.left > 1\n';
  assert.deepEqual(codes(rule), ['5:11 unknown-name']);
  assert.deepEqual(codes(`budgets: { money: { limit: 1, unit: usd, window: 1h } }\n${rule}`), ['6:18 unknown-member']);
  const text = rule.replace('mony.left > 1', 'money.left > "x"');
  assert.deepEqual(codes(`budgets: { money: { limit: 1, unit: usd, window: 1h } }\n${text}`), ['6:11 type-mismatch']);
});

test('what costs cannot be told, and what there is no room for, is not asked about either', () => {
  const policy = policyOf(`${MONEY}rules:\n  - allow: "*"\n  - ask: bank.pay\n`);
  const asked = decide(policy, requestOf('bank.pay', { amount: 1 }));
  assert.deepEqual([brief(asked), asked.reservation], ['ask asked [rules/1]', undefined]);
  assert.equal(decide(policy, requestOf('bank.pay', { amount: 101 })).code, 'budget-exhausted');
  assert.equal(decide(policy, requestOf('bank.pay', { amount: -1 })).code, 'obligation-failed');
});

test('a principal has only so many calls waiting for an approval', () => {
  const policy = policyOf('rules:\n  - allow: "*"\n  - ask: bank.pay\n');
  const waiting = (count: number, tool = 'bank.pay'): string =>
    decide(policy, requestOf(tool), facts({ 'parked/principal=local': count })).code;
  assert.equal(waiting(PARKED_MAX - 1), 'asked');
  assert.equal(waiting(PARKED_MAX), 'approval-unavailable');
  assert.equal(waiting(PARKED_MAX, 'bank.refund'), 'allowed');
  const again = { approved: [] };
  const own = facts({ 'parked/principal=local': PARKED_MAX });
  assert.equal(decide(policy, requestOf('bank.pay'), own, again).code, 'asked', 'a call that waits already may go on');
});

test('charge is what decide does after the gates before, with or without what judge said', () => {
  const policy = policyOf(`${MONEY}${LIMITS}rules:\n  - allow: "*"\n  - ask: bank.pay\n    when: args.amount == 3\n`);
  for (const amount of [1, 3, 101, -1]) {
    const request = requestOf('bank.pay', { amount });
    const decision = decide(policy, request);
    assert.deepEqual(charge(policy, request), decision);
    assert.deepEqual(charge(policy, request, new Map(), { judged: judge(policy, request) }), decision);
  }
  assert.equal(charge(policy, requestOf('no.such')).code, 'unknown-tool');
});

test('a key that cannot be told is a denial of decide too', () => {
  const policy = policyOf(`tools: { bank.pay: { key: args.name } }\n${ALLOW_ALL}`);
  assert.equal(brief(decide(policy, requestOf('bank.pay', { name: 'a' }))), 'allow allowed [rules/0]');
  assert.equal(brief(decide(policy, requestOf('bank.pay', {}))), 'deny obligation-failed []');
  assert.equal(brief(decide(policy, requestOf('bank.pay', { name: '' }))), 'deny obligation-failed []');
});

test('principals with the signs of keys, and very long ones, have counters of their own', () => {
  const policy = policyOf(MONEY + ALLOW_ALL);
  let values: ReadonlyMap<string, number> = new Map();
  const names = ['a', 'a@b', 'a=b,tool=x', 'a/b', '\n', 'x'.repeat(10_240), 'y'.repeat(10_240), '__proto__', ''];
  for (const principal of names) {
    const decision = decide(policy, requestOf('bank.pay', { amount: 100 }, { principal }), values);
    assert.equal(decision.code, 'allowed', principal.slice(0, 20));
    values = reservedOn(values, decision.reservation);
  }
  for (const key of values.keys())
    assert.match(key, /^budget\/money\/principal=[\w.%:-]{0,128}@2026-11-20T00:00:00\.000Z$/u);
  for (const principal of names) {
    assert.equal(decide(policy, requestOf('bank.pay', { amount: 1 }, { principal }), values).code, 'budget-exhausted');
  }
});

test('ten thousand principals and a thousand limits on other tools do not slow a decision', () => {
  const limits = Array.from(
    { length: 990 },
    (_, at) => `  - { tools: files.read, count: ${at + 1}, per: [run, tool] }\n`,
  );
  const request = requestOf('bank.pay', { amount: 1 });
  const timed = (policy: ReturnType<typeof policyOf>, values: ReadonlyMap<string, number>): number => {
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 10; round += 1) {
      const started = performance.now();
      for (let count = 0; count < 300; count += 1) decide(policy, request, values);
      best = Math.min(best, performance.now() - started);
    }
    return best;
  };
  const few = timed(policyOf(MONEY + LIMITS + ALLOW_ALL), facts({ [DAY]: 1 }));
  const others = Array.from({ length: 10_000 }, (_, at) => [`budget/money/principal=p${at}@2026`, 1] as const);
  const many = timed(policyOf(MONEY + LIMITS + limits.join('') + ALLOW_ALL), new Map([...others, [DAY, 1]]));
  assert.ok(many < few * 10, `${few} ms with few, ${many} ms with many`);
});
