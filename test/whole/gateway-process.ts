/** The real gateway as a child process before the payment server, spoken to line by line. */

import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { STATE_HOME } from '../state-home.ts';

const ROOT = join(import.meta.dirname, '../..');
export const INTERLOCK: string = join(ROOT, 'bin/interlock.js');

/** A directory with a policy that lets payments through, and the file in which the server counts its effects. */
export interface PaymentsPlace extends Disposable {
  readonly directory: string;
  readonly data: string;
  /** While this file exists the server does not answer. */
  readonly hold: string;
  /** The charges paid so far, one an effect. */
  paid(): string[];
}

/** `server` is written in the server's entry, `declared` under `payments.create_payment`, `more` at the end of the file. */
export function paymentsPlace(
  written: { readonly server?: string; readonly declared?: string; readonly more?: string } = {},
): PaymentsPlace {
  const { server = 'timeoutMs: 60000', declared = 'effect: irreversible', more = '' } = written;
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'interlock-whole-')));
  const file = join(directory, 'payments.jsonl');
  const hold = join(directory, 'hold');
  const args = [join(ROOT, 'examples/payments-server.ts'), '--file', file, '--hold', hold];
  writeFileSync(
    join(directory, 'interlock.yaml'),
    `interlock: 1
servers:
  payments: { command: ${JSON.stringify(process.execPath)}, args: ${JSON.stringify(args)}, ${server} }
tools:
  payments.get_payment: { effect: read }
  payments.create_payment: { ${declared} }
rules:
  - allow: payments.*
${more}
`,
  );
  return {
    directory,
    hold,
    data: join(directory, '.interlock'),
    paid: () =>
      existsSync(file)
        ? readFileSync(file, 'utf8')
            .split('\n')
            .filter((line) => line !== '')
            .map((line) => (JSON.parse(line) as { charge: string }).charge)
        : [],
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** What `interlock verify` says of the place's log. */
export function verified(place: PaymentsPlace): { readonly verdict: string; readonly problems: readonly unknown[] } {
  const run = spawnSync(process.execPath, [INTERLOCK, 'verify', '--json'], { cwd: place.directory, encoding: 'utf8' });
  const { verdict, problems } = JSON.parse(run.stdout) as { verdict: string; problems: unknown[] };
  return { verdict, problems };
}

export interface ToolAnswer {
  readonly isError?: boolean;
  readonly content: readonly { readonly text: string }[];
  readonly _meta: {
    readonly 'interlock/call': { readonly id: string; readonly state: string; readonly replayed: boolean };
    readonly 'interlock/decision'?: { readonly code: string };
  };
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

/** Of what a gateway says on standard error, its last characters. */
const TOLD_MAX = 2_000;

export class GatewayProcess {
  readonly process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #waiting = new Map<number, PromiseWithResolvers<Message>>();
  readonly #ended = Promise.withResolvers<number | NodeJS.Signals>();
  /** What the host answers when it is asked something. */
  answer: (method: string, params: unknown) => unknown = () => ({});
  #last = 0;
  #killed: boolean;

  /** With a fault point in `environment` it kills itself there. */
  constructor(place: Pick<PaymentsPlace, 'directory'>, environment: Readonly<Record<string, string>> = {}) {
    this.#killed = Object.hasOwn(environment, 'INTERLOCK_DIE_AT');
    const args = [INTERLOCK, 'gateway'];
    this.process = spawn(process.execPath, args, {
      cwd: place.directory,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, XDG_STATE_HOME: STATE_HOME, ...environment },
    });
    this.process.stdin.on('error', () => undefined);
    createInterface({ input: this.process.stdout }).on('line', (line) => {
      const message = JSON.parse(line) as Message;
      const { id, method, params } = message;
      if (id !== undefined && method !== undefined) this.#send({ id, result: this.answer(method, params) });
      else if (typeof message.id === 'number') this.#waiting.get(message.id)?.resolve(message);
    });
    let told = '';
    this.process.stderr.on('data', (chunk: Buffer) => (told = `${told}${chunk.toString()}`.slice(-TOLD_MAX)));
    this.process.on('exit', (code, signal) => this.#ended.resolve(signal ?? code ?? 0));
    // Its last words may come after its end.
    this.process.on('close', (code, signal) => {
      if (this.#killed) return;
      const error = new Error(`the gateway ended (${code ?? signal}): ${told}`);
      for (const { reject } of this.#waiting.values()) reject(error);
    });
  }

  /** Resolves with the answer; never, when `kill` ends the gateway first. */
  request(method: string, params: unknown, cancel = false): Promise<Message> {
    const id = (this.#last += 1);
    const answered = Promise.withResolvers<Message>();
    this.#waiting.set(id, answered);
    const cancelled = { method: 'notifications/cancelled', params: { requestId: id } };
    this.#send({ id, method, params }, ...(cancel ? [cancelled] : []));
    return answered.promise;
  }

  /** At once, so that the gateway finds them together. */
  #send(...messages: readonly object[]): void {
    this.process.stdin.write(messages.map((each) => `${JSON.stringify({ jsonrpc: '2.0', ...each })}\n`).join(''));
  }

  async hello(capabilities: object = {}): Promise<void> {
    const client = { name: 'test', version: '1' };
    await this.request('initialize', { protocolVersion: '2025-11-25', capabilities, clientInfo: client });
    this.#send({ method: 'notifications/initialized' });
    await this.request('tools/list', {});
  }

  async pay(charge: string, key?: string): Promise<ToolAnswer> {
    const args = { charge, amount: 100, currency: 'eur', to: 'somebody' };
    const meta = key === undefined ? {} : { _meta: { 'interlock/key': key } };
    const params = { name: 'payments__create_payment', arguments: args, ...meta };
    return (await this.request('tools/call', params)).result as ToolAnswer;
  }

  /** Calls a tool of the server `bank`; `cancel` takes it back in the same breath. */
  async ask(tool: string, args: unknown, key: string, cancel = false): Promise<ToolAnswer> {
    const params = { name: `bank__${tool}`, arguments: args, _meta: { 'interlock/key': key } };
    const answered = this.request('tools/call', params, cancel);
    return (await answered).result as ToolAnswer;
  }

  /** How it ended: a code, or the name of a signal. */
  ended(): Promise<number | NodeJS.Signals> {
    return this.#ended.promise;
  }

  async kill(): Promise<void> {
    const { exitCode, signalCode } = this.process;
    const exited = exitCode === null && signalCode === null ? once(this.process, 'exit') : undefined;
    this.#killed = true;
    this.process.kill('SIGKILL');
    await exited;
  }

  /** Ends the input; resolves with the exit code. */
  async close(): Promise<number | null> {
    const exited = once(this.process, 'exit');
    this.process.stdin.end();
    const [code] = (await exited) as [number | null];
    return code;
  }
}

/** A gateway pays `ch_1` under the key `k`, and is killed between the effect and its answer. */
export async function killedBeforeItsAnswer(place: PaymentsPlace): Promise<void> {
  writeFileSync(place.hold, '');
  const doomed = new GatewayProcess(place);
  await doomed.hello();
  void doomed.pay('ch_1', 'k');
  while (place.paid().length === 0) await new Promise(setImmediate);
  await doomed.kill();
  rmSync(place.hold);
}
