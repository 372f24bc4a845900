import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALLOW_ALL, brief, compiled, policyOf, requestOf } from '../../../test/sample-policy.ts';
import { couldAllow, decide } from '../decide/decide.ts';

const ASKED = requestOf('interlock.get_call', { id: 'x' });

test('get_call is allowed without a rule, by one that says so', () => {
  for (const body of ['', ALLOW_ALL, 'preset: read-only\n', 'preset: strict\n', 'rules:\n  - ask: "*"\n']) {
    assert.equal(brief(decide(policyOf(body), ASKED)), 'allow allowed [interlock/get_call]', body);
  }
});

test('any deny forbids get_call, and hides it', () => {
  for (const pattern of ['interlock.get_call', 'interlock.*', '*']) {
    const policy = policyOf(`rules:\n  - deny: "${pattern}"\n`);
    assert.equal(brief(decide(policy, ASKED)), 'deny denied-by-rule [rules/0]', pattern);
    assert.equal(couldAllow(policy, 'local', 'interlock.get_call'), false, pattern);
  }
});

test('rules and declarations of every tool are not made wrong by get_call', () => {
  const { issues } = compiled('tools: { "*": { effect: write } }\nrules:\n  - allow: "*"\n    when: has(args.name)\n');
  assert.deepEqual(
    issues.filter(({ message }) => message.includes('get_call')),
    [],
  );
});

test('what else is written of the server `interlock` matches nothing, and a rule cannot take our id', () => {
  const codes = (body: string): string[] =>
    compiled(body).issues.flatMap(({ code, severity }) => (severity === 'error' ? [code] : []));
  assert.deepEqual(codes('rules:\n  - allow: interlock.nothing\n'), ['pattern-matches-nothing']);
  assert.deepEqual(codes('rules:\n  - { id: interlock/get_call, allow: "*" }\n'), ['wrong-value']);
});

test('get_call is for principals that the policy knows, needs an id, and counts for the limits of every tool', () => {
  const known = policyOf('principals: { ann: {} }\n');
  assert.equal(decide(known, { ...ASKED, principal: 'eve' }).code, 'unknown-principal');
  assert.equal(decide(known, requestOf('interlock.get_call', {})).code, 'schema-mismatch');
  const limited = policyOf('limits: [{ tools: "*", rate: 1/1m }]\n');
  const { reservation } = decide(limited, ASKED);
  assert.equal(decide(limited, ASKED, new Map(Object.entries(reservation?.rates ?? {}))).code, 'rate-exceeded');
});
