/** One MCP server behind the gateway: its process, its session, its tools, and its return after it died. */

import { type ProcessEnd, type StartedProcess, startProcess } from '../guard/process/spawn.ts';
import type { ServerConfiguration } from '../policy/document/server.ts';
import type { ToolDefinition } from '../policy/tool/tool.ts';
import { type JsonObject, isJsonObject } from '../value/json.ts';
import type { World } from '../world/world.ts';
import type { Line } from './framing.ts';
import { type HostFacts, type ServerFacts, initialize } from './handshake.ts';
import { type Lines, openLines } from './lines.ts';
import { planOf, readTools } from './offer.ts';
import { type Incoming, type Outcome, Peer, type Reply, type RequestOptions } from './peer.ts';
import { harmless, logStderr } from './stderr-log.ts';

export interface UpstreamEvents {
  /** Its tools came, changed or are gone. */
  changed(upstream: Upstream): void;
  request(upstream: Upstream, request: Incoming): Promise<Outcome>;
  notification(upstream: Upstream, method: string, params: JsonObject): void;
}

/** What all upstreams of one gateway share. */
export interface UpstreamSurroundings {
  readonly world: World;
  readonly log: (line: string) => void;
  /** The configuration's directory, absolute. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clientInfo: JsonObject;
  readonly events: UpstreamEvents;
}

/** `waiting`: for the host's `initialize`. `down`: it died and will be started again. */
export type UpstreamState = 'waiting' | 'starting' | 'ready' | 'down' | 'stopped';

/** Bytes queued toward a server that does not read; more is refused instead of sent. */
const QUEUE_BYTES_MAX = 64 * 1024 * 1024;
const QUESTIONS_MAX = 64;
const BACK_OFF_FIRST_MS = 250;
const BACK_OFF_MAX_MS = 30_000;
/** A session that lasted so long was healthy: the next failure is the first again. */
const HEALTHY_MS = 60_000;
const STOP_GRACE_MS = 500;
/** How long the pipes of a dead process may still carry what it wrote, milliseconds. */
const DRAIN_MS = 500;
/** How long after its pipes a process may take to exit by itself, milliseconds. */
const EXIT_MS = 200;
/** A server that has not answered `initialize` after so many start limits is started anew. */
const START_LIMITS_MAX = 6;
const BUSY = { code: -32_000, message: 'too many requests are open' };

interface Session {
  readonly peer: Peer;
  readonly facts: ServerFacts;
}

export class Upstream {
  readonly server: ServerConfiguration;
  readonly #around: UpstreamSurroundings;
  readonly #stopping = new AbortController();
  readonly #subscribed = new Set<string>();
  #state: UpstreamState = 'waiting';
  #spawned: Promise<StartedProcess> | undefined;
  #session: Session | undefined;
  #lines: Lines | undefined;
  #tools: readonly ToolDefinition[] = [];
  #settled: Promise<void> = Promise.resolve();
  #settle: () => void = () => {};
  #over: (reason: string) => void = () => {};
  #ended: Promise<void> = Promise.resolve();
  #refreshing: Promise<void> | undefined;
  #stale = false;
  #logLevel: string | undefined;

  /** Starts the process, so that it boots while the host still makes up its mind. */
  constructor(server: ServerConfiguration, around: UpstreamSurroundings) {
    this.server = server;
    this.#around = around;
    this.#spawned = this.#spawn();
    // Whoever awaits it reports the failure.
    this.#spawned.catch(() => {});
  }

  get id(): string {
    return this.server.id;
  }

  get state(): UpstreamState {
    return this.#state;
  }

  /** What it offers now; empty unless it is ready. */
  get tools(): readonly ToolDefinition[] {
    return this.#tools;
  }

  /** Whether it is ready and declares `capability`. */
  can(capability: string): boolean {
    return isJsonObject(this.#session?.facts.capabilities[capability]);
  }

  /** Opens its sessions on behalf of `host`, from now until `stop`. */
  start(host: HostFacts): void {
    if (this.#state !== 'waiting') return;
    this.#starting();
    this.#ended = this.#run(host);
  }

  /** Resolves when it is ready, is down, or has had its `startTimeoutMs`. */
  settled(): Promise<void> {
    return this.#settled;
  }

  /** Sends before it returns; the promise never rejects. */
  request(method: string, params: JsonObject, options: RequestOptions = {}): Promise<Reply> {
    const peer = this.#session?.peer;
    if (peer === undefined) return Promise.resolve({ kind: 'not-sent', reason: `server ${this.id} is not running` });
    return peer.request(method, params, { timeoutMs: this.server.timeoutMs, ...options });
  }

  notify(method: string, params?: JsonObject): void {
    this.#session?.peer.notify(method, params);
  }

  /** Asks for log messages from `level` on, now and whenever it is started again. */
  async setLogLevel(level: string): Promise<void> {
    this.#logLevel = level;
    if (this.can('logging')) await this.request('logging/setLevel', { level });
  }

  isSubscribed(uri: string): boolean {
    return this.#subscribed.has(uri);
  }

  /** Remembers a subscription that it confirmed or ended, to renew it when it is started again. */
  noteSubscription(uri: string, on: boolean): void {
    if (on) this.#subscribed.add(uri);
    else this.#subscribed.delete(uri);
  }

  /** Brings `tools` up to date when the server does not say by itself when they change. */
  async refreshIfSilent(): Promise<void> {
    const tools = this.#session?.facts.capabilities['tools'];
    if (isJsonObject(tools) && tools['listChanged'] !== true) await this.#refresh();
  }

  /** Stops and resumes reading what it sends. */
  flow(on: boolean): void {
    this.#lines?.flow(on);
  }

  /** Resolves when nothing it was asked is open, or after `ms` milliseconds. */
  async quiet(ms: number): Promise<void> {
    const done = new AbortController();
    await Promise.race([this.#session?.peer.quiet(), this.#around.world.sleep(ms, done.signal)]);
    done.abort();
  }

  /** Resolves when nothing it asked is open. */
  idle(): Promise<void> {
    return this.#session?.peer.idle() ?? Promise.resolve();
  }

  /** From here on nothing is sent, and every call that runs is lost; the process keeps running until `stop`. */
  abandon(reason: string): void {
    this.#state = 'stopped';
    this.#settle();
    this.#session?.peer.close(reason);
  }

  /** Ends the session and the process for good; resolves when the process is gone. */
  async stop(): Promise<void> {
    this.#state = 'stopped';
    this.#stopping.abort();
    this.#over('it was stopped');
    this.#settle();
    const spawned = this.#spawned;
    if (spawned !== undefined) await spawned.then((child) => child.stop(STOP_GRACE_MS)).catch(() => {});
    await this.#ended;
  }

  #spawn(): Promise<StartedProcess> {
    const { directory, environment, world } = this.#around;
    return startProcess(planOf(this.server, directory, environment), world);
  }

  #starting(): void {
    this.#state = 'starting';
    this.#settled = new Promise((resolve) => {
      const done = new AbortController();
      this.#settle = () => {
        done.abort();
        resolve();
      };
      void this.#around.world.sleep(this.server.startTimeoutMs, done.signal).then(resolve);
    });
  }

  async #run(host: HostFacts): Promise<void> {
    const { world } = this.#around;
    for (let failures = 0; !this.#stopping.signal.aborted;) {
      const startedAt = world.monotonic();
      const reason = await this.#live(host);
      if (this.#stopping.signal.aborted) return;
      this.#state = 'down';
      this.#settle();
      failures = world.monotonic() - startedAt >= HEALTHY_MS ? 0 : failures + 1;
      const pause = Math.min(BACK_OFF_FIRST_MS * 2 ** Math.max(0, failures - 1), BACK_OFF_MAX_MS);
      this.#say(`${reason}; starting it again in ${pause} ms`);
      await world.sleep(pause, this.#stopping.signal);
      if (!this.#stopping.signal.aborted) this.#starting();
    }
  }

  /** One process from start to end; says why it ended. */
  async #live(host: HostFacts): Promise<string> {
    const { world, log } = this.#around;
    let child: StartedProcess;
    try {
      child = await (this.#spawned ??= this.#spawn());
    } catch (error) {
      this.#spawned = undefined;
      return error instanceof Error ? error.message : 'it cannot be started';
    }
    logStderr(child.stderr, this.id, log, world);
    const over = Promise.withResolvers<string>();
    this.#over = over.resolve;
    if (this.#stopping.signal.aborted) over.resolve('it was stopped');
    const peer = this.#connect(child, over.resolve);
    const done = new AbortController();
    void (async () => {
      await child.ended;
      await world.sleep(DRAIN_MS, done.signal);
      over.resolve('it exited');
    })();
    void (async () => {
      const failure = await this.#open(peer, host);
      if (failure !== undefined) over.resolve(failure);
    })();
    const reason = await over.promise;
    done.abort();
    this.#lines?.close();
    peer.close(`server ${this.id} is gone: ${reason}`);
    this.#gone();
    const end = await this.#exitOf(child);
    await child.stop(STOP_GRACE_MS);
    this.#spawned = undefined;
    return end === undefined ? reason : `it exited with ${end.signal ?? `code ${String(end.code)}`}`;
  }

  /** How the process ended by itself, if it does so now: a closed pipe is usually only the first sign of it. */
  async #exitOf(child: StartedProcess): Promise<ProcessEnd | undefined> {
    if (this.#stopping.signal.aborted) return undefined;
    const done = new AbortController();
    const waited = this.#around.world.sleep(EXIT_MS, done.signal).then(() => undefined);
    const end = await Promise.race([child.ended, waited]);
    done.abort();
    return end;
  }

  #connect(child: StartedProcess, over: (reason: string) => void): Peer {
    const { events, world } = this.#around;
    const lost = (reason: string): void => {
      peer.lose(`the connection to server ${this.id} was lost: ${reason}`);
      over(reason);
    };
    const lineEvents = { line: (line: Line) => peer.receive(line), inputEnded: lost, outputFailed: lost };
    const lines = openLines(child.stdout, child.stdin, lineEvents, QUEUE_BYTES_MAX);
    const peer = new Peer({
      send: (line) => lines.send(line),
      world,
      openMax: QUESTIONS_MAX,
      busy: BUSY,
      // A server that prints to its standard output would answer our complaints with more of the same.
      answersMalformed: false,
      events: {
        request: (request) => events.request(this, request),
        notification: (method, params) => this.#noticed(method, params),
        malformed: (line) => this.#say(`sent a line that is no message: ${line.reason}`),
        fault: (error) =>
          this.#say(`a request of it failed here: ${error instanceof Error ? error.message : 'no reason'}`),
      },
    });
    this.#lines = lines;
    return peer;
  }

  /** Answers with why the session cannot go on, or nothing when it is ready. */
  async #open(peer: Peer, host: HostFacts): Promise<string | undefined> {
    const { startTimeoutMs, timeoutMs } = this.server;
    const facts = await initialize(peer, host, this.#around.clientInfo, startTimeoutMs * START_LIMITS_MAX);
    if (typeof facts === 'string') return facts;
    const tools = await this.#readTools(peer, facts);
    if (this.#logLevel !== undefined && isJsonObject(facts.capabilities['logging'])) {
      void peer.request('logging/setLevel', { level: this.#logLevel }, { timeoutMs });
    }
    for (const uri of this.#subscribed) void peer.request('resources/subscribe', { uri }, { timeoutMs });
    // It may be gone by now: `over` was told why.
    if (peer.closed) return undefined;
    this.#session = { peer, facts };
    this.#state = 'ready';
    this.#tools = tools ?? [];
    this.#around.events.changed(this);
    this.#settle();
    if (this.#stale) void this.#refresh();
    return undefined;
  }

  #gone(): void {
    const wasReady = this.#session !== undefined;
    this.#session = undefined;
    this.#lines = undefined;
    this.#tools = [];
    if (this.#state === 'ready') this.#state = 'down';
    if (wasReady) this.#around.events.changed(this);
  }

  #noticed(method: string, params: JsonObject): void {
    if (method === 'notifications/tools/list_changed') void this.#refresh();
    else this.#around.events.notification(this, method, params);
  }

  /** Reads the tools again; calls while one runs are one more run after it. */
  #refresh(): Promise<void> {
    this.#stale = true;
    const session = this.#session;
    if (session === undefined) return Promise.resolve();
    this.#refreshing ??= (async () => {
      while (this.#stale && this.#session === session) {
        this.#stale = false;
        const tools = await this.#readTools(session.peer, session.facts);
        if (tools === undefined || this.#session !== session) continue;
        this.#tools = tools;
        this.#around.events.changed(this);
      }
      this.#refreshing = undefined;
    })();
    return this.#refreshing;
  }

  async #readTools(peer: Peer, facts: ServerFacts): Promise<readonly ToolDefinition[] | undefined> {
    if (!isJsonObject(facts.capabilities['tools'])) return [];
    return readTools(peer, this.server, (text) => this.#say(text));
  }

  #say(text: string): void {
    this.#around.log(harmless(`server ${this.id}: ${text}`));
  }
}
