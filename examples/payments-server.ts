/**
 * A small MCP payment server on stdio that keeps its books in a file, where its effects can be counted from outside.
 *
 * It is not idempotent on purpose: two calls are two payments, whatever they say. It can answer late: by
 * `--answer-delay-ms N`, or for as long as the file of `--hold FILE` exists. In both cases the payment stands in the
 * file before the answer goes out, so that whoever waits for the answer can be killed in between.
 */

import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { McpServer } from '@modelcontextprotocol/server';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { CfWorkerJsonSchemaValidator } from '@modelcontextprotocol/server/validators/cf-worker';
import { z } from 'zod';

const USAGE = 'usage: payments-server --file FILE [--answer-delay-ms N] [--hold FILE]';
const HOLD_POLL_MS = 10;

interface Options {
  readonly file: string;
  readonly answerDelayMs: number;
  readonly hold?: string;
}

const CreateInput = z.object({
  charge: z.string().min(1).describe('your name for what is paid'),
  amount: z.int().min(1).max(1_000_000).describe('in cents'),
  currency: z.enum(['usd', 'eur']),
  to: z.string().min(1).describe('who is paid'),
});

const Payment = z.object({ payment: z.string(), ...CreateInput.shape });
type Payment = z.infer<typeof Payment>;

const CreateOutput = z.object({ payment: z.string(), charge: z.string(), amount: z.int() });
const GetOutput = z.object({ charge: z.string(), count: z.int(), payments: z.array(Payment) });

function parseOptions(args: readonly string[]): Options {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ args: [...args], options: { file: text, hold: text, 'answer-delay-ms': text } });
  const answerDelayMs = Number(values['answer-delay-ms'] ?? 0);
  if (values.file === undefined) throw new Error('`--file` is missing');
  if (!Number.isInteger(answerDelayMs) || answerDelayMs < 0) {
    throw new Error(`\`--answer-delay-ms\` is a whole number of milliseconds, not \`${values['answer-delay-ms']}\``);
  }
  return { file: values.file, answerDelayMs, ...(values.hold === undefined ? {} : { hold: values.hold }) };
}

/** Appends one line in one write and makes it durable. A crash before the fsync may leave no line or part of one. */
function append(file: string, payment: Payment): void {
  const descriptor = openSync(file, 'a');
  try {
    writeSync(descriptor, `${JSON.stringify(payment)}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The payments of whole lines; what a crash left of a last one is none. */
function paymentsFor(file: string, charge: string): Payment[] {
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => Payment.parse(JSON.parse(line))).filter((payment) => payment.charge === charge);
}

/** Resolves when the answer may go out, or rejects when nobody waits for it any more. */
async function answerTime({ answerDelayMs, hold }: Options, signal: AbortSignal): Promise<void> {
  if (answerDelayMs > 0) await wait(answerDelayMs, undefined, { signal });
  while (hold !== undefined && existsSync(hold)) await wait(HOLD_POLL_MS, undefined, { signal });
}

function paymentsServer(options: Options): McpServer {
  const server = new McpServer(
    { name: 'payments', version: '1.0.0' },
    { jsonSchemaValidator: new CfWorkerJsonSchemaValidator() },
  );
  server.registerTool(
    'create_payment',
    {
      title: 'Create a payment',
      description: 'Pays `amount` cents at once. Two calls are two payments.',
      inputSchema: CreateInput,
      outputSchema: CreateOutput,
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
    },
    async (input, context) => {
      const payment = { payment: `pay_${randomUUID()}`, ...input };
      append(options.file, payment);
      await answerTime(options, context.mcpReq.signal);
      const output = { payment: payment.payment, charge: payment.charge, amount: payment.amount };
      return { content: [{ type: 'text', text: JSON.stringify(output) }], structuredContent: output };
    },
  );
  server.registerTool(
    'get_payment',
    {
      title: 'Look up payments',
      description: 'The payments that were made for a charge.',
      inputSchema: CreateInput.pick({ charge: true }),
      outputSchema: GetOutput,
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ charge }) => {
      const payments = paymentsFor(options.file, charge);
      const output = { charge, count: payments.length, payments };
      return { content: [{ type: 'text', text: JSON.stringify(output) }], structuredContent: output };
    },
  );
  return server;
}

try {
  const options = parseOptions(process.argv.slice(2));
  closeSync(openSync(options.file, 'a'));
  await paymentsServer(options).connect(new StdioServerTransport());
} catch (error) {
  process.stderr.write(`payments-server: ${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
  process.exitCode = 2;
}
