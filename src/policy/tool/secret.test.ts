import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compilePolicy } from '../compile.ts';
import { decide, secretTextsIn, secretsOf } from '../decide/decide.ts';
import type { Request } from '../decide/decision.ts';
import { parseConfiguration } from '../document/configuration.ts';
import type { JsonObject } from '../../value/json.ts';

const INPUT =
  'input: { type: object, properties: { user: {type: string}, pin: {type: integer}, list: {type: array, items: {type: string}} } }';

function compiled(secrets: string, more = '') {
  const text = `interlock: 1
tools:
  t.a: { ${INPUT}, secrets: ${secrets} }
rules:
  - allow: t.a
${more}`;
  const parsed = parseConfiguration(text, { file: 'interlock.yaml', environment: {} });
  if (!parsed.ok) return { issues: parsed.issues, policy: undefined };
  return compilePolicy(parsed.value, new Map());
}

const request = (args: JsonObject): Request => {
  return {
    principal: 'p',
    tool: 't.a',
    args,
    call: { id: 'c', attempt: 1, key: '' },
    run: { id: 'r', depth: 0 },
    now: 0,
  };
};

test('what is declared secret is told by its place, by what an expression gives, and by paths into the output', () => {
  const { policy } = compiled('[args.pin, \'args.list.map(x, "t-" + x)\', output.deep.token, output.ids]');
  assert(policy !== undefined);
  const declared = secretsOf(policy, request({ pin: 1234, list: ['a', 'b'] }));
  assert.deepEqual(declared, { paths: [['pin']], values: ['1234', 't-a', 't-b'] });
  const output = { structuredContent: { deep: { token: 'x' }, ids: [1, 'two', { three: 'iii' }] } };
  assert.deepEqual(secretTextsIn(policy, 't.a', output), ['x', '1', 'two', 'iii']);
  assert.deepEqual(secretTextsIn(policy, 't.a', { content: [{ type: 'text', text: '{"ids": "9"}' }] }), ['9']);
  assert.deepEqual(secretTextsIn(policy, 't.a', { content: [] }), []);
});

test('an expression that errs denies, after the rules', () => {
  const { policy } = compiled('[\'args.user + "!"\']', '  - deny: t.a\n    when: has(args.pin)\n');
  assert(policy !== undefined);
  assert.equal(decide(policy, request({})).code, 'obligation-failed');
  assert.equal(decide(policy, request({ pin: 1 })).code, 'denied-by-rule');
  assert.equal(decide(policy, request({ user: 'u' })).code, 'allowed');
});

test('what names no secret is refused where it stands', () => {
  const refused = (secrets: string): string | undefined => compiled(secrets).issues[0]?.code;
  assert.equal(refused('never-stored'), 'wrong-value');
  assert.equal(refused('[]'), 'wrong-value');
  assert.equal(refused('{ args: [x] }'), 'wrong-type');
  assert.equal(refused('[args.paswd]'), 'unknown-member');
  assert.equal(refused("['output.list[0]']"), 'not-a-secret');
  assert.equal(refused("['output.a + args.user']"), 'not-a-secret');
  assert.notEqual(compiled('[never-store]').policy, undefined);
});

test('the settings of secrets are read, and their defaults hold', () => {
  const of = (text: string) => {
    const parsed = parseConfiguration(`interlock: 1\n${text}`, { file: 'interlock.yaml', environment: {} });
    return parsed.ok ? parsed.value.secrets : parsed.issues[0]?.code;
  };
  assert.deepEqual(of(''), { detect: true, replayMs: 600_000, results: 'show' });
  assert.deepEqual(of('secrets: { detect: false, replay: 1h }\n'), {
    detect: false,
    replayMs: 3_600_000,
    results: 'show',
  });
  assert.equal(of('secrets: { detect: 1 }\n'), 'wrong-type');
  assert.equal(of('secrets: { replay: 0s }\n'), 'wrong-value');
  assert.equal(of('secrets: { detects: true }\n'), 'unknown-key');
});
