/**
 * An MCP server that pays, on stdio: `node bank-server.ts BOOKS`. Each payment is a line `CHARGE KEY` of the file BOOKS
 * before anything is answered, so that effects are counted outside of it. What it does then, the call's `conduct` says:
 * `pay` answers, `fail` answers with an error, `exit` ends the process. Calls with a key that it knows pay nothing.
 */

import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

interface Given {
  readonly charge: string;
  readonly amount: number;
  readonly conduct: string;
  readonly key?: string;
}

interface Request {
  readonly id?: number;
  readonly method: string;
  readonly params?: { readonly name?: string; readonly arguments?: Given; readonly protocolVersion?: string };
}

const [, , books = ''] = process.argv;
appendFileSync(books, `server ${process.pid}\n`);

function pays(name: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  const properties = { charge: { type: 'string' }, amount: { type: 'integer' }, conduct: { type: 'string' }, ...more };
  return { name, inputSchema: { type: 'object', properties, required: ['charge', 'amount', 'conduct'] } };
}

const TOOLS = [
  pays('pay'),
  pays('pay_probed'),
  pays('pay_keyed', { key: { type: 'string' } }),
  { name: 'look', inputSchema: { type: 'object', properties: { charge: { type: 'string' } } } },
];

function paid(charge: string): string[] {
  const lines = existsSync(books) ? readFileSync(books, 'utf8').split('\n') : [];
  return lines.filter((line) => line.startsWith(`paid ${charge} `));
}

function call(name: string, { charge, conduct, key = '-' }: Given): unknown {
  const said = (count: number, isError: boolean): unknown => ({
    content: [{ type: 'text', text: `${charge}: ${count}` }],
    structuredContent: { charge, count },
    isError,
  });
  if (name === 'look') return said(paid(charge).length, false);
  if (key !== '-' && paid(charge).includes(`paid ${charge} ${key}`)) return said(1, false);
  appendFileSync(books, `paid ${charge} ${key}\n`);
  if (conduct === 'exit') process.exit(0);
  return said(paid(charge).length, conduct === 'fail');
}

function answer({ method, params }: Request): unknown {
  if (method === 'tools/list') return { tools: TOOLS };
  if (method === 'tools/call' && params?.arguments !== undefined) return call(params.name ?? '', params.arguments);
  const serverInfo = { name: 'bank', version: '1' };
  return { protocolVersion: params?.protocolVersion, capabilities: { tools: {} }, serverInfo };
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const request = JSON.parse(line) as Request;
  if (request.id === undefined) return;
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id: request.id, result: answer(request) })}\n`);
});
