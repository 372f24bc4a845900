/** The payment server with the real MCP client: it pays, counts, refuses, and answers when it is let. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { CfWorkerJsonSchemaValidator } from '@modelcontextprotocol/client/validators/cf-worker';

const SERVER = fileURLToPath(new URL('./payments-server.ts', import.meta.url));
const PAYMENT = { charge: 'ch_1', amount: 4200, currency: 'eur', to: 'acme' };

let root = '';

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'interlock-payments-'));
});

after(() => rm(root, { recursive: true }));

interface Connection extends AsyncDisposable {
  readonly client: Client;
  readonly transport: StdioClientTransport;
}

async function connect(...args: readonly string[]): Promise<Connection> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: ['--disallow-code-generation-from-strings', SERVER, ...args],
  });
  const client = new Client(
    { name: 'test', version: '1.0.0' },
    { jsonSchemaValidator: new CfWorkerJsonSchemaValidator() },
  );
  await client.connect(transport);
  return { client, transport, [Symbol.asyncDispose]: () => client.close() };
}

async function linesOf(file: string): Promise<Record<string, unknown>[]> {
  const lines = (await readFile(file, 'utf8')).split('\n');
  assert.equal(lines.pop(), '', 'the file ends in whole lines');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Waits until the file has `count` lines; the runner's timeout bounds it. */
async function untilLines(file: string, count: number): Promise<void> {
  while ((await readFile(file, 'utf8')).split('\n').length <= count);
}

test('the same payment twice is two lines with two ids', async () => {
  const file = join(root, 'twice.jsonl');
  await using connection = await connect('--file', file);
  const first = await connection.client.callTool({ name: 'create_payment', arguments: PAYMENT });
  const second = await connection.client.callTool({ name: 'create_payment', arguments: PAYMENT });
  const lines = await linesOf(file);
  assert.equal(lines.length, 2);
  for (const [at, answer] of [first, second].entries()) {
    assert.notEqual(answer.isError, true);
    assert.deepEqual(lines[at], { payment: lines[at]?.['payment'], ...PAYMENT });
    assert.deepEqual(answer.structuredContent, { payment: lines[at]?.['payment'], charge: 'ch_1', amount: 4200 });
  }
  assert.notEqual(lines[0]?.['payment'], lines[1]?.['payment']);
});

test('the payments of a charge are counted, and a torn last line is none', async () => {
  const file = join(root, 'count.jsonl');
  await using connection = await connect('--file', file);
  const count = async (charge: string): Promise<unknown> => {
    const answer = await connection.client.callTool({ name: 'get_payment', arguments: { charge } });
    return (answer.structuredContent as { readonly count: unknown }).count;
  };
  assert.equal(await count('ch_1'), 0);
  await connection.client.callTool({ name: 'create_payment', arguments: PAYMENT });
  await connection.client.callTool({ name: 'create_payment', arguments: { ...PAYMENT, charge: 'ch_2' } });
  await appendFile(file, '{"payment":"pay_x","char');
  assert.deepEqual([await count('ch_1'), await count('ch_2'), await count('ch_3')], [1, 1, 0]);
});

test('arguments outside the schema pay nothing', async () => {
  const file = join(root, 'refused.jsonl');
  await using connection = await connect('--file', file);
  const bad = [{ amount: 0 }, { amount: 1_000_001 }, { amount: 1.5 }, { amount: '1' }, { currency: 'gbp' }, { to: '' }];
  for (const part of bad) {
    const answer = await connection.client.callTool({ name: 'create_payment', arguments: { ...PAYMENT, ...part } });
    assert.equal(answer.isError, true, JSON.stringify(part));
  }
  assert.deepEqual(await linesOf(file), []);
});

test('the listed schema has integer cents and a closed set of currencies', async () => {
  await using connection = await connect('--file', join(root, 'list.jsonl'));
  const { tools } = await connection.client.listTools();
  assert.deepEqual(tools.map(({ name }) => name).sort(), ['create_payment', 'get_payment']);
  const properties = tools.find(({ name }) => name === 'create_payment')?.inputSchema.properties;
  assert.deepEqual(properties?.['amount'], {
    type: 'integer',
    minimum: 1,
    maximum: 1_000_000,
    description: 'in cents',
  });
  assert.deepEqual(properties?.['currency'], { type: 'string', enum: ['usd', 'eur'] });
});

test('while the hold file exists the payment is made and not answered', async () => {
  const file = join(root, 'held.jsonl');
  const hold = join(root, 'hold');
  await writeFile(hold, '');
  await using connection = await connect('--file', file, '--hold', hold);
  let answered = false;
  const answer = connection.client.callTool({ name: 'create_payment', arguments: PAYMENT }).then((result) => {
    answered = true;
    return result;
  });
  await untilLines(file, 1);
  await connection.client.ping();
  assert.equal(answered, false);
  await rm(hold);
  assert.notEqual((await answer).isError, true);
  assert.equal((await linesOf(file)).length, 1);
});

test('a caller that goes away leaves the payment and no server behind', async () => {
  const file = join(root, 'gone.jsonl');
  const hold = join(root, 'hold-gone');
  await writeFile(hold, '');
  const { client, transport } = await connect('--file', file, '--hold', hold);
  const { pid } = transport;
  const answer = assert.rejects(client.callTool({ name: 'create_payment', arguments: PAYMENT }));
  await untilLines(file, 1);
  await client.close();
  await answer;
  assert.throws(() => process.kill(pid ?? 0, 0), { code: 'ESRCH' });
  assert.equal((await linesOf(file)).length, 1);
});

test('a late answer comes no sooner than asked', async () => {
  await using connection = await connect('--file', join(root, 'late.jsonl'), '--answer-delay-ms', '50');
  const start = performance.now();
  await connection.client.callTool({ name: 'create_payment', arguments: PAYMENT });
  assert.ok(performance.now() - start >= 49);
});

test('bad options are said with the usage and exit 2', async () => {
  const bad = [[], ['--file', root], ['--file', join(root, 'x'), '--answer-delay-ms', 'soon'], ['--unknown']];
  for (const args of bad) {
    const [code, stderr] = await new Promise<[unknown, string]>((resolve) => {
      execFile(process.execPath, [SERVER, ...args], (error, _, text) => resolve([error?.code, text]));
    });
    assert.equal(code, 2, args.join(' '));
    assert.match(stderr, /^payments-server: .*\nusage: payments-server --file FILE/);
  }
});
