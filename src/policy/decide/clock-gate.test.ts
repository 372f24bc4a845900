import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALLOW_ALL, policyOf, requestOf } from '../../../test/sample-policy.ts';
import { decide, needs } from './decide.ts';

function facts(values: Readonly<Record<string, number>>): ReadonlyMap<string, number> {
  return new Map(Object.entries(values));
}

const JUMPED = facts({ 'clock/jump': 1 });
const TOOLS = 'tools:\n  files.read: { effect: read }\n  bank.pay: { effect: write }\n';

test('after a jump of the clock a write is denied, with its code, until somebody changes something', () => {
  const decision = decide(policyOf(TOOLS + ALLOW_ALL), requestOf('bank.pay', { amount: 1 }), JUMPED);
  assert.deepEqual([decision.effect, decision.code, decision.rules], ['deny', 'clock-jump', []]);
  assert.deepEqual([decision.facts, decision.retryable], [{ 'clock/jump': 1 }, false]);
  assert.match(decision.explanation, /^bank\.pay is denied: the clock jumped/u);
});

test('after a jump of the clock what is declared to read goes on, and does not even look', () => {
  const policy = policyOf(TOOLS + ALLOW_ALL);
  assert.equal(decide(policy, requestOf('files.read'), JUMPED).code, 'allowed');
  assert.equal(needs(policy, requestOf('files.read')).includes('clock/jump'), false);
});

test('what nobody declared counts as a write for the clock', () => {
  const policy = policyOf(`tools: { files.read: {} }\n${ALLOW_ALL}`);
  assert.equal(decide(policy, requestOf('files.read'), JUMPED).code, 'clock-jump');
});

test('the clock comes after the kill switch and before everything that tells of tools', () => {
  const policy = policyOf(`principals: { ann: {} }\nrules:\n  - deny: bank.pay\n`);
  const both = facts({ 'clock/jump': 1, 'kill/all': 1 });
  assert.equal(decide(policy, requestOf('bank.pay', {}, { principal: 'ann' }), both).code, 'kill-switch');
  assert.equal(decide(policy, requestOf('bank.pay', {}, { principal: 'ann' }), JUMPED).code, 'clock-jump');
  assert.equal(decide(policy, requestOf('no.such', {}, { principal: 'ann' }), JUMPED).code, 'clock-jump');
  assert.equal(decide(policy, requestOf('bank.pay', {}, { principal: 'eve' }), JUMPED).code, 'unknown-principal');
});

test('a fact that is no 1 still shuts the gate: only 0 opens it', () => {
  const policy = policyOf(ALLOW_ALL);
  for (const value of [-1, Number.NaN, 0.5, 2]) {
    assert.equal(decide(policy, requestOf('bank.pay'), facts({ 'clock/jump': value })).code, 'clock-jump', `${value}`);
  }
});
