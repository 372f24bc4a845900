import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALLOW_ALL, brief, compiled, policyOf, requestOf } from '../../../test/sample-policy.ts';
import { compilePolicy } from '../compile.ts';
import { couldAllow, decide } from '../decide/decide.ts';
import { parseConfiguration } from '../document/configuration.ts';
import { recompile } from '../recompile.ts';
import { PROGRAM_TOOLS, programAsTool } from './own-programs.ts';

const RUN = 'interlock.run_program';
const REFUND = requestOf(RUN, { program: 'refund' });

test('tools for programs are denied until a rule allows them [R-program-tools-denied]', () => {
  for (const { definition } of PROGRAM_TOOLS) {
    assert.equal(couldAllow(policyOf(''), 'local', definition.name), false, definition.name);
    assert.equal(decide(policyOf(''), requestOf(definition.name, {})).effect, 'deny', definition.name);
    assert.equal(couldAllow(policyOf(ALLOW_ALL), 'local', definition.name), true, definition.name);
  }
  assert.equal(brief(decide(policyOf('rules:\n  - allow: interlock.*\n'), REFUND)), 'allow allowed [rules/0]');
});

test('conditions speak of their arguments, typed where the rule names the server [R-program-tools-denied]', () => {
  const rule = (when: string): string => `rules:\n  - allow: ${RUN}\n    when: ${when}\n`;
  const policy = policyOf(rule('args.program == "refund"'));
  assert.equal(brief(decide(policy, REFUND)), 'allow allowed [rules/0]');
  assert.equal(decide(policy, requestOf(RUN, { program: 'saved/refund' })).code, 'no-rule');
  assert.deepEqual(
    compiled(rule('args.programm == "refund"')).issues.map(({ code }) => code),
    ['unknown-member'],
  );
});

test('rules about every tool restrict them and are not made wrong by them', () => {
  const body = `rules:\n  - allow: interlock.*\n  - { deny: "*", when: args.amount > 5 }\n`;
  const errors = compiled(body).issues.filter(
    ({ severity, message }) => severity === 'error' && /interlock/u.test(message),
  );
  assert.deepEqual(errors, []);
  // What it reads is not there, so that it holds.
  assert.equal(decide(policyOf(body), REFUND).effect, 'deny');
  const readOnly = policyOf('preset: read-only\nrules:\n  - allow: interlock.*\n');
  assert.equal(decide(readOnly, REFUND).code, 'denied-by-rule');
  assert.equal(decide(readOnly, requestOf('interlock.list_runs', {})).effect, 'allow');
  assert.equal(
    brief(decide(policyOf('preset: strict\nrules:\n  - allow: interlock.*\n'), REFUND)),
    'ask asked [preset/strict]',
  );
});

test('for steps of programs they are not there, so that no run starts another [R-program-tools-denied]', () => {
  const policy = policyOf('rules:\n  - allow: interlock.*\n');
  const run = { id: 'r', depth: 0, program: 'sha256:0', step: 's' };
  for (const tool of [RUN, 'interlock.get_call']) {
    assert.equal(decide(policy, { ...requestOf(tool, { program: 'x', id: 'x' }), run }).code, 'unknown-tool', tool);
  }
});

test('a program as a tool is typed by its input, and its policy is made again from what is recorded of it', () => {
  const text = 'interlock: 1\nrules: [{ allow: interlock.refund, when: args.amount <= 5 }]\n';
  const parsed = parseConfiguration(text, { file: 'interlock.yaml', environment: {} });
  assert(parsed.ok);
  const input = { properties: { amount: { type: 'integer' } }, required: ['amount'], additionalProperties: false };
  const tool = programAsTool({ name: 'refund', version: 2, input });
  const { policy, issues } = compilePolicy(parsed.value, new Map([[tool.name, tool]]), {
    complete: new Set(['interlock']),
  });
  assert(policy !== undefined);
  assert.deepEqual(
    issues.map(({ code }) => code),
    ['effect-without-key'],
  );
  assert.deepEqual(policy.catalog.data['complete'], []);
  const again = recompile(parsed.value, policy.catalog, (digest) => (digest === tool.digest ? tool.raw : undefined));
  for (const one of [policy, again]) {
    assert(one !== undefined);
    assert.equal(decide(one, requestOf(tool.name, { amount: 5 })).effect, 'allow');
    assert.equal(decide(one, requestOf(tool.name, { amount: 6 })).code, 'no-rule');
    assert.equal(decide(one, requestOf(tool.name, {})).code, 'schema-mismatch');
  }
});
