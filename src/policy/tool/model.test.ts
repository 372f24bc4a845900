import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Issue } from '../../value/issue.ts';
import type { JsonObject } from '../../value/json.ts';
import { type Policy, compilePolicy } from '../compile.ts';
import { decide } from '../decide/decide.ts';
import type { Decision } from '../decide/decision.ts';
import { parseConfiguration } from '../document/configuration.ts';

const MODELS = `interlock: 1
models:
  support: { provider: openai, model: gpt-x, price: { input: 2.5, output: 10 } }
  local: { provider: openai-compatible, url: "http://localhost:11434/v1", model: small }
  played: { provider: scripted, file: answers.yaml }
`;

function parse(text: string): { readonly policy: Policy | undefined; readonly issues: readonly Issue[] } {
  const parsed = parseConfiguration(text, { file: 'interlock.yaml', environment: {} });
  if (!parsed.ok) return { policy: undefined, issues: parsed.issues };
  const { policy, issues } = compilePolicy(parsed.value, new Map());
  return { policy, issues };
}

function policyOf(more: string): Policy {
  const { policy, issues } = parse(`${MODELS}${more}`);
  assert.ok(policy !== undefined, issues[0]?.message);
  return policy;
}

function asked(policy: Policy, tool: string, args: JsonObject = { prompt: 'hello' }): Decision {
  const call = { id: 'c', attempt: 1, key: '' };
  const request = { principal: 'local', tool, args, call, run: { id: 'r', depth: 0 }, now: 0 };
  return decide(policy, request, new Map());
}

function told(more: string): readonly string[] {
  return parse(`${MODELS}${more}`).issues.map(({ line, column, code }) => `${line}:${column} ${code}`);
}

test('a model is the tool `llm.NAME`, which nobody may call unless a rule allows it [R-model-tool]', () => {
  assert.equal(asked(policyOf(''), 'llm.support').code, 'no-rule');
  const one = policyOf('rules: [{ allow: llm.support }]\n');
  assert.equal(asked(one, 'llm.support').effect, 'allow');
  assert.equal(asked(one, 'llm.local').code, 'no-rule');
  assert.equal(asked(one, 'llm.ghost').code, 'unknown-tool');
  const all = policyOf('rules: [{ allow: "llm.*" }, { deny: llm.local, when: size(args.prompt) > 3 }]\n');
  assert.equal(asked(all, 'llm.played').effect, 'allow');
  assert.equal(asked(all, 'llm.local').code, 'denied-by-rule');
  assert.equal(asked(all, 'llm.support', { text: 'x' }).code, 'schema-mismatch');
});

test('asking a model is a read unless it is declared to be more', () => {
  assert.equal(policyOf('').tools.get('llm.support')?.effect, 'read');
  const declared = policyOf('tools: { "llm.*": { effect: irreversible } }\n');
  assert.equal(declared.tools.get('llm.support')?.effect, 'irreversible');
  const strict = policyOf('preset: strict\nrules: [{ allow: "llm.*" }]\n');
  assert.equal(asked(strict, 'llm.support').effect, 'allow');
});

test('what a model took can be charged, and money only where it has a price', () => {
  const charging = (name: string, what: string): string =>
    `budgets: { b: { limit: 9, unit: tokens, window: 1h } }\ntools: { llm.${name}: { cost: { b: 5 }, actualCost: { b: ${what} } } }\n`;
  assert.deepEqual(told(charging('local', 'output.tokens.input + output.tokens.output')), ['1:1 no-rules']);
  assert.deepEqual(told(charging('support', 'output.microUsd')), ['1:1 no-rules']);
  assert.ok(told(charging('local', 'output.microUsd')).some((line) => line.includes('unknown-member')));
});

test('each key of a model that is wrong is told at its place', () => {
  const lines = (model: string): readonly string[] => {
    const { issues } = parse(`interlock: 1\nmodels:\n  m: ${model}\n`);
    return issues.map(({ line, column, code }) => `${line}:${column} ${code}`);
  };
  assert.deepEqual(lines('{ model: x }'), ['3:3 missing-key']);
  assert.deepEqual(lines('{ provider: openay, model: x }'), ['3:18 wrong-value']);
  assert.deepEqual(lines('{ provider: openai }'), ['3:3 missing-key']);
  assert.deepEqual(lines('{ provider: openai-compatible, model: x }'), ['3:3 missing-key']);
  assert.deepEqual(lines('{ provider: scripted }'), ['3:3 missing-key']);
  assert.deepEqual(lines('{ provider: scripted, file: f, model: x }'), ['3:37 wrong-value']);
  assert.deepEqual(lines('{ provider: openai, model: x, file: f }'), ['3:36 wrong-value']);
  assert.deepEqual(lines('{ provider: openai, model: x, key: sk }'), ['3:36 unknown-key']);
  for (const url of ['file:///x', 'https://u:p@host/v1', 'https://host/?key=1', 'https://h o', 'host/v1']) {
    assert.deepEqual(lines(`{ provider: openai, model: x, url: "${url}" }`), ['3:41 wrong-value'], url);
  }
  for (const price of ['{ input: 1 }', '{}', '{ input: -1, output: 0 }', '{ input: "1", output: 0 }', '3']) {
    const found = lines(`{ provider: openai, model: x, price: ${price} }`);
    assert.equal(found.length, 1, `${price}: ${found.join()}`);
  }
  assert.deepEqual(lines('{ provider: openai, model: x, price: { input: 0, output: 0.075 } }'), ['1:1 no-rules']);
  const { issues } = parse('interlock: 1\nmodels: { Big: { provider: openai, model: x } }\n');
  assert.deepEqual(
    issues.map(({ code }) => code),
    ['model-name-malformed'],
  );
});

test('a key that was written where its variable belongs is not repeated in the message', () => {
  const { issues } = parse('interlock: 1\nmodels: { m: { provider: openai, model: x, apiKeyEnv: sk-hunter2 } }\n');
  assert.deepEqual([issues.length, issues[0]?.code], [1, 'wrong-value']);
  assert.doesNotMatch(JSON.stringify(issues), /hunter2/u);
});

test('a rule or a declaration about a model that there is not is a mistake', () => {
  assert.ok(told('rules: [{ allow: llm.suport }]\n').some((line) => line.includes('pattern-matches-nothing')));
  const none = parse('interlock: 1\nrules: [{ allow: llm.support }]\n');
  assert.equal(none.policy, undefined);
  assert.match(none.issues[0]?.message ?? '', /no model is configured under `models`/u);
  assert.deepEqual(told('tools: { llm.support: { input: { type: object } } }\n'), ['6:25 input-of-model']);
  const server = parse('interlock: 1\nservers: { llm: { command: x } }\n');
  assert.equal(server.issues[0]?.code, 'server-id-reserved');
});
