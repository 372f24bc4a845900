/** The official MCP client as the host of a real gateway, whose policy lets it run programs over the payment server. */

import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { STATE_HOME } from '../state-home.ts';
import { INTERLOCK } from './gateway-process.ts';

/** What a tool answered, as far as the tests look at it. */
export interface Told {
  readonly isError: boolean;
  readonly text: string;
  readonly told: Readonly<Record<string, unknown>>;
  readonly meta: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Pays, waits to be told that somebody confirmed it, and ends. */
export const PAY = `program: pay
input:
  type: object
  required: [charge]
  properties: { charge: { type: string } }
  additionalProperties: false
events: { confirmed: { type: object, required: [by], properties: { by: { type: string } } } }
start: pay
steps:
  pay:
    tool: payments.create_payment
    args: { charge: "\${{ input.charge }}", amount: 100, currency: eur, to: somebody }
    on_error: failed
    next: wait
  wait: { wait: confirmed, timeout: 1h, next: done, expired: late }
  done: { end: success, output: { payment: "\${{ steps.pay.output.payment }}", by: "\${{ steps.wait.output.by }}" } }
  late: { end: late }
  failed: { end: failed }
`;

/** Pays twice, so that there is a step to go on with. */
export const TWICE = `program: twice
start: one
steps:
  one: { tool: payments.create_payment, args: { charge: ch_1, amount: 1, currency: eur, to: a }, on_error: failed, next: two }
  two: { tool: payments.create_payment, args: { charge: ch_2, amount: 1, currency: eur, to: a }, on_error: failed, next: done }
  done: { end: success, output: { done: true } }
  failed: { end: failed }
`;

export class ProgramHost implements AsyncDisposable {
  readonly client: Client = new Client({ name: 'host', version: '1' });
  readonly #transport: StdioClientTransport;

  private constructor(transport: StdioClientTransport) {
    this.#transport = transport;
  }

  /** A gateway in `directory`; `args` come after its name. */
  static async start(directory: string, ...args: readonly string[]): Promise<ProgramHost> {
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [INTERLOCK, 'gateway', ...args],
      cwd: directory,
      env: { PATH: process.env['PATH'] ?? '', XDG_STATE_HOME: STATE_HOME },
      stderr: 'ignore',
    });
    const host = new ProgramHost(transport);
    await host.client.connect(transport);
    return host;
  }

  async names(): Promise<readonly string[]> {
    return (await this.client.listTools()).tools.map(({ name }) => name);
  }

  async call(tool: string, args: Readonly<Record<string, unknown>> = {}, key?: string): Promise<Told> {
    const meta = key === undefined ? {} : { _meta: { 'interlock/key': key } };
    const result = await this.client.callTool({ name: `interlock__${tool}`, arguments: args, ...meta });
    const [first] = result.content as readonly { readonly text?: string }[];
    return {
      isError: result.isError === true,
      text: first?.text ?? '',
      told: (result.structuredContent ?? {}) as Told['told'],
      meta: (result._meta ?? {}) as Told['meta'],
    };
  }

  /** How the run stands once `wanted` holds of its status. */
  async until(run: unknown, wanted: (status: unknown) => boolean): Promise<Told> {
    for (;;) {
      const found = await this.call('get_run', { run });
      if (wanted(found.told['status'])) return found;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Ends the gateway at once, as a crash does. */
  async kill(): Promise<void> {
    const { pid } = this.#transport;
    if (pid !== null) process.kill(pid, 'SIGKILL');
    await this.client.close();
  }

  /** Ends its input. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
  }
}

export function programFile(directory: string, name: string): string {
  return join(directory, name);
}
