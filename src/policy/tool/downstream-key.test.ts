import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALLOW_ALL, compiled, policyOf, requestOf } from '../../../test/sample-policy.ts';
import { decide } from '../decide/decide.ts';

const tools = (
  key: string,
  input = '{ type: object, required: [name], properties: { name: { type: string } } }',
): string => `tools:\n  bank.pay: { input: ${input}, downstreamKey: ${key} }\n${ALLOW_ALL}`;

test("the argument of a downstream key is the gateway's to give: callers need not, and must not", () => {
  const policy = policyOf(tools('{ arg: name }'));
  assert.deepEqual(policy.tools.get('bank.pay')?.downstreamKey, { in: 'arg', name: 'name' });
  assert.equal(decide(policy, requestOf('bank.pay', {})).code, 'allowed');
  const given = decide(policy, requestOf('bank.pay', { name: 'mine' }));
  assert.deepEqual([given.code, given.explanation.includes('`name`')], ['schema-mismatch', true]);
});

test('a downstream key may be a member of `_meta`, but none of ours', () => {
  assert.deepEqual(policyOf(tools('{ meta: x.example/key }')).tools.get('bank.pay')?.downstreamKey?.in, 'meta');
  assert.equal(compiled(tools('{ meta: interlock/key }')).policy, undefined);
});

for (const [what, key, input] of [
  ['an argument that the tool has not', '{ arg: other }', undefined],
  ['an argument that takes no text', '{ arg: n }', '{ type: object, properties: { n: { type: integer } } }'],
] as const) {
  test(`a downstream key in ${what} makes every call of the tool invalid`, () => {
    const { policy, issues } = compiled(tools(key, input));
    assert.ok(issues.some(({ code }) => code === 'downstream-key-unknown'));
    assert.match(policy?.tools.get('bank.pay')?.invalid ?? '', /argument/);
  });
}

test('a downstream key has one place', () => {
  for (const key of ['{}', '{ arg: name, meta: x }', '{ arg: 1 }', 'name']) {
    assert.equal(compiled(tools(key)).policy, undefined, key);
  }
});
