import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { canonicalText } from '../value/canonical.ts';
import type { JsonObject } from '../value/json.ts';
import { compilePolicy } from './compile.ts';
import { parseConfiguration } from './document/configuration.ts';
import { decide } from './decide/decide.ts';
import { type MadeCall, learnedRules } from './learned.ts';
import type { Policy } from './policy.ts';
import { yamlText } from './document/yaml-text.ts';

const SCHEMA: JsonObject = {
  type: 'object',
  properties: { to: { type: 'string' }, amount: { type: 'integer' }, rate: { type: 'number' }, any: {} },
};

function policyOf(calls: readonly MadeCall[], input: JsonObject = SCHEMA): Policy {
  const tools = { 'bank.pay': { input }, 'bank.open': { input: { type: 'object' } } };
  const text = yamlText({ interlock: 1, tools, rules: learnedRules(calls).map((rule) => ({ ...rule })) });
  const parsed = parseConfiguration(text, { file: 'learned.yaml', environment: {} });
  assert.ok(parsed.ok, JSON.stringify(parsed.issues));
  const { policy, issues } = compilePolicy(parsed.value, new Map());
  const errors = issues.filter(({ severity }) => severity === 'error');
  assert.ok(policy !== undefined && errors.length === 0, JSON.stringify(errors));
  return policy;
}

function allows(policy: Policy, { principal, tool, args }: MadeCall): boolean {
  const call = { id: 'c', attempt: 1, key: '' };
  return decide(policy, { principal, tool, args, call, run: { id: 'r', depth: 0 }, now: 0 }).effect === 'allow';
}

const args = fc.record(
  {
    to: fc.constantFrom('a', 'b', 'c"\\\u202e'),
    amount: fc.integer({ min: -2, max: 2 }),
    rate: fc.constantFrom(0, 0.5, -1, 1e300),
    any: fc.constantFrom(null, true, [1, 'x'], { $deep: { to: 'a' } }, 'x'),
  },
  { requiredKeys: [] },
);
const made: fc.Arbitrary<MadeCall> = fc.record({
  principal: fc.constantFrom('local', 'ann'),
  tool: fc.constantFrom('bank.pay', 'bank.open'),
  args,
});

describe('learned rules', () => {
  test('allow every call that was made, and none that was not [R-learn]', () => {
    fc.assert(
      fc.property(
        fc.array(made, { minLength: 1, maxLength: 24 }),
        fc.array(made, { maxLength: 24 }),
        (calls, others) => {
          const policy = policyOf(calls);
          const known = new Set(calls.map((call) => canonicalText({ ...call })));
          for (const call of calls) assert.ok(allows(policy, call), canonicalText({ ...call }));
          for (const call of others) assert.equal(allows(policy, call), known.has(canonicalText({ ...call })));
        },
      ),
      { numRuns: 150 },
    );
  });

  test('list the values of the one argument that varies, and never a combination that was not made', () => {
    const calls = [1, 2, 3].map((amount): MadeCall => ({
      principal: 'local',
      tool: 'bank.pay',
      args: { to: 'a', amount },
    }));
    assert.deepEqual(learnedRules([...calls, ...calls.slice(0, 1)]), [
      {
        id: 'learned/1',
        allow: 'bank.pay',
        when: 'principal.id == "local" && args["amount"] in [1, 2, 3] && args == {"to": "a", "amount": args["amount"]}',
        because: '4 recorded calls',
      },
    ]);
    const mixed = [...calls, { principal: 'local', tool: 'bank.pay', args: { to: 'b', amount: 9 } }];
    assert.equal(
      allows(policyOf(mixed), { principal: 'local', tool: 'bank.pay', args: { to: 'b', amount: 1 } }),
      false,
    );
  });

  test('of thousands of calls are few, and load', () => {
    const calls = Array.from({ length: 2_000 }, (_, amount): MadeCall => {
      return { principal: 'local', tool: 'bank.pay', args: { to: 'a', amount } };
    });
    assert.equal(learnedRules(calls).length, 10);
    assert.ok(allows(policyOf(calls), { principal: 'local', tool: 'bank.pay', args: { to: 'a', amount: 1_999 } }));
  });
});
