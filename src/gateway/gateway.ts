/** The gateway: one MCP server toward the host on a pair of streams, made of the servers of a configuration. */

import type { Readable, Writable } from 'node:stream';
import type { Reach } from '../authority/proposal.ts';
import type { ServerConfiguration } from '../policy/document/server.ts';
import type { World } from '../world/world.ts';
import { DENIED } from './answers.ts';
import { Catalog } from './catalog.ts';
import type { Door } from './door.ts';
import { Host } from './host.ts';
import { type Lines, openLines } from './lines.ts';
import { reachMethod } from './methods.ts';
import { Peer } from './peer.ts';
import { Questions } from './questions.ts';
import type { Relay } from './relay.ts';
import { Routes } from './routes.ts';
import { harmless } from './stderr-log.ts';
import { type OpenCalls, Telemetry } from './telemetry.ts';
import { reachTool } from './tools.ts';
import { Upstream, type UpstreamSurroundings } from './upstream.ts';

export interface GatewayOptions {
  /** In the order in which their tools are listed. */
  readonly servers: ReadonlyMap<string, ServerConfiguration>;
  /** The configuration's directory, absolute. */
  readonly directory: string;
  /** Of it servers get PATH, HOME, LANG and TMPDIR. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly door: Door;
  readonly input: Readable;
  readonly output: Writable;
  /** Takes one line, without its newline. */
  readonly log: (line: string) => void;
  readonly world: World;
  /** Interlock's own, told to both sides. */
  readonly version: string;
  /** Called once, when the end begins: before anything is refused because of it. */
  readonly ending?: () => void;
  /** What has no outcome yet in the data directory, for telemetry. */
  readonly open?: () => Promise<OpenCalls>;
}

export interface Gateway {
  /**
   * Resolves when the input has ended (or `close` was called), what ran has finished or had three seconds to, its
   * outcome is recorded, and no server runs any more. Never rejects.
   */
  readonly ended: Promise<void>;
  /** As if the input had ended. */
  close(): Promise<void>;
  /** From now on these servers; one that did not change keeps running, one that did is started anew. */
  reconfigure(servers: ReadonlyMap<string, ServerConfiguration>): void;
  /** Who may know which tool may have changed. */
  policyChanged(): void;
  /** How a tool is called that the host does not ask for now. */
  readonly reach: Reach;
  /** Resolves once the host has said hello and every server is up or late; when the end begins, too. */
  readonly settled: Promise<void>;
}

/** Requests of the host that may be open at once; more are refused unrecorded, with `busy`. */
const OPEN_MAX = 1_024;
const BUSY = {
  code: DENIED,
  message: `more than ${OPEN_MAX} requests are open`,
  data: { effect: 'deny', code: 'busy', rules: [], retryable: true },
};
/** Bytes that wait for the host to read, beyond which it is no longer read from. */
const UNREAD_BYTES_MAX = 16 * 1024 * 1024;
const FINISH_MS = 3_000;
/** How long outcomes that became known by the end may take to be recorded, milliseconds. */
const RECORD_MS = 2_000;
const FLUSH_MS = 1_000;

/** Starts the servers' processes at once and serves the host until its input ends. */
export function openGateway(options: GatewayOptions): Gateway {
  return new OpenGateway(options);
}

class OpenGateway implements Gateway, Relay {
  readonly door: Door;
  readonly catalog: Catalog;
  readonly routes: Routes;
  readonly host: Peer;
  readonly telemetry: Telemetry;
  readonly ended: Promise<void>;
  readonly #options: GatewayOptions;
  readonly #lines: Lines;
  readonly #session: Host;
  readonly #questions: Questions;
  readonly #recording = new Set<Promise<void>>();
  readonly #retiring = new Set<Promise<void>>();
  readonly #end = Promise.withResolvers<void>();
  readonly #greeted = Promise.withResolvers<void>();
  readonly settled: Promise<void>;
  #upstreams: ReadonlyMap<string, Upstream> = new Map();
  #ready = new Set<string>();
  #closing = false;

  constructor(options: GatewayOptions) {
    const { door, input, output, log, world, version, open } = options;
    const info = { name: 'interlock', title: 'Interlock', version };
    this.#options = options;
    this.door = door;
    this.telemetry = new Telemetry({ version, world, log: (line) => log(harmless(line)), ...(open ? { open } : {}) });
    this.catalog = new Catalog(
      () => this.upstreams(),
      () => door.own,
    );
    this.routes = new Routes((server) => [...this.#upstreams.keys()].indexOf(server));
    this.#questions = new Questions(this);
    this.#session = new Host(this, this.#questions, info, () => {
      this.#start();
      this.#greeted.resolve();
    });
    this.host = new Peer({
      send: (line) => this.#lines.send(line),
      world,
      openMax: OPEN_MAX,
      busy: BUSY,
      answersMalformed: true,
      events: {
        request: (request) => this.#session.answer(request),
        notification: (method, params) => this.#session.noticed(method, params),
        malformed: ({ reason }) => this.malformed(reason),
        fault: (error) => this.#fault(error),
      },
    });
    this.ended = this.#end.promise;
    this.settled = this.#greeted.promise
      .then(() => Promise.all(this.upstreams().map((upstream) => upstream.settled())))
      .then(() => undefined);
    this.reconfigure(options.servers);
    this.#lines = openLines(input, output, {
      line: (line) => {
        if (!this.#closing) this.host.receive(line);
      },
      inputEnded: () => void this.close(),
      outputFailed: () => void this.close(),
      pressure: (blocked) => this.#press(blocked),
    });
  }

  upstreams(): readonly Upstream[] {
    return [...this.#upstreams.values()];
  }

  upstream(id: string): Upstream | undefined {
    return this.#upstreams.get(id);
  }

  hostFacts(): Host['facts'] {
    return this.#session.facts;
  }

  malformed(reason: string): void {
    this.telemetry.malformed();
    const recorded = (async () => this.door.malformed(reason))().catch((error: unknown) => this.#fault(error));
    this.#recording.add(recorded);
    void recorded.then(() => this.#recording.delete(recorded));
  }

  readonly reach: Reach = (tool) => (this.#closing ? undefined : (reachTool(this, tool) ?? reachMethod(this, tool)));

  policyChanged(): void {
    if (this.#closing) return;
    this.catalog.changed();
    this.#session.toolsChanged();
  }

  reconfigure(servers: ReadonlyMap<string, ServerConfiguration>): void {
    if (this.#closing) return;
    const before = this.#upstreams;
    const after = new Map<string, Upstream>();
    for (const [id, server] of servers) {
      const kept = before.get(id);
      after.set(
        id,
        kept !== undefined && isSameServer(kept.server, server) ? kept : new Upstream(server, this.#surroundings()),
      );
    }
    this.#upstreams = after;
    for (const [id, upstream] of before) if (after.get(id) !== upstream) this.#retire(upstream);
    this.#start();
    this.#serversChanged();
  }

  async close(): Promise<void> {
    if (this.#closing) return this.ended;
    this.#options.ending?.();
    this.#closing = true;
    this.#greeted.resolve();
    const upstreams = this.upstreams();
    this.#lines.flow(false);
    // Nobody answers any more what servers ask.
    this.host.lose('the host closed its end');
    // An approved call runs without a request of the host.
    await Promise.all([
      this.#within(this.host.idle(), FINISH_MS),
      ...upstreams.map((upstream) => upstream.quiet(FINISH_MS)),
    ]);
    for (const upstream of upstreams) upstream.abandon('the gateway was closed before an answer came');
    await this.#within(Promise.all([this.host.idle(), ...upstreams.map((upstream) => upstream.idle())]), RECORD_MS);
    await Promise.all([...upstreams.map((upstream) => upstream.stop()), ...this.#retiring]);
    await this.#within(Promise.all(this.#recording), RECORD_MS);
    await this.#within(this.#lines.flushed(), FLUSH_MS);
    this.host.close('the gateway is closed');
    this.#lines.close();
    this.telemetry[Symbol.dispose]();
    this.#end.resolve();
  }

  #start(): void {
    const facts = this.#session.facts;
    if (facts !== undefined) for (const upstream of this.upstreams()) upstream.start(facts);
  }

  #surroundings(): UpstreamSurroundings {
    const { world, log, directory, environment, version } = this.#options;
    return {
      world,
      log,
      directory,
      environment,
      clientInfo: { name: 'interlock', title: 'Interlock', version },
      events: {
        changed: (upstream) => this.#changed(upstream),
        request: (upstream, request) => this.#questions.ask(upstream, request),
        notification: (upstream, method, params) => {
          if (this.upstream(upstream.id) === upstream) this.#session.tell(method, params);
        },
      },
    };
  }

  /** The door knows what a server offers before the host hears that something changed. */
  #changed(upstream: Upstream): void {
    const { id, state, tools } = upstream;
    if (this.upstream(id) !== upstream) return;
    this.catalog.changed();
    // What the end takes away is no news; what still comes may be waited for by a call.
    if (this.#closing && state !== 'ready') return;
    this.#offer(id, state === 'ready' ? tools : undefined);
    this.#serversChanged();
  }

  /** A door that fails here does not know the tools, and denies them; everything else goes on. */
  #offer(id: string, tools: Upstream['tools'] | undefined): void {
    try {
      this.door.offered(id, tools);
    } catch (error) {
      this.#fault(error);
    }
  }

  #serversChanged(): void {
    this.catalog.changed();
    this.#session.toolsChanged();
    const ready = new Set(this.upstreams().flatMap(({ id, state }) => (state === 'ready' ? [id] : [])));
    const same = ready.size === this.#ready.size && [...ready].every((id) => this.#ready.has(id));
    this.#ready = ready;
    if (!same) this.#session.serversChanged();
  }

  /** What runs on a server that is no longer configured may finish, as at the end of the input. */
  #retire(upstream: Upstream): void {
    this.routes.forget(upstream.id);
    this.#offer(upstream.id, undefined);
    const retired = upstream.quiet(FINISH_MS).then(() => upstream.stop());
    this.#retiring.add(retired);
    void retired.then(() => this.#retiring.delete(retired));
  }

  #press(blocked: boolean): void {
    for (const upstream of this.upstreams()) upstream.flow(!blocked);
    if (!blocked && !this.#closing) this.#lines.flow(true);
    if (blocked && this.#lines.pendingBytes > UNREAD_BYTES_MAX) this.#lines.flow(false);
  }

  #fault(error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : 'something that is no error was thrown';
    this.#options.log(harmless(`gateway: ${text}`));
  }

  async #within(work: Promise<unknown>, ms: number): Promise<void> {
    const done = new AbortController();
    await Promise.race([work, this.#options.world.sleep(ms, done.signal)]);
    done.abort();
  }
}

/** Whether a running server is the one described; where it stands in the file does not matter. */
export function isSameServer(one: ServerConfiguration, other: ServerConfiguration): boolean {
  return described(one) === described(other);
}

function described(server: ServerConfiguration): string {
  const { command, args, env, cwd, sandbox, timeoutMs, startTimeoutMs } = server;
  const values = [...env].map(([name, { value }]) => [name, value]);
  const held = server.package ?? null;
  return JSON.stringify([command, held, args, values, cwd ?? null, sandbox, timeoutMs, startTimeoutMs]);
}
