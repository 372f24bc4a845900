/** The official client, over its own stdio transport, sees an ordinary server. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { EVERYTHING, script } from './harness.ts';

const client = new Client(
  { name: 'official', version: '1' },
  { capabilities: { sampling: {}, roots: {}, elicitation: {} } },
);

before(async () => {
  client.setRequestHandler('sampling/createMessage', () => ({
    model: 'none',
    role: 'assistant',
    content: { type: 'text', text: 'because' },
  }));
  client.setRequestHandler('roots/list', () => ({ roots: [] }));
  client.setRequestHandler('elicitation/create', () => ({ action: 'decline' }));
  const args = [script('relay-entry.ts'), ...EVERYTHING];
  await client.connect(new StdioClientTransport({ command: process.execPath, args, stderr: 'ignore' }));
});

after(() => client.close());

test('it connects, and the server is interlock', () => {
  assert.equal(client.getServerVersion()?.name, 'interlock');
});

test('it lists and calls tools, and its own check of structured content passes', async () => {
  const { tools } = await client.listTools();
  assert.ok(tools.some((tool) => tool.name === 'it__get-structured-content' && tool.outputSchema !== undefined));
  const result = await client.callTool({ name: 'it__get-structured-content', arguments: { location: 'Chicago' } });
  assert.equal(typeof result.structuredContent, 'object');
});

test('it is told of progress', async () => {
  const seen: number[] = [];
  await client.callTool(
    { name: 'it__trigger-long-running-operation', arguments: { duration: 0.3, steps: 3 } },
    { onprogress: ({ progress }) => void seen.push(progress) },
  );
  // The last one shares its read with the result, and this client forgets its listener at the result.
  assert.deepEqual(seen.slice(0, 2), [1, 2]);
});

test('it is asked for samples and for input', async () => {
  const sampled = await client.callTool({ name: 'it__trigger-sampling-request', arguments: { prompt: 'why' } });
  assert.match(JSON.stringify(sampled.content), /because/);
  const elicited = await client.callTool({ name: 'it__trigger-elicitation-request', arguments: {} });
  assert.match(JSON.stringify(elicited.content), /declined/);
});

test('it reads resources and prompts', async () => {
  const { resources } = await client.listResources();
  const uri = resources[0]?.uri ?? '';
  assert.equal((await client.readResource({ uri })).contents[0]?.uri, uri);
  const { prompts } = await client.listPrompts();
  assert.ok(prompts.some((prompt) => prompt.name === 'it__simple-prompt'));
  assert.equal((await client.getPrompt({ name: 'it__simple-prompt' })).messages.length, 1);
});

test('a cancelled call is cancelled', async () => {
  const controller = new AbortController();
  const call = client.callTool(
    { name: 'it__trigger-long-running-operation', arguments: { duration: 30, steps: 300 } },
    { signal: controller.signal, onprogress: () => controller.abort() },
  );
  await assert.rejects(call);
  assert.match(JSON.stringify(await client.callTool({ name: 'it__echo', arguments: { message: 'on' } })), /Echo: on/);
});
