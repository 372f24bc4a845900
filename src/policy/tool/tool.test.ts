import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, JsonValue } from '../../value/json.ts';
import { isMethodName, methodsOf } from './method.ts';
import { defineTool } from './tool.ts';
import type { ToolDefinition } from './tool.ts';

function defined(raw: JsonObject): ToolDefinition {
  const result = defineTool('files', raw);
  assert.ok(result.ok, JSON.stringify(result));
  return result.tool;
}

const RAW: JsonObject = {
  name: 'read',
  title: 'Read',
  description: 'reads',
  inputSchema: { type: 'object' },
  outputSchema: { type: 'object' },
  annotations: { readOnlyHint: true },
};

test('a definition has the policy name, the members of the protocol and what the server sent', () => {
  const tool = defined({ ...RAW, icons: [] });
  assert.deepEqual([tool.name, tool.server, tool.upstreamName], ['files.read', 'files', 'read']);
  assert.deepEqual(tool.raw['icons'], []);
});

test('the digest changes with each member that is pinned, and with no other', () => {
  const { digest } = defined(RAW);
  const changes: Record<string, JsonValue> = {
    name: 'read2',
    title: 'Other',
    description: 'reads and sends',
    inputSchema: { type: 'object', properties: {} },
    outputSchema: {},
    annotations: { readOnlyHint: false },
  };
  for (const [key, value] of Object.entries(changes))
    assert.notEqual(defined({ ...RAW, [key]: value }).digest, digest, key);
  assert.equal(defined({ ...RAW, icons: [], _meta: { a: 1 } }).digest, digest);
  assert.equal(defined(Object.fromEntries(Object.entries(RAW).reverse())).digest, digest);
  const { title: _, ...untitled } = RAW;
  assert.notEqual(defined(untitled).digest, digest);
});

test('what is no tool is refused with a reason', () => {
  const wrong: readonly JsonValue[] = [
    null,
    [],
    {},
    { name: '' },
    { name: 1, inputSchema: {} },
    { name: 'a' },
    { name: 'a', inputSchema: [] },
    { name: 'a\u202Eb', inputSchema: {} },
    { name: 'a\nb', inputSchema: {} },
    { name: 'a'.repeat(300), inputSchema: {} },
  ];
  for (const raw of wrong) {
    const result = defineTool('files', raw);
    assert.ok(!result.ok && result.message !== '', JSON.stringify(raw));
  }
});

test('the methods of a server are decided on under its name', () => {
  const names = new Set(methodsOf('files').map((method) => method.name));
  assert.ok(names.has('files.resources/read') && names.has('files.prompts/get'));
  assert.equal(isMethodName('resources/read'), true);
  assert.equal(isMethodName('toString'), false);
});
