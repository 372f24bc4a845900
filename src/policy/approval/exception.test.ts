/** What an exception lifts, and all that it leaves. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { policyOf } from '../../../test/authority-world.ts';
import type { Policy } from '../compile.ts';
import { couldAllow, decide, explain } from '../decide/decide.ts';
import type { Effect, Request } from '../decide/decision.ts';
import { type Exception, exceptionsFor, ruleDigest, unliftable, withExceptions } from './exception.ts';
import { resultsOf } from '../decide/explain.ts';

const KEY = `ed25519:${Buffer.alloc(32, 1).toString('base64')}`;
const HEAD = `interlock: 1
tools:
  t.a: { input: { type: object, properties: { n: {type: integer}, o: {type: integer} } }, cost: { money: args.n } }
budgets: { money: { limit: 5, unit: calls, window: 1h } }
principals: { local: {}, ann: { roles: [boss], key: "${KEY}" }, eve: { key: "${KEY}" } }
`;

function request(args: Request['args']): Request {
  const call = { id: 'c', attempt: 1, key: '' };
  return { principal: 'local', tool: 't.a', args, call, run: { id: 'r', depth: 0 }, now: 0 };
}

function exceptionOf({ configuration }: Policy, ids: readonly string[], by = 'ann'): Exception {
  const rules = configuration.rules
    .filter(({ id }) => ids.includes(id))
    .map((rule) => ({ id: rule.id, digest: ruleDigest(rule) }));
  return { id: 'exception-0123456789abcdef', digest: 'sha256:0', by, rules, expires: 1 };
}

const lifting = (policy: Policy, ids: readonly string[], by?: string): Policy =>
  withExceptions(policy, [exceptionOf(policy, ids, by)]);

test('a named rule that truly matches is set aside and counts as an allow; every other rule holds [R-break-glass]', () => {
  const CONDITION = ['args.n > 1', 'args.n / args.o == 1', 'args.o > 0', 'args.n >= 0', 'args.o > 0 && args.n > 1'];
  const rule = fc.record({
    effect: fc.constantFrom<Effect>('allow', 'ask', 'deny', 'deny'),
    when: fc.option(fc.constantFrom(...CONDITION), { nil: undefined }),
  });
  const args = fc.record(
    { n: fc.integer({ min: 0, max: 3 }), o: fc.integer({ min: 0, max: 2 }) },
    { requiredKeys: ['n'] },
  );
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 5 }), fc.array(fc.nat(4)), args, (rules, named, given) => {
      const text = rules.map(
        ({ effect, when }) => `  - ${effect}: t.a\n${when === undefined ? '' : `    when: ${when}\n`}`,
      );
      const policy = policyOf(`${HEAD}rules:\n${text.length === 0 ? '  []\n' : text.join('')}`);
      const ids = new Set(named.map((n) => `rules/${n}`));
      const asked = request({ ...given });
      const results = resultsOf(policy, asked);
      const set = results.filter(
        (each) => ids.has(each.rule) && each.effect !== 'allow' && each.matched && each.error === undefined,
      );
      const left = results.filter((each) => each.matched && !set.includes(each));
      const allowed = set.length > 0 || left.some(({ effect }) => effect === 'allow');
      const expected =
        left.some(({ effect }) => effect === 'deny') || !allowed
          ? 'deny'
          : left.some(({ effect }) => effect === 'ask')
            ? 'ask'
            : 'allow';
      const excepted = lifting(policy, [...ids]);
      assert.equal(decide(excepted, asked).effect, expected);
      const used = exceptionsFor(excepted, asked, new Map(), [exceptionOf(policy, [...ids])]);
      assert.equal(used.length, set.length > 0 ? 1 : 0);
    }),
    { numRuns: 400 },
  );
});

test('an exception lifts no other gate', () => {
  const policy = policyOf(`${HEAD}rules:\n  - allow: t.a\n  - deny: t.a\n`);
  const excepted = lifting(policy, ['rules/1']);
  const code = (asked: Request, facts?: ReadonlyMap<string, number>): string => decide(excepted, asked, facts).code;
  assert.equal(decide(policy, request({ n: 1 })).code, 'denied-by-rule');
  assert.equal(code(request({ n: 1 })), 'allowed');
  assert.equal(code(request({ n: 9 })), 'budget-exhausted');
  assert.equal(code(request({ n: -1 })), 'obligation-failed');
  assert.equal(code(request({ n: 'x' })), 'schema-mismatch');
  assert.equal(code(request({ n: 1 }), new Map([['kill/all', 1]])), 'kill-switch');
  assert.equal(code({ ...request({ n: 1 }), principal: 'nobody' }), 'unknown-principal');
  const { decision, rules } = explain(excepted, request({ n: 1 }));
  assert.deepEqual(decision.rules, ['rules/0', 'exception/0123456789abcdef']);
  assert.deepEqual(
    rules.map(({ rule, matched }) => [rule, matched]),
    [
      ['rules/0', true],
      ['exception/0123456789abcdef', true],
    ],
  );
});

test('a tool that was hidden by a deny is visible while the deny is set aside', () => {
  const policy = policyOf(`${HEAD}rules:\n  - deny: "*"\n    when: principal.id == "local"\n`);
  assert.deepEqual(
    [policy, lifting(policy, ['rules/0'])].map((each) => couldAllow(each, 'local', 't.a')),
    [false, true],
  );
});

test('a rule that says something else by now, or that one person cannot lift, is not lifted [R-break-glass]', () => {
  const text = (when: string): string => `${HEAD}rules:\n  - allow: t.a\n  - deny: t.a\n    when: ${when}\n`;
  const policy = policyOf(text('args.n > 1'));
  const signed = exceptionOf(policy, ['rules/1']);
  const edited = policyOf(text('args.n > 0'));
  assert.equal(decide(withExceptions(policy, [signed]), request({ n: 2 })).effect, 'allow');
  assert.equal(decide(withExceptions(edited, [signed]), request({ n: 2 })).effect, 'deny');

  const asks = policyOf(
    `${HEAD}preset: strict\nrules:\n  - allow: t.a\n  - ask: t.a\n  - ask: t.a\n    approvers: [boss]\n  - ask: t.a\n    quorum: 2\n  - ask: t.a\n    notRequester: true\n`,
  );
  const said = asks.configuration.rules.map((rule) =>
    ['ann', 'eve', 'local'].map((by) => unliftable(asks.configuration, rule, by) === undefined),
  );
  assert.deepEqual(said, [
    [false, false, false],
    [true, true, false],
    [true, false, false],
    [false, false, false],
    [false, false, false],
    [false, false, false],
  ]);
  const all = asks.configuration.rules.map(({ id }) => id);
  assert.deepEqual(decide(lifting(asks, all, 'eve'), request({ n: 1 })).rules, [
    'rules/2',
    'rules/3',
    'rules/4',
    'preset/strict',
  ]);
});
