/** An MCP host for the demonstration: the real client over a gateway process whose lines can also be written raw. */

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { Client, type JSONRPCMessage, type Transport } from '@modelcontextprotocol/client';

/** The two streams of one gateway process as a transport of the MCP client. */
class GatewayTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  readonly process: ChildProcessByStdio<Writable, Readable, Readable>;
  /** Resolves the next waiting `rawReply`. */
  #waiting: ((line: string) => void) | undefined;

  constructor(command: string, args: readonly string[], directory: string) {
    this.process = spawn(command, args, { cwd: directory, stdio: ['pipe', 'pipe', 'pipe'] });
  }

  async start(): Promise<void> {
    createInterface({ input: this.process.stdout }).on('line', (line) => {
      const message = JSON.parse(line) as { id?: unknown; error?: unknown };
      if (message.error !== undefined && message.id === null) this.#waiting?.(line);
      else this.onmessage?.(message as JSONRPCMessage);
    });
    this.process.on('exit', () => this.onclose?.());
    this.process.stdin.on('error', (error) => this.onerror?.(error));
  }

  async send(message: JSONRPCMessage): Promise<void> {
    this.process.stdin.write(`${JSON.stringify(message)}\n`);
  }

  /** Writes `line` as it is and resolves with the error line that answers it. */
  rawReply(line: string): Promise<string> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.process.stdin.write(`${line}\n`);
    });
  }

  async close(): Promise<void> {
    this.process.stdin.end();
  }
}

/** What Interlock tells beside a result, in `_meta`. */
interface Told {
  readonly id?: string;
  readonly state?: string;
  readonly replayed?: boolean;
  readonly code?: string;
  readonly rules?: readonly string[];
}

export interface CallResult {
  readonly text: string;
  readonly isError: boolean;
  readonly state: string;
  readonly call: string;
  readonly replayed: boolean;
  readonly code: string;
  readonly rules: readonly string[];
}

export class Host {
  readonly #transport: GatewayTransport;
  readonly #client = new Client({ name: 'interlock-demo', version: '1.0.0' });
  readonly #log: string[] = [];

  constructor(command: string, args: readonly string[], directory: string) {
    this.#transport = new GatewayTransport(command, args, directory);
    createInterface({ input: this.#transport.process.stderr }).on('line', (line) => this.#log.push(line));
  }

  async connect(): Promise<void> {
    await this.#client.connect(this.#transport);
  }

  async tools(): Promise<string[]> {
    return (await this.#client.listTools()).tools.map((tool) => tool.name);
  }

  async call(name: string, args: Record<string, unknown>, key?: string): Promise<CallResult> {
    const meta = key === undefined ? {} : { _meta: { 'interlock/key': key } };
    const result = await this.#client.callTool({ name, arguments: args, ...meta });
    const told = (result._meta ?? {}) as { [name: string]: Told | undefined };
    const [first] = result.content as { type: string; text?: string }[];
    return {
      text: first?.text ?? '',
      isError: result.isError === true,
      state: told['interlock/call']?.state ?? '',
      call: told['interlock/call']?.id ?? '',
      replayed: told['interlock/call']?.replayed ?? false,
      code: told['interlock/decision']?.code ?? 'allowed',
      rules: told['interlock/decision']?.rules ?? [],
    };
  }

  rawReply(line: string): Promise<string> {
    return this.#transport.rawReply(line);
  }

  /** The last lines the gateway logged, for the explanation of a failure. */
  logTail(): string {
    return this.#log.slice(-12).join('\n');
  }

  /** Ends the gateway at once, as a crash or a power loss would. */
  async kill(): Promise<void> {
    const exited = once(this.#transport.process, 'exit');
    this.#transport.process.kill('SIGKILL');
    await exited;
  }

  /** Ends the gateway's input and waits for it; resolves with its exit code. */
  async close(): Promise<number | null> {
    const { process: gateway } = this.#transport;
    const exited = gateway.exitCode === null ? once(gateway, 'exit') : Promise.resolve([gateway.exitCode]);
    await this.#client.close();
    const [code] = (await exited) as [number | null];
    return code;
  }
}
