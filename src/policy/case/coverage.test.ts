import assert from 'node:assert/strict';
import { test } from 'node:test';
import { policyOf, requestOf } from '../../../test/sample-policy.ts';
import type { JsonObject } from '../../value/json.ts';
import { runCase } from './case-outcome.ts';
import { coverageOf, percentOf } from './coverage.ts';
import type { Coverage } from './coverage.ts';
import type { FactValues } from '../meter/fact.ts';

const RULES = `rules:
  - id: small
    allow: bank.pay
    when: args.amount <= 100 && args.name != ""
  - deny: bank.*
    when: args.name == "eve"
  - ask: files.read
  - allow: bank.refund
`;

type Call = readonly [tool: string, args: JsonObject, facts?: FactValues];

/** Coverage of the rules by these calls. */
function coverage(calls: readonly Call[], text = RULES): Coverage {
  const policy = policyOf(text);
  const results = calls.map(([tool, args, facts = new Map()]) => {
    const each = {
      name: '',
      place: { line: 1, column: 1 },
      policy: { kind: 'beside' },
      expect: { effect: 'deny' },
    } as const;
    return runCase({ policy, issues: [] }, { ...each, request: requestOf(tool, args), facts }).results;
  });
  return coverageOf(policy, results);
}

function gaps(calls: readonly Call[]): readonly string[] {
  return coverage(calls).gaps.map(({ place, text }) => `${place.line}:${place.column} ${text}`);
}

test('without a case no rule is exercised, each told at its place', () => {
  const { goals, met } = coverage([]);
  assert.deepEqual([goals, met], [10, 0]);
  assert.deepEqual(gaps([]), [
    '5:5 small is never exercised',
    '7:5 rules/1 is never exercised',
    '9:5 rules/2 is never exercised',
    '10:5 rules/3 is never exercised',
  ]);
});

test('a rule is covered when it has matched and has not, a clause when it was true and was false', () => {
  const small: Call = ['bank.pay', { amount: 5, name: 'ann' }];
  assert.deepEqual(gaps([small]), [
    '5:5 small always matches',
    '6:11 `args.amount <= 100` of small is never false',
    '6:33 `args.name != ""` of small is never false',
    '7:5 rules/1 never matches',
    '9:5 rules/2 is never exercised',
    '10:5 rules/3 is never exercised',
  ]);
  const rest: readonly Call[] = [
    ['bank.pay', { amount: 500, name: '' }],
    ['bank.refund', { name: 'eve' }],
    ['files.read', {}],
  ];
  assert.deepEqual(gaps([small, ...rest]), []);
  assert.equal(percentOf(coverage([small, ...rest])), 100);
});

test('an error is neither true nor false, and makes a deny match', () => {
  const { rules } = coverage([['bank.refund', {}]]);
  const [, deny] = rules;
  assert.deepEqual([deny?.matched, deny?.unmatched], [1, 0]);
  assert.deepEqual(
    deny?.clauses.map((clause) => [clause.true, clause.false, clause.error]),
    [[0, 0, 1]],
  );
});

test('a call that is stopped before the rules exercises none', () => {
  const killed: Call = ['bank.pay', { amount: 5, name: 'ann' }, new Map([['kill/all', 1]])];
  for (const call of [killed, ['bank.pay', { amount: 'five' }] as const, ['bank.nope', {}] as const]) {
    assert.equal(coverage([call]).met, 0, call[0]);
  }
});

test('the rules of a preset are nobody’s to cover, and nothing to cover is covered', () => {
  const none = coverage([], 'preset: strict\n');
  assert.deepEqual([none.goals, percentOf(none)], [0, 100]);
});
