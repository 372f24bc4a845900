/** What is judged to narrow never allows or asks more, and what people do to narrow is judged so. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { JsonObject } from '../../value/json.ts';
import { compilePolicy } from '../compile.ts';
import type { Policy } from '../compile.ts';
import { parseConfiguration } from '../document/configuration.ts';
import { decide, needs } from '../decide/decide.ts';
import type { Approval } from '../decide/decide.ts';
import type { Effect, Request } from '../decide/decision.ts';
import { coversPattern } from './rule-cover.ts';
import { matches, parsePattern } from '../tool/pattern.ts';
import { wideningsOf } from './widening.ts';

const KEY = `ed25519:${Buffer.alloc(32, 1).toString('base64')}`;
const INPUT = {
  type: 'object',
  properties: { n: { type: 'integer' }, s: { type: 'string' }, o: { type: 'integer' }, d: {} },
};

interface RuleData {
  readonly effect: Effect;
  readonly tool: string;
  readonly when: readonly string[];
  readonly ask?: JsonObject;
}

interface Data {
  readonly rules: readonly RuleData[];
  readonly money: number;
  readonly count: number;
  readonly preset: string | undefined;
  readonly signed: boolean;
  readonly people: JsonObject;
}

function policyOf({ rules, money, count, preset, signed, people }: Data): Policy | undefined {
  const data = {
    interlock: 1,
    tools: {
      't.a': { input: INPUT, cost: { money: '1' } },
      't.b': { input: INPUT, effect: 'read' },
      't.c': { input: { type: 'object', properties: {} } },
    },
    budgets: { money: { limit: money, unit: 'calls', window: '1h' } },
    limits: [{ tools: '*', count }],
    approvals: { signed },
    principals: people,
    ...(preset === undefined ? {} : { preset }),
    rules: rules.map(({ effect, tool, when, ask }) => ({
      [effect]: tool,
      ...(when.length === 0 ? {} : { when: when.join(' && ') }),
      ...(effect === 'ask' ? ask : {}),
    })),
  };
  const parsed = parseConfiguration(JSON.stringify(data), { file: 'f', environment: {} });
  return parsed.ok ? compilePolicy(parsed.value, new Map()).policy : undefined;
}

const CLAUSE = fc.oneof(
  fc.tuple(fc.constantFrom('<', '<=', '>', '>='), fc.integer({ min: 0, max: 3 })).map(([op, n]) => `args.n ${op} ${n}`),
  fc.constantFrom(
    'args.n / 0 == 1',
    '(args.n == 1 || args.o > 1)',
    'args.s == "x"',
    'has(args.o)',
    'args.d.x > 1',
    'tool.effect == "read"',
    '"r" in principal.roles',
    'budget.money.left > 1',
    'budget.money.left < 2',
    'args.o <= 2',
    'args["o"] <= 1',
    '1 <= args.o',
  ),
);
const ASK: fc.Arbitrary<JsonObject> = fc.record(
  {
    approvers: fc.constantFrom(['r'], ['ann'], ['ann', 'r'], ['requester', 'r']),
    quorum: fc.integer({ min: 1, max: 2 }),
    notRequester: fc.boolean(),
    expires: fc.constantFrom('1h', '24h'),
  },
  { requiredKeys: [] },
);
const RULE: fc.Arbitrary<RuleData> = fc.record({
  effect: fc.constantFrom<Effect>('allow', 'allow', 'ask', 'deny'),
  tool: fc.constantFrom('t.a', 't.b', '*', 't.*', '*a', 't.c'),
  when: fc.array(CLAUSE, { maxLength: 3 }),
  ask: ASK,
});
const PEOPLE: fc.Arbitrary<JsonObject> = fc.constantFrom<JsonObject>(
  { local: {}, ann: { roles: ['r'], key: KEY }, bob: { key: KEY } },
  { local: {}, ann: { roles: ['r'], key: KEY }, bob: {} },
  { local: {}, ann: { roles: ['r'], key: KEY } },
  { local: { roles: ['r'] }, ann: { roles: ['r'], key: KEY }, bob: { key: KEY } },
);
const DATA: fc.Arbitrary<Data> = fc.record({
  rules: fc.array(RULE, { maxLength: 5 }),
  money: fc.integer({ min: 0, max: 3 }),
  count: fc.integer({ min: 1, max: 3 }),
  preset: fc.constantFrom(undefined, undefined, undefined, 'read-only', 'strict', 'shadow'),
  signed: fc.boolean(),
  people: PEOPLE,
});

type Edit = (data: Data, at: number, other: Data) => Data;

const replace = (data: Data, at: number, edit: (rule: RuleData) => RuleData): Data => ({
  ...data,
  rules: data.rules.map((rule, index) => (index === at % data.rules.length ? edit(rule) : rule)),
});
const EDITS: readonly Edit[] = [
  (data, at) => ({ ...data, rules: data.rules.filter((_, index) => index !== at % data.rules.length) }),
  (data, _, other) => ({ ...data, rules: [...data.rules, ...other.rules.slice(0, 1)] }),
  (data, at, other) => replace(data, at, (rule) => ({ ...rule, when: other.rules[0]?.when ?? [] })),
  (data, at, other) =>
    replace(data, at, (rule) => ({ ...rule, when: [...rule.when, ...(other.rules[0]?.when ?? [])] })),
  (data, at, other) =>
    replace(data, at, (rule) => ({ ...rule, when: [...(other.rules[0]?.when ?? []), ...rule.when] })),
  (data, at) => replace(data, at, (rule) => ({ ...rule, when: rule.when.slice(0, -1) })),
  (data, at) => replace(data, at, (rule) => ({ ...rule, when: rule.when.slice(1) })),
  (data, at, { money }) =>
    replace(data, at, (rule) => ({ ...rule, when: rule.when.map((text) => text.replace(/\d$/u, String(money))) })),
  (data, at, other) => replace(data, at, (rule) => ({ ...rule, tool: other.rules[0]?.tool ?? '*' })),
  (data, at, other) => replace(data, at, (rule) => ({ ...rule, effect: other.rules[0]?.effect ?? 'deny' })),
  (data, at, other) => replace(data, at, (rule) => ({ ...rule, ask: other.rules[0]?.ask ?? {} })),
  (data) => ({ ...data, rules: data.rules.toReversed() }),
  (data, _, { money }) => ({ ...data, money }),
  (data, _, { count }) => ({ ...data, count }),
  (data, _, { preset }) => ({ ...data, preset }),
  (data, _, { signed }) => ({ ...data, signed }),
  (data, _, { people }) => ({ ...data, people }),
];

const REQUEST: fc.Arbitrary<Request> = fc.record({
  principal: fc.constantFrom('local', 'ann', 'bob'),
  tool: fc.constantFrom('t.a', 't.b', 't.c'),
  args: fc
    .record(
      {
        n: fc.integer({ min: -1, max: 4 }),
        s: fc.constantFrom('x', 'y'),
        o: fc.integer({ min: 0, max: 3 }),
        d: fc.constantFrom<JsonObject>({ x: 1 }, { x: 2 }, {}),
      },
      { requiredKeys: [] },
    )
    .map((args) => ({ ...args })),
  call: fc.constant({ id: 'c', attempt: 1, key: '' }),
  run: fc.constant({ id: 'r', depth: 0 }),
  now: fc.constant(0),
});
const APPROVALS: fc.Arbitrary<readonly Approval[]> = fc.subarray<Approval>([
  { by: 'ann', how: 'signed', expires: 1 },
  { by: 'bob', how: 'signed', expires: 1 },
  { by: 'ann', how: 'unsigned', expires: 1 },
  { by: 'local', how: 'unsigned', expires: 1 },
]);
const WIDTH: Readonly<Record<Effect, number>> = { deny: 0, ask: 1, allow: 2 };

test('a change that is judged to narrow never allows or asks more [R-widening]', () => {
  let judged = 0;
  const edits = fc.array(fc.tuple(fc.constantFrom(...EDITS), fc.nat(8), DATA), { minLength: 1, maxLength: 2 });
  const asked = fc.array(fc.tuple(REQUEST, fc.nat(3), APPROVALS), { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(DATA, edits, asked, (data, changes, requests) => {
      const [before, after] = [
        policyOf(data),
        policyOf(changes.reduce((now, [edit, at, other]) => edit(now, at, other), data)),
      ];
      if (before === undefined || after === undefined || wideningsOf(before, after).length > 0) return;
      judged += before.digest === after.digest ? 0 : 1;
      for (const [request, spent, approved] of requests) {
        const keys = new Set([...needs(before, request), ...needs(after, request)]);
        const counters = [...keys].filter((key) => key.startsWith('budget/') || key.startsWith('count/'));
        const facts = new Map(counters.map((key) => [key, spent]));
        for (const options of [{}, { approved }]) {
          const [then, now] = [decide(before, request, facts, options), decide(after, request, facts, options)];
          assert.ok(WIDTH[now.effect] <= WIDTH[then.effect], `${then.effect} (${then.code}) became ${now.effect}`);
        }
      }
    }),
    { numRuns: 400 },
  );
  assert.ok(judged > 20, `only ${judged} changes were judged to narrow`);
});

test('a pattern that covers another matches all that it matches', () => {
  const piece = fc.constantFrom('*', 't.', 'a', 'x', '/', '.');
  const patterns = fc.array(piece, { minLength: 1, maxLength: 4 }).map((pieces) => parsePattern(pieces.join('')));
  const name = fc.array(fc.constantFrom('t.', 'a', 'x', '/', '.'), { maxLength: 5 }).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(patterns, patterns, fc.array(name, { minLength: 20 }), (wide, narrow, names) => {
      if (!wide.ok || !narrow.ok || !coversPattern(wide.pattern, narrow.pattern)) return;
      for (const each of names) assert.ok(!matches(narrow.pattern, each) || matches(wide.pattern, each), each);
    }),
    { numRuns: 3_000 },
  );
});

const BASE = `interlock: 1
servers: { t: { command: x }, u: { command: y } }
tools: { t.a: { input: { type: object, properties: { n: {type: integer} } }, cost: { money: args.n } } }
principals: { local: {}, ann: { roles: [boss], key: "${KEY}" }, eve: {} }
budgets: { money: { limit: 100, unit: calls, window: 1h } }
limits:
  - { tools: "*", count: 5 }
  - { tools: "*", rate: 10/1m }
rules:
  - allow: t.*
    when: args.n <= 20
  - ask: t.a
    when: args.n > 5 && args.n != 7
    approvers: [boss]
  - deny: t.a
    when: args.n > 15
`;

function textPolicy(text: string): Policy {
  const parsed = parseConfiguration(text, { file: 'f', environment: {} });
  assert.ok(parsed.ok, JSON.stringify(parsed.issues));
  const { policy, issues } = compilePolicy(parsed.value, new Map());
  assert.ok(policy !== undefined, JSON.stringify(issues));
  return policy;
}

function judge(from: string, to: string): readonly string[] {
  assert.ok(from === '' || BASE.includes(from), from);
  const after = from === '' ? BASE + to : BASE.replace(from, to);
  return wideningsOf(textPolicy(BASE), textPolicy(after)).map(({ message }) => message);
}

test('what people do to narrow is judged to narrow', () => {
  const narrowings: readonly (readonly [string, string])[] = [
    ['', '# a comment\n'],
    ['', '  - deny: t.a\n'],
    ['', '  - ask: "*"\n'],
    ['args.n <= 20', 'args.n <= 10'],
    ['args.n <= 20', 'args.n <= 20 && args.n > 0'],
    ['allow: t.*', 'allow: t.a'],
    ['args.n > 15', 'args.n > 12'],
    ['    when: args.n > 15\n', ''],
    ['args.n > 5 && args.n != 7', 'args.n > 5'],
    ['deny: t.a', 'deny: t.*'],
    ['approvers: [boss]', 'approvers: [boss]\n    quorum: 2\n    expires: 1h'],
    ['approvers: [boss]', 'because: it is much\n    id: much\n    approvers: [boss]'],
    ['ask: t.a\n    when: args.n > 5 && args.n != 7\n    approvers: [boss]', 'deny: t.a\n    when: args.n > 5'],
    ['limit: 100', 'limit: 99'],
    ['count: 5', 'count: 4'],
    ['limits:\n', 'limits:\n  - { tools: t.a, concurrency: 1 }\n'],
    [', eve: {}', ''],
    [', u: { command: y }', ''],
    ['rules:', 'preset: read-only\nrules:'],
    ['rules:', 'shadow: other.yaml\nrules:'],
  ];
  for (const [from, to] of narrowings) assert.deepEqual(judge(from, to), [], `${from} -> ${to}`);
});

test('whatever else is changed counts as widening, and is named [R-widening]', () => {
  const widenings: readonly (readonly [string, string, RegExp])[] = [
    ['', '  - allow: u.*\n', /^rules\/3 allows what no rule allowed before$/u],
    ['args.n <= 20', 'args.n <= 21', /^rules\/0 allows/u],
    ['args.n <= 20', 'args.n < 20', /^rules\/0 allows/u],
    ['args.n > 15', 'args.n > 16', /^what rules\/2 denied is so no more$/u],
    ['  - deny: t.a\n    when: args.n > 15\n', '', /^what rules\/2 denied/u],
    ['args.n > 5 && args.n != 7', 'args.n != 7', /^what rules\/1 asked about/u],
    ['approvers: [boss]', 'approvers: [boss, eve]', /^what rules\/1 asked about/u],
    ['approvers: [boss]', 'expires: 1h', /^what rules\/1 asked about/u],
    ['limit: 100', 'limit: 101', /^the budget `money` grows$/u],
    ['window: 1h', 'window: 2h', /^the budget `money` counts anew$/u],
    ['count: 5', 'count: 6', /^the count on `\*`/u],
    ['rate: 10/1m', 'rate: 9/1m', /^the rate on `\*`/u],
    [`, key: "${KEY}"`, '', /^the principal `ann` is another$/u],
    [`ann: { roles: [boss], key: "${KEY}" }, `, '', /^the principal `ann` is gone$/u],
    ['eve: {}', 'eve: { roles: [boss] }', /^the principal `eve` is another$/u],
    ['eve: {}', 'eve: {}, bob: {}', /^the principal `bob` is added$/u],
    ['command: y', 'command: z', /^the server `u` is another$/u],
    ['tools: {', 'tools: { t.b: { effect: read },', /^`tools` says something else$/u],
    ['rules:', 'preset: shadow\nrules:', /^the preset `shadow`/u],
    ['rules:', 'approvals: { signed: false }\nrules:', /^approvals need no signature$/u],
    ['rules:', 'principal: ann\nrules:', /^the host is `ann` now$/u],
  ];
  for (const [from, to, message] of widenings) assert.match(judge(from, to)[0] ?? '', message, `${from} -> ${to}`);
});

test('a rule that keeps its tool from being used is no longer there: that widens, though an `allow` was removed', () => {
  const broken = BASE.replace('  - ask: t.a', '  - allow: "*a"\n    when: args.typo == 1\n  - ask: t.a');
  assert.match(wideningsOf(textPolicy(broken), textPolicy(BASE))[0]?.message ?? '', /`t\.a` were denied/u);
});

test('more changed rules than can be compared are all taken to widen', () => {
  const many = (n: number): string => {
    const rules = Array.from({ length: 600 }, (_, i) => `  - deny: t.x${i}\n    when: args.n > ${n}\n`);
    return `interlock: 1\nservers: { t: { command: x } }\nrules:\n${rules.join('')}`;
  };
  assert.equal(wideningsOf(textPolicy(many(2)), textPolicy(many(1))).length, 600);
});
