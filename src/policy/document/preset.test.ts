import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../value/json.ts';
import type { Issue } from '../../value/issue.ts';
import { compilePolicy } from '../compile.ts';
import type { Policy } from '../compile.ts';
import { parseConfiguration } from './configuration.ts';
import { couldAllow, decide } from '../decide/decide.ts';
import type { Decision } from '../decide/decision.ts';
import { defineTool } from '../tool/tool.ts';
import type { ToolDefinition } from '../tool/tool.ts';

function compiled(
  preset: string,
  more: JsonObject = {},
): { readonly policy: Policy; readonly issues: readonly Issue[] } {
  const data = {
    interlock: 1,
    preset,
    servers: { t: { command: 'x' } },
    tools: { 't.read': { effect: 'read' }, 't.write': { effect: 'write', key: '"k"' } },
    rules: [{ allow: '*' }, { allow: '*/*' }, { deny: 't.read', when: 'args.n > 5' }],
    ...more,
  };
  const parsed = parseConfiguration(JSON.stringify(data), { file: 'f', environment: {} });
  assert.ok(parsed.ok, JSON.stringify(parsed));
  const tools = new Map<string, ToolDefinition>();
  for (const name of ['read', 'write', 'other']) {
    const inputSchema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] };
    const defined = defineTool('t', { name, inputSchema });
    assert.ok(defined.ok);
    tools.set(defined.tool.name, defined.tool);
  }
  const { policy, issues } = compilePolicy(parsed.value, tools, { complete: new Set(['t']) });
  assert.ok(policy !== undefined, JSON.stringify(issues));
  return { policy, issues };
}

function deciding(policy: Policy, tool: string, args: JsonObject = { n: 1 }): Decision {
  const call = { id: 'c', attempt: 1, key: '' };
  return decide(policy, { principal: 'local', tool, args, call, run: { id: 'r', depth: 0 }, now: 0 });
}

function said(decision: Decision): string {
  return `${decision.effect} ${decision.code} ${decision.rules.join(' ')}`.trim();
}

test('read-only denies what is not declared to read, whatever the rules allow', () => {
  const { policy } = compiled('read-only');
  assert.equal(said(deciding(policy, 't.read')), 'allow allowed rules/0');
  assert.equal(said(deciding(policy, 't.read', { n: 6 })), 'deny denied-by-rule rules/2');
  for (const tool of ['t.write', 't.other', 't.resources/read']) {
    const args = tool === 't.resources/read' ? { uri: 'x:y' } : { n: 1 };
    assert.equal(said(deciding(policy, tool, args)), 'deny denied-by-rule preset/read-only');
    assert.equal(couldAllow(policy, 'local', tool), false, 'and nobody sees it');
  }
  const words = 'the preset `read-only` denies what is not declared `effect: read`';
  assert.equal(deciding(policy, 't.write').explanation, `t.write is denied by preset/read-only: ${words}`);
});

test('strict asks about what is not declared to read, and allows nothing by itself', () => {
  const { policy } = compiled('strict');
  assert.equal(said(deciding(policy, 't.read')), 'allow allowed rules/0');
  assert.equal(said(deciding(policy, 't.write')), 'ask asked preset/strict');
  assert.equal(said(deciding(policy, 't.other')), 'ask asked preset/strict');
  const bare = compiled('strict', { rules: [] }).policy;
  assert.equal(said(deciding(bare, 't.read')), 'deny no-rule');
  assert.equal(said(deciding(bare, 't.write')), 'deny no-rule');
});

test('shadow lets through what the rules deny or ask about, and tells it; the other gates stay', () => {
  const { policy, issues } = compiled('shadow', { rules: [{ deny: 't.read', when: 'args.n > 5' }] });
  const denied = deciding(policy, 't.read', { n: 6 });
  assert.equal(said(denied), 'allow allowed');
  assert.deepEqual(denied.shadowed, { effect: 'deny', code: 'denied-by-rule', rules: ['rules/0'] });
  assert.match(
    denied.explanation,
    /^t\.read is let through, because the policy only watches; otherwise t\.read is denied/u,
  );
  assert.equal(deciding(policy, 't.other').shadowed?.code, 'no-rule');
  assert.equal(couldAllow(policy, 'local', 't.other'), true);
  assert.equal(said(deciding(policy, 't.read', { n: 'x' })), 'deny schema-mismatch');
  assert.equal(said(deciding(policy, 't.unknown')), 'deny unknown-tool');
  assert.ok(issues.some(({ code }) => code === 'preset-shadow'));
  assert.equal(
    deciding(compiled('shadow').policy, 't.read').shadowed,
    undefined,
    'what is allowed anyway says nothing',
  );
});

test('a preset adds nothing that is warned of, and its ids cannot be taken', () => {
  for (const preset of ['read-only', 'strict']) {
    const { issues } = compiled(preset, { rules: [{ allow: 't.read' }] });
    assert.deepEqual(issues, []);
  }
  const data = { interlock: 1, preset: 'strict', rules: [{ id: 'preset/x', allow: '*' }] };
  const parsed = parseConfiguration(JSON.stringify(data), { file: 'f', environment: {} });
  assert.deepEqual([parsed.ok, parsed.ok ? '' : parsed.issues[0]?.code], [false, 'wrong-value']);
  const unknown = parseConfiguration('interlock: 1\npreset: readonly\n', { file: 'f', environment: {} });
  assert.equal(unknown.ok ? '' : unknown.issues[0]?.hint, 'did you mean `read-only`?');
});

test('no preset changes how a policy without servers compiles', () => {
  const parsed = parseConfiguration('interlock: 1\npreset: read-only\n', { file: 'f', environment: {} });
  assert.ok(parsed.ok);
  const { issues } = compilePolicy(parsed.value, new Map());
  assert.deepEqual(
    issues.filter(({ severity }) => severity === 'error'),
    [],
  );
});
