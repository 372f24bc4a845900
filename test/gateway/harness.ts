/** A host that speaks raw lines, and the servers and doors that the gateway's tests put behind it. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Answer, Performed } from '../../src/authority/answer.ts';
import type { Door, Proposed } from '../../src/gateway/door.ts';
import { type Gateway, type GatewayOptions, openGateway } from '../../src/gateway/gateway.ts';
import type { ServerConfiguration } from '../../src/policy/document/server.ts';
import type { ToolDefinition } from '../../src/policy/tool/tool.ts';
import type { JsonObject, JsonValue } from '../../src/value/json.ts';
import { systemWorld } from '../../src/world/system.ts';

export const ROOT: string = fileURLToPath(new URL('../../', import.meta.url));
const MODULES = `${ROOT}node_modules/@modelcontextprotocol`;

export const EVERYTHING: readonly string[] = [`${MODULES}/server-everything/dist/index.js`, 'stdio'];
export const filesystem = (directory: string): readonly string[] => [
  `${MODULES}/server-filesystem/dist/index.js`,
  directory,
];
export const script = (name: string): string => `${ROOT}test/gateway/${name}`;

/** A message as it came. */
export interface Wire {
  readonly jsonrpc?: string;
  readonly id?: string | number | null;
  readonly method?: string;
  readonly params?: JsonObject;
  readonly result?: JsonObject;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: JsonValue };
}

type Answerer = (params: JsonObject) => JsonObject | Promise<JsonObject>;

/** What stands at `path` inside `value`. */
export function dig(value: unknown, ...path: readonly (string | number)[]): unknown {
  let at = value;
  for (const step of path) at = (at as Record<string | number, unknown> | undefined)?.[step];
  return at;
}

/** What stands at `path`, which must be a list. */
export function list(value: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const found = dig(value, ...path);
  assert.ok(Array.isArray(found), `expected a list at ${path.join('.')}, got ${JSON.stringify(value)?.slice(0, 300)}`);
  return found;
}

export const ALL_CAPABILITIES = {
  roots: { listChanged: true },
  sampling: {},
  elicitation: { form: {}, url: {} },
  tasks: { list: {}, cancel: {}, requests: { sampling: { createMessage: {} }, elicitation: { create: {} } } },
};

/** A host with no manners of its own: it sends what it is told and keeps all it hears. */
export class RawHost {
  readonly heard: Wire[] = [];
  readonly answers: Map<string, Answerer> = new Map();
  readonly #output: Writable;
  readonly #waiting = new Set<{ wanted: (message: Wire) => boolean; found: (message: Wire) => void }>();
  #nextId = 1;
  #held = Buffer.alloc(0);

  constructor(input: Readable, output: Writable) {
    this.#output = output;
    input.on('data', (chunk: Buffer) => {
      this.#held = Buffer.concat([this.#held, chunk]);
      for (let at = this.#held.indexOf(10); at !== -1; at = this.#held.indexOf(10)) {
        const line = this.#held.subarray(0, at).toString('utf8');
        this.#held = this.#held.subarray(at + 1);
        void this.#take(JSON.parse(line) as Wire);
      }
    });
  }

  async #take(message: Wire): Promise<void> {
    this.heard.push(message);
    for (const waiter of this.#waiting) {
      if (waiter.wanted(message)) {
        this.#waiting.delete(waiter);
        waiter.found(message);
      }
    }
    const answer = this.answers.get(message.method ?? '');
    if (message.id === undefined || answer === undefined) return;
    this.send({ jsonrpc: '2.0', id: message.id, result: await answer(message.params ?? {}) });
  }

  send(message: Wire): void {
    this.raw(`${JSON.stringify(message)}\n`);
  }

  raw(bytes: string | Uint8Array): void {
    this.#output.write(bytes);
  }

  end(): void {
    this.#output.end();
  }

  /** The first message, heard already or yet to come, that is `wanted`. */
  until(wanted: (message: Wire) => boolean): Promise<Wire> {
    const heard = this.heard.find(wanted);
    if (heard !== undefined) return Promise.resolve(heard);
    return new Promise((found) => this.#waiting.add({ wanted, found }));
  }

  notice(method: string): Promise<Wire> {
    return this.until((message) => message.method === method);
  }

  /** Sends a request and answers with its id and the whole response. */
  start(method: string, params?: JsonObject): { readonly id: number; readonly response: Promise<Wire> } {
    const id = this.#nextId;
    this.#nextId += 1;
    this.send({ jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) });
    return { id, response: this.until((message) => message.id === id && message.method === undefined) };
  }

  request(method: string, params?: JsonObject): Promise<Wire> {
    return this.start(method, params).response;
  }

  async hello(capabilities: JsonObject = {}, protocolVersion = '2025-11-25'): Promise<Wire> {
    const clientInfo = { name: 'raw', version: '0' };
    const response = await this.request('initialize', { protocolVersion, capabilities, clientInfo });
    this.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
    return response;
  }
}

/** Allows everything that is offered and keeps what it was asked; `rule` may answer instead. */
export class AllowAll implements Door {
  interactive = false;
  readonly own: Door['own'] = [];
  readonly proposals: Proposed[] = [];
  readonly outcomes: Performed[] = [];
  readonly refusedLines: string[] = [];
  readonly offers: Map<string, readonly ToolDefinition[] | undefined> = new Map();
  rule: (proposal: Proposed, call: string) => Answer | undefined = () => undefined;
  hidden: (tool: string) => boolean = () => false;
  /** Awaited between the decision and the performance. */
  delay: (proposal: Proposed) => Promise<unknown> = () => Promise.resolve();

  visible(tool: string): boolean {
    return !this.hidden(tool);
  }

  shown(definition: ToolDefinition): ToolDefinition['raw'] {
    return definition.raw;
  }

  async call(proposal: Proposed): Promise<Answer> {
    this.proposals.push(proposal);
    const call = `call-${this.proposals.length}`;
    const ruled = this.rule(proposal, call);
    if (ruled !== undefined) return ruled;
    if (!proposal.available) return refusal(call, 'upstream-unavailable', 'the server cannot be reached now');
    await this.delay(proposal);
    const performed = await proposal.perform(proposal.args);
    this.outcomes.push(performed);
    if ('output' in performed) return { call, state: performed.kind, replayed: false, output: performed.output };
    if (performed.kind === 'not-started') return refusal(call, 'upstream-unavailable', performed.reason, 'not-started');
    return refusal(call, 'outcome-unknown', performed.reason, 'unknown');
  }

  malformed(reason: string): void {
    this.refusedLines.push(reason);
  }

  offered(server: string, tools: readonly ToolDefinition[] | undefined): void {
    this.offers.set(server, tools);
  }
}

export function refusal(
  call: string,
  code: 'upstream-unavailable' | 'outcome-unknown' | 'no-rule',
  sentence: string,
  state: Answer['state'] = 'denied',
): Answer {
  const decision = { effect: 'deny', code, rules: [], retryable: code === 'upstream-unavailable' } as const;
  return { call, state, replayed: false, decision, sentence };
}

export function server(
  id: string,
  args: readonly string[],
  more: Partial<ServerConfiguration> = {},
): ServerConfiguration {
  return {
    id,
    place: { line: 1, column: 1 },
    command: process.execPath,
    args,
    env: new Map(),
    sandbox: 'off',
    timeoutMs: 60_000,
    startTimeoutMs: 10_000,
    ...more,
  };
}

export interface Rig {
  readonly host: RawHost;
  readonly door: AllowAll;
  readonly gateway: Gateway;
  readonly log: string[];
}

/** A gateway over in-memory streams. */
export function rig(servers: readonly ServerConfiguration[], more: Partial<GatewayOptions> = {}): Rig {
  const input = new PassThrough();
  const output = new PassThrough();
  const door = new AllowAll();
  const log: string[] = [];
  const gateway = openGateway({
    servers: new Map(servers.map((one) => [one.id, one])),
    directory: ROOT,
    environment: process.env,
    door,
    input,
    output,
    log: (line: string) => void log.push(line),
    world: systemWorld,
    version: '0.0.0',
    ...more,
  });
  return { host: new RawHost(output, input), door, gateway, log };
}

/** The same host, straight in front of a server. */
export function direct(args: readonly string[]): { readonly host: RawHost; readonly child: ChildProcess } {
  const child = spawn(process.execPath, [...args], { cwd: ROOT, stdio: ['pipe', 'pipe', 'ignore'] });
  return { host: new RawHost(child.stdout, child.stdin), child };
}

/** Whether a process of this id runs; one that only waits to be reaped by init does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^\d+ \(.*\) Z /s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    // Gone since, or a system without /proc.
    return !existsSync('/proc/self/stat') || !(error instanceof Error && 'code' in error && error.code === 'ENOENT');
  }
}
