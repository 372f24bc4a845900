/** `interlock run` with models: what they see, what becomes of what they say, and what it takes. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ModelAnswer, modelServer } from '../model-server.ts';
import { Scratch, json, run } from './command.ts';

const PAYMENTS = join(import.meta.dirname, '../../examples/payments-server.ts');
const EMAIL = 'bob@example.com';

const PROGRAM = `program: pay
input: { type: object, required: [who], properties: { who: {type: string} } }
events: { go: { type: object } }
limits: { usd: 1 }
start: ask
steps:
  ask: { llm: first, fallback: [second], prompt: "who is to be paid: \${{ input.who }}?", next: hold, on_error: bad }
  hold: { wait: go, timeout: 1h, next: pay, expired: bad }
  pay:
    tool: payments.create_payment
    args: { charge: c1, amount: 5, currency: eur, to: "\${{ steps.ask.output }}" }
    next: done
    on_error: bad
  done: { end: success, output: { to: "\${{ steps.ask.output }}" } }
  bad: { end: not-paid }
`;

function place(
  scratch: Scratch,
  url: string,
): { readonly paid: () => string; readonly around: { directory: string; environment: Record<string, string> } } {
  const args = JSON.stringify([PAYMENTS, '--file', scratch.at('paid.jsonl')]);
  const model = `{ provider: openai-compatible, model: x, url: "${url}", price: { input: 2, output: 10 } }`;
  scratch.write(
    'interlock.yaml',
    `interlock: 1
servers: { payments: { command: ${JSON.stringify(process.execPath)}, args: ${args} } }
models: { first: ${model}, second: ${model} }
tools: { payments.create_payment: { effect: irreversible, key: args.charge } }
rules: [{ allow: payments.* }, { allow: "llm.*" }]
`,
  );
  scratch.write('pay.yaml', PROGRAM);
  const paid = (): string =>
    existsSync(scratch.at('paid.jsonl')) ? readFileSync(scratch.at('paid.jsonl'), 'utf8') : '';
  return { paid, around: { directory: scratch.path, environment: { PATH: process.env['PATH'] ?? '' } } };
}

test('what a model answers with a reference reaches the tool as the value, in the process that goes on [R-model-reference]', async () => {
  const seen: string[] = [];
  await using server = await modelServer(({ text }): ModelAnswer => {
    seen.push(text);
    if (seen.length === 1) return { text: 'cut', input: 7, output: 4, stop: 'length' };
    return { text: /vault:\/\/s_[\w-]+\/\d+/u.exec(text)?.[0] ?? 'nobody', input: 10, output: 3 };
  });
  using scratch = new Scratch();
  const { paid, around } = place(scratch, server.url);
  const first = await run(['run', 'pay.yaml', '--input', JSON.stringify({ who: EMAIL }), '--json'], around);
  const started = json(first.out);
  assert.deepEqual([first.code, started['status'], paid()], [6, 'suspended', ''], first.err);
  const second = await run(['signal', String(started['run']), 'go', '--json'], around);
  const { status, output, receipt } = json(second.out);
  assert.deepEqual([second.code, status], [0, 'success'], second.err);
  assert.match(paid(), /"to":"bob@example\.com"/u);
  assert.match((output as { to: string }).to, /^vault:\/\//u, 'to the run it stays a reference');
  // The answer that was cut off is counted too: 17 × 2 + 7 × 10 millionths of a dollar.
  const { tokens, microUsd } = (receipt as { spent: { tokens: number; microUsd: number } }).spent;
  assert.deepEqual([seen.length, tokens, microUsd], [2, 24, 104]);
  for (const text of seen) assert.ok(!text.includes(EMAIL));
  const log = await run(['log', '--json'], around);
  assert.ok(!log.out.includes(EMAIL));
  assert.equal((await run(['verify', '--deep'], around)).code, 0);
});

test(
  'a model that hangs is left when the time of its step is over, and the next one is asked',
  { timeout: 30_000 },
  async () => {
    let asked = 0;
    await using server = await modelServer((): ModelAnswer => {
      asked += 1;
      return asked === 1 ? 'hang' : { text: 'nobody', input: 1, output: 1 };
    });
    using scratch = new Scratch();
    const { around } = place(scratch, server.url);
    scratch.write('pay.yaml', PROGRAM.replace('next: hold', 'timeout: 500ms, next: hold'));
    const { code, err } = await run(['run', 'pay.yaml', '--input', '{"who":"x"}'], around);
    assert.deepEqual([code, asked], [6, 2], err);
  },
);
