/** The largest policies and calls that are read: each is decided, and what is said of it stays one sentence. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brief, compiled, policyOf, requestOf } from '../../test/sample-policy.ts';
import { parseJson } from '../value/json.ts';
import type { JsonObject } from '../value/json.ts';
import { JSON_LIMITS } from '../value/limits.ts';
import { decide, explain } from './decide/decide.ts';

const RULES = 10_000;
const TERMS = 5_000;
/** Far above what a sentence takes, far below what thousands of rules or clauses would. */
const SENTENCE_MAX = 2_000;

function rules(effect: string, when: (index: number) => string): string {
  const each = Array.from({ length: RULES }, (_, index) => `  - ${effect}: bank.pay\n    when: ${when(index)}\n`);
  return `rules:\n${each.join('')}`;
}

function chain(operator: string, term: (index: number) => string): string {
  return Array.from({ length: TERMS }, (_, index) => term(index)).join(` ${operator} `);
}

test('of ten thousand rules on one tool the one that matches decides', () => {
  const policy = policyOf(rules('allow', (index) => `args.amount == ${index}`));
  const pay = (amount: number): ReturnType<typeof decide> => decide(policy, requestOf('bank.pay', { amount }));
  assert.equal(brief(pay(0)), 'allow allowed [rules/0]');
  assert.equal(brief(pay(RULES - 1)), `allow allowed [rules/${RULES - 1}]`);
  assert.equal(brief(pay(RULES)), 'deny no-rule []');
  const { decision, rules: said } = explain(policy, requestOf('bank.pay', { amount: -1 }));
  assert.equal(said.length, RULES);
  assert.deepEqual([decision.nearest?.op, decision.nearest?.value], ['==', 0]);
});

test('ten thousand rules that all match are all named, and the sentence names the first', () => {
  const policy = policyOf(rules('deny', (index) => `args.amount >= ${index}`));
  const decision = decide(policy, requestOf('bank.pay', { amount: RULES }));
  assert.deepEqual(
    [decision.code, decision.rules.length, decision.rules.at(-1)],
    ['denied-by-rule', RULES, 'rules/9999'],
  );
  assert.ok(decision.explanation.length < SENTENCE_MAX);
});

test('a condition of five thousand terms is decided, and what it lacks is told in one sentence', () => {
  const all = policyOf(`rules:\n  - allow: bank.pay\n    when: ${chain('&&', (index) => `args.amount > ${index}`)}\n`);
  assert.equal(brief(decide(all, requestOf('bank.pay', { amount: TERMS }))), 'allow allowed [rules/0]');
  for (const [args, code] of [
    [{ amount: -1 }, 'no-rule'],
    [{ amount: TERMS - 1 }, 'no-rule'],
    [{}, 'condition-error'],
  ] satisfies readonly (readonly [JsonObject, string])[]) {
    const decision = decide(all, requestOf('bank.pay', args));
    assert.equal(decision.code, code);
    assert.ok(decision.explanation.length < SENTENCE_MAX, `${decision.explanation.length} characters`);
  }
  assert.match(decide(all, requestOf('bank.pay', { amount: -1 })).explanation, / and 4995 more$/u);
  const some = policyOf(
    `rules:\n  - allow: "*"\n  - deny: bank.pay\n    when: ${chain('||', (index) => `args.amount == ${index}`)}\n`,
  );
  assert.equal(brief(decide(some, requestOf('bank.pay', { amount: TERMS - 1 }))), 'deny denied-by-rule [rules/1]');
  assert.equal(brief(decide(some, requestOf('bank.pay', { amount: TERMS }))), 'allow allowed [rules/0]');
  const sum = policyOf(`rules:\n  - allow: bank.pay\n    when: ${chain('+', () => 'args.amount')} == ${TERMS}\n`);
  assert.equal(brief(decide(sum, requestOf('bank.pay', { amount: 1 }))), 'allow allowed [rules/0]');
});

test('a condition that is too long or nests too deep is refused at its place', () => {
  const codes = (when: string): readonly string[] =>
    compiled(`rules:\n  - allow: bank.pay\n    when: '${when}'\n`).issues.map(({ line, code }) => `${line} ${code}`);
  assert.deepEqual(codes(`${'!'.repeat(151)}args.any`), ['5 expression-too-deep']);
  assert.deepEqual(codes(`${'('.repeat(200)}true${')'.repeat(200)}`), ['5 expression-too-deep']);
  assert.deepEqual(codes(`args.name == "${'x'.repeat(262_144)}"`), ['5 expression-too-long']);
});

test('arguments nested as deep as they are read are decided, compared, and known by their key', () => {
  const depth = JSON_LIMITS.depthMax - 1;
  const deep = parseJson(`{"any":${'['.repeat(depth)}${']'.repeat(depth)}}`);
  assert.ok(deep.ok);
  const args = deep.value as JsonObject;
  const policy = policyOf(`tools: { bank.pay: { key: 'args.any' } }
rules:
  - allow: bank.pay
    when: args.any == args.any && args.any.size() == 1
`);
  assert.equal(brief(decide(policy, requestOf('bank.pay', args))), 'allow allowed [rules/0]');
  const recursive = `tools:
  deep.x:
    input: { type: object, properties: { any: { $ref: "#/$defs/list" } }, $defs: { list: { type: array, items: { $ref: "#/$defs/list" } } } }
`;
  const judged = policyOf(`${recursive}rules:\n  - allow: deep.x\n`);
  assert.equal(decide(judged, requestOf('deep.x', args)).code, 'allowed');
  const wrong = parseJson(`{"any":${'['.repeat(depth)}1${']'.repeat(depth)}}`);
  assert.ok(wrong.ok);
  assert.equal(decide(judged, requestOf('deep.x', wrong.value as JsonObject)).code, 'schema-mismatch');
});

test('a hundred thousand arguments are decided, and none is told', () => {
  const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [`secret-${at}`, at]));
  const policy = policyOf('rules:\n  - allow: files.read\n    when: args.size() < 10\n');
  const decision = decide(policy, requestOf('files.read', many));
  assert.equal(decision.code, 'no-rule');
  assert.doesNotMatch(decision.explanation, /secret/u);
});
