/**
 * An MCP server whose tools are the JSON in a file, read at each listing: `node changing-server.ts TOOLS CALLS`. Each
 * call, and each start, is a line of CALLS.
 */

import { appendFileSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

interface Message {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: { readonly protocolVersion?: string; readonly name?: string };
}

const [tools = '', calls = ''] = process.argv.slice(2);
appendFileSync(calls, 'start\n');

function answer({ method, params }: Message): unknown {
  switch (method) {
    case 'initialize':
      return {
        protocolVersion: params?.protocolVersion,
        capabilities: { tools: { listChanged: false } },
        serverInfo: { name: 'changing', version: '1' },
      };
    case 'tools/list':
      return { tools: JSON.parse(readFileSync(tools, 'utf8')) as unknown };
    case 'tools/call':
      appendFileSync(calls, `${params?.name}\n`);
      return { content: [{ type: 'text', text: 'done' }] };
    default:
      return {};
  }
}

for await (const line of createInterface(process.stdin)) {
  const message = JSON.parse(line) as Message;
  if (message.id === undefined) continue;
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id: message.id, result: answer(message) })}\n`);
}
