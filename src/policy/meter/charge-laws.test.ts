import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { policyOf, requestOf, reservedOn } from '../../../test/sample-policy.ts';
import type { Policy } from '../compile.ts';
import { charge, decide, judge, needs } from '../decide/decide.ts';
import type { Decision, Effect, Request } from '../decide/decision.ts';
import { ROLLBACK_RULE } from '../decide/rollback.ts';

const WIDTH: Readonly<Record<Effect, number>> = { deny: 0, ask: 1, allow: 2 };

interface BudgetText {
  readonly limit: number;
  readonly per: readonly string[];
  readonly windowMs: number;
  readonly rolling: boolean;
}

const SCOPES = fc.subarray(['tenant', 'principal', 'agent', 'run', 'tool']);
const BUDGET: fc.Arbitrary<BudgetText> = fc.record({
  limit: fc.integer({ min: 0, max: 40 }),
  per: SCOPES,
  windowMs: fc.integer({ min: 60_000, max: 90_000 }),
  rolling: fc.boolean(),
});
const BUDGETS = fc.array(BUDGET, { minLength: 1, maxLength: 3 });
const LIMIT = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 100 })).map(([n, ms]) => `rate: ${n}/${ms}ms`),
  fc.integer({ min: 1, max: 4 }).map((n) => `concurrency: ${n}`),
  fc.integer({ min: 0, max: 3 }).map((n) => `depth: ${n}`),
);
const LIMITS = fc.array(
  fc.oneof(
    fc.tuple(LIMIT, SCOPES).map(([limit, per]) => {
      const scopes = limit.startsWith('depth') ? '' : `, per: [${per.join(', ')}]`;
      return `  - { tools: "bank.*", ${limit}${scopes} }\n`;
    }),
    fc.integer({ min: 1, max: 8 }).map((n) => `  - { tools: "*", count: ${n} }\n`),
  ),
  { maxLength: 4 },
);

function textOf(budgets: readonly BudgetText[], limits: readonly string[], rules = '  - allow: "*"\n'): string {
  const written = budgets.map(
    ({ limit, per, windowMs, rolling }, at) =>
      `  b${at}: { limit: ${limit}, unit: x-n, per: [${per.join(', ')}], window: ${windowMs}ms, rolling: ${rolling} }\n`,
  );
  const costs = budgets.map((_, at) => `b${at}: args.amount * ${at + 1}`).join(', ');
  const tools = `tools:\n  bank.pay: { cost: { ${costs} } }\n  bank.refund: { cost: { b0: args.amount } }\n`;
  return `budgets:\n${written.join('')}${tools}limits:\n${limits.join('') || '  []\n'}rules:\n${rules}`;
}

const REQUEST: fc.Arbitrary<Request> = fc
  .record({
    tool: fc.constantFrom('bank.pay', 'bank.refund', 'files.read'),
    principal: fc.constantFrom('ann', 'b/=@', '__proto__'),
    run: fc.record({ id: fc.constantFrom('r1', 'r2'), depth: fc.integer({ min: 0, max: 3 }) }),
    amount: fc.integer({ min: 0, max: 20 }),
    now: fc.integer({ min: 1_000_000, max: 1_180_000 }),
  })
  .map(({ tool, amount, ...more }) => requestOf(tool, tool === 'files.read' ? {} : { amount }, more));

/** Facts under the keys that these requests need. */
function factsFor(policy: Policy, requests: readonly Request[], values: readonly number[]): Map<string, number> {
  const keys = [...new Set(requests.flatMap((request) => needs(policy, request)))];
  return new Map(
    keys.filter((key) => !/^(?:kill|pin|clock)\//u.test(key)).map((key, at) => [key, values[at % values.length] ?? 0]),
  );
}

const FEW = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 30 });
const VALUES = fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 30 });

test('[R-budgets] of calls of one unit exactly as many pass as the budget has, however many come', () => {
  fc.assert(
    fc.property(BUDGET, fc.integer({ min: 0, max: 60 }), (budget, calls) => {
      const policy = policyOf(textOf([{ ...budget, windowMs: 3_600_000 }], []));
      let facts: ReadonlyMap<string, number> = new Map();
      let passed = 0;
      for (let call = 0; call < calls; call += 1) {
        const decision = decide(policy, requestOf('bank.pay', { amount: 1 }), facts);
        if (decision.effect === 'allow') passed += 1;
        else assert.equal(decision.code, 'budget-exhausted');
        facts = reservedOn(facts, decision.reservation);
      }
      assert.equal(passed, Math.min(calls, budget.limit));
    }),
    { numRuns: 100 },
  );
});

test('no window ever holds more than its limit: not a fixed one, not any stretch of a rolling one', () => {
  const calls = fc.array(fc.tuple(fc.integer({ min: 0, max: 6_000 }), fc.integer({ min: 0, max: 15 })), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(BUDGET, calls, (budget, gaps) => {
      const policy = policyOf(textOf([{ ...budget, per: [] }], []));
      let facts: ReadonlyMap<string, number> = new Map();
      let now = 1_000_000;
      const spent: { readonly at: number; readonly amount: number }[] = [];
      for (const [gap, amount] of gaps) {
        now += gap;
        const decision = decide(policy, requestOf('bank.pay', { amount }, { now }), facts);
        facts = reservedOn(facts, decision.reservation);
        if (decision.effect === 'allow') spent.push({ at: now, amount });
      }
      const { windowMs, rolling, limit } = budget;
      for (const { at } of spent) {
        const from = rolling ? at : Math.floor(at / windowMs) * windowMs;
        const within = spent.filter((each) => each.at >= from && each.at < from + windowMs);
        const total = within.reduce((sum, each) => sum + each.amount, 0);
        assert.ok(total <= limit, `${total} of ${limit} from ${from}`);
      }
    }),
    { numRuns: 500 },
  );
});

test('more spent, more running, more waiting, a later time-stamp: never wider', () => {
  const rules = '  - allow: "*"\n  - ask: bank.pay\n    when: args.amount > 15\n';
  let narrowed = 0;
  fc.assert(
    fc.property(
      BUDGETS,
      LIMITS,
      REQUEST,
      FEW,
      VALUES,
      fc.integer({ min: 0, max: 3_000_000 }),
      (budgets, limits, request, less, more, late) => {
        const policy = policyOf(textOf(budgets, limits, rules));
        const before = factsFor(policy, [request], less);
        const grown = factsFor(policy, [request], more);
        const after = new Map(
          [...before].map(([key, value]) => [
            key,
            value + (grown.get(key) ?? 0) + (key.startsWith('rate/') ? late * 500 : 0),
          ]),
        );
        const [wide, narrow] = [decide(policy, request, before), decide(policy, request, after)];
        assert.ok(WIDTH[narrow.effect] <= WIDTH[wide.effect], `${wide.code} became ${narrow.code}`);
        if (narrow.effect !== wide.effect) narrowed += 1;
      },
    ),
    { numRuns: 500 },
  );
  assert.ok(narrowed > 5, 'the law was tried');
});

test('budgets and limits only narrow what the rules say', () => {
  const rules = '  - allow: "*"\n  - ask: bank.pay\n    when: args.amount > 15\n';
  fc.assert(
    fc.property(BUDGETS, LIMITS, REQUEST, VALUES, (budgets, limits, request, values) => {
      const policy = policyOf(textOf(budgets, limits, rules));
      const facts = factsFor(policy, [request], values);
      const judged = judge(policy, request, facts);
      const decision = decide(policy, request, facts);
      assert.ok(WIDTH[decision.effect] <= WIDTH[judged.effect]);
      const told = decision.rules.filter((rule) => rule !== ROLLBACK_RULE);
      if (decision.effect === judged.effect) assert.deepEqual(told, judged.rules);
      assert.deepEqual(charge(policy, request, facts), decision);
      assert.equal(decision.reservation !== undefined && decision.effect !== 'allow', false);
    }),
    { numRuns: 500 },
  );
});

test('the order of budgets and limits in the file never matters', () => {
  fc.assert(
    fc.property(BUDGET, LIMITS, REQUEST, VALUES, (budget, limits, request, values) => {
      const one = policyOf(textOf([budget], limits));
      const other = policyOf(textOf([budget], limits.toReversed()));
      assert.deepEqual(needs(other, request).toSorted(), needs(one, request).toSorted());
      const facts = factsFor(one, [request], values);
      const told = ({ effect, code, reservation }: Decision): unknown => [
        effect,
        code,
        reservation?.reserved,
        reservation?.rates,
        reservation?.slots.toSorted(),
      ];
      assert.deepEqual(told(decide(other, request, facts)), told(decide(one, request, facts)));
    }),
    { numRuns: 300 },
  );
});

test('a decision depends on the facts it needs alone, and what it reserves is among them', () => {
  fc.assert(
    fc.property(BUDGETS, LIMITS, REQUEST, REQUEST, VALUES, (budgets, limits, request, other, values) => {
      const policy = policyOf(textOf(budgets, limits));
      const facts = factsFor(policy, [request, other], values);
      const keys = new Set(needs(policy, request));
      const own = new Map([...facts].filter(([key]) => keys.has(key)));
      const decision = decide(policy, request, facts);
      assert.deepEqual(decide(policy, request, own), decision);
      const used = new Map(Object.entries(decision.facts ?? {}));
      assert.deepEqual(decide(policy, request, used), decision, 'the recorded facts give the decision again');
      const { reserved = {}, rates = {}, slots = [] } = decision.reservation ?? {};
      for (const key of [...Object.keys(reserved), ...Object.keys(rates), ...slots]) assert.ok(keys.has(key), key);
      for (const amount of Object.values(reserved)) assert.ok(Number.isSafeInteger(amount) && amount >= 0);
      for (const [key, arrival] of Object.entries(rates)) assert.ok(arrival > (facts.get(key) ?? 0));
    }),
    { numRuns: 300 },
  );
});

test('calls that each end give every lease back, and calls at once never exceed the concurrency', () => {
  const steps = fc.array(fc.boolean(), { maxLength: 40 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), steps, (max, starts) => {
      const policy = policyOf(`limits: [{ tools: "*", concurrency: ${max} }]\nrules: [{ allow: "*" }]\n`);
      const slot = needs(policy, requestOf('files.read')).find((key) => key.startsWith('slots/')) ?? '';
      let running = 0;
      for (const starting of starts) {
        if (starting) {
          const { effect } = decide(policy, requestOf('files.read'), new Map([[slot, running]]));
          assert.equal(effect === 'allow', running < max);
          if (effect === 'allow') running += 1;
        } else running = Math.max(0, running - 1);
      }
    }),
    { numRuns: 200 },
  );
});

test('any facts at all, under any keys, have a decision', () => {
  const value = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(Number.NaN, Infinity, -Infinity, 2 ** 53, -0));
  fc.assert(
    fc.property(
      BUDGETS,
      LIMITS,
      REQUEST,
      fc.array(value, { minLength: 1, maxLength: 20 }),
      (budgets, limits, request, values) => {
        const policy = policyOf(textOf(budgets, limits));
        const facts = new Map(needs(policy, request).map((key, at) => [key, values[at % values.length] ?? 0]));
        const decision = decide(policy, request, facts);
        assert.ok(decision.explanation.length > 0);
        assert.deepEqual(decide(policy, request, facts), decision);
      },
    ),
    { numRuns: 300 },
  );
});
