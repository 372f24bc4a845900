import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALLOW_ALL, compiled, policyOf, requestOf } from '../../../test/sample-policy.ts';
import { probeOf, probeSays } from '../decide/decide.ts';

const tools = (pay: string, refund = 'effect: read'): string =>
  `tools:\n  bank.pay: { effectTimeout: 1m, ${pay} }\n  bank.refund: { ${refund} }\n${ALLOW_ALL}`;
const probe = (executed: string, args = 'amount: args.amount'): string =>
  `probe: { tool: bank.refund, args: { ${args} }, executed: '${executed}' }`;

test('a probe asks for what its expressions give of the call, and its answer is a plain yes or no', () => {
  const policy = policyOf(tools(probe('output.total == args.amount', 'amount: args.amount + 1, name: principal.id')));
  const request = requestOf('bank.pay', { amount: 5 });
  assert.deepEqual(probeOf(policy, request), { ok: true, tool: 'bank.refund', args: { amount: 6, name: 'local' } });
  const says = (total: unknown): boolean | undefined =>
    probeSays(policy, request, { structuredContent: { total: total as number } });
  assert.deepEqual([says(5), says(6), says('5')], [true, false, false]);
  assert.equal(probeSays(policy, request, { structuredContent: {} }), undefined);
  assert.equal(probeOf(policy, requestOf('bank.refund')).ok, false);
  assert.equal(probeOf(policy, requestOf('bank.pay', { name: 'x' })).ok, false);
});

test('an answer that is no boolean says nothing', () => {
  const policy = policyOf(tools(probe('output.found')));
  const request = requestOf('bank.pay', { amount: 5 });
  assert.equal(probeSays(policy, request, { structuredContent: { found: 'yes' } }), undefined);
  assert.equal(probeSays(policy, request, { structuredContent: { found: true } }), true);
});

for (const [what, body, code] of [
  ['asks a tool that is not declared to read', tools(probe('true'), 'effect: write'), 'probe-not-read'],
  ['asks a tool that nobody declares', tools(probe('true'), 'labels: [x]'), 'probe-not-read'],
  [
    'asks a tool that nobody serves',
    `tools:\n  bank.pay: { probe: { tool: bank.nope, executed: 'true' } }\n  "*.n*": { effect: read }\n${ALLOW_ALL}`,
    'probe-unknown',
  ],
  ['has a verdict that is no boolean', tools(probe('1 + 1')), 'wrong-type'],
  ['reads an argument that the call has not', tools(probe('true', 'amount: args.nope')), 'undefined-field'],
] as const) {
  test(`a probe that ${what} makes every call of its tool invalid`, () => {
    const { policy, issues } = compiled(body);
    const errors = issues.filter(({ severity }) => severity === 'error');
    assert.ok(errors.length > 0, 'there is an error');
    if (code.startsWith('probe-'))
      assert.ok(
        errors.some((issue) => issue.code === code),
        JSON.stringify(errors),
      );
    assert.ok(policy === undefined || policy.tools.get('bank.pay')?.invalid !== undefined);
  });
}

test('a probe without `effectTimeout` is warned about: it can never free a key', () => {
  const { issues } = compiled(tools(probe('true')).replace('effectTimeout: 1m, ', ''));
  assert.deepEqual(
    issues.filter(({ code }) => code.startsWith('probe')).map(({ code, severity }) => [code, severity]),
    [['probe-settles-executed-only', 'warning']],
  );
});

test('a probe lacks none of its keys and has no others', () => {
  for (const written of [
    '{ tool: bank.refund }',
    "{ executed: 'true' }",
    "{ tool: bank.refund, executed: 'true', x: 1 }",
    '[]',
  ]) {
    assert.equal(compiled(tools(`probe: ${written}`)).policy, undefined, written);
  }
});
