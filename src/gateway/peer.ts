/** One JSON-RPC peer: requests both ways, cancellation, progress, time limits, and what became of what was sent. */

import { type JsonObject, type JsonValue, isJsonObject } from '../value/json.ts';
import type { World } from '../world/world.ts';
import {
  INTERNAL_ERROR,
  INVALID_REQUEST,
  type Line,
  type Malformed,
  type Message,
  type RequestId,
  type RpcError,
  parseLine,
} from './framing.ts';

/** How a request of ours ended. Judged by what the transport did, never by what the peer says it did. */
export type Reply =
  | { readonly kind: 'result'; readonly result: JsonObject }
  | { readonly kind: 'error'; readonly error: RpcError }
  /** Not one byte of it left. */
  | { readonly kind: 'not-sent'; readonly reason: string }
  /** Bytes may have left and no answer came that can be trusted. */
  | { readonly kind: 'lost'; readonly reason: string };

/** What we answer to a request of theirs. */
export type Outcome = { readonly result: JsonObject } | { readonly error: RpcError };

export interface Incoming {
  readonly method: string;
  readonly params: JsonObject;
  /** Aborts when the peer cancels the request or the connection closes. */
  readonly signal: AbortSignal;
}

export interface PeerEvents {
  request(request: Incoming): Promise<Outcome>;
  notification(method: string, params: JsonObject): void;
  /** A line that is no message; `answered` is set when the peer was told. */
  malformed(line: Malformed): void;
  /** `request` rejected: a bug of ours. The peer was told that something went wrong, not what. */
  fault(error: unknown): void;
}

export interface PeerOptions {
  /** Hands over one line; false means that not one byte of it left. */
  readonly send: (line: string) => boolean;
  readonly events: PeerEvents;
  readonly world: World;
  /** Requests of theirs that may be open at once; more are refused with `busy`. */
  readonly openMax: number;
  readonly busy: RpcError;
  /** Whether their malformed lines are answered with an error. */
  readonly answersMalformed: boolean;
}

export interface RequestOptions {
  /** Milliseconds without an answer or progress, at most ten times that in all. Absent: for ever. */
  readonly timeoutMs?: number;
  /** Its abort tells the peer that the request is cancelled; an answer that comes all the same is still taken. */
  readonly signal?: AbortSignal;
  /** Called with the parameters of each progress notification; without it the peer is not asked for any. */
  readonly onProgress?: (params: JsonObject) => void;
}

/** How long a peer that was told to cancel may still answer, milliseconds. */
const CANCEL_GRACE_MS = 2_000;
/** A request that is kept alive by progress or by questions of the peer's own ends after so many of its time limits. */
const EXTENSIONS_MAX = 10;
/** Finished requests whose progress is still passed on because they became tasks. */
const LINGERING_MAX = 256;

interface Pending {
  readonly method: string;
  readonly settle: (reply: Reply) => void;
  readonly done: AbortController;
  readonly onProgress: ((params: JsonObject) => void) | undefined;
  readonly timeoutMs: number;
  readonly limit: number;
  deadline: number;
}

export class Peer {
  readonly #options: PeerOptions;
  readonly #pending = new Map<RequestId, Pending>();
  readonly #open = new Map<RequestId, AbortController>();
  readonly #lingering = new Map<RequestId, (params: JsonObject) => void>();
  #nextId = 1;
  #closed: string | undefined;
  readonly #idle: (() => void)[] = [];
  readonly #quiet: (() => void)[] = [];
  /** Whether arrays of messages are taken apart; only a 2025-03-26 session may send them. */
  arrays = false;

  constructor(options: PeerOptions) {
    this.#options = options;
  }

  /** Whether nothing can be sent or asked any more. */
  get closed(): boolean {
    return this.#closed !== undefined;
  }

  /** Sends before it returns; the promise never rejects. */
  request(method: string, params: JsonObject | undefined, options: RequestOptions = {}): Promise<Reply> {
    const { signal, onProgress, timeoutMs = Number.POSITIVE_INFINITY } = options;
    if (this.#closed !== undefined) return Promise.resolve({ kind: 'not-sent', reason: this.#closed });
    if (signal?.aborted) return Promise.resolve({ kind: 'not-sent', reason: 'it was cancelled before it was sent' });
    const id = this.#nextId;
    this.#nextId += 1;
    const sent = onProgress === undefined ? params : withProgressToken(params, id);
    const line = JSON.stringify({ jsonrpc: '2.0', id, method, ...(sent === undefined ? {} : { params: sent }) });
    return new Promise((resolve) => {
      const now = this.#options.world.monotonic();
      const done = new AbortController();
      const settle = (reply: Reply): void => {
        if (!this.#pending.delete(id)) return;
        done.abort();
        resolve(reply);
        if (this.#pending.size === 0) for (const quiet of this.#quiet.splice(0)) quiet();
      };
      const limit = now + timeoutMs * EXTENSIONS_MAX;
      const pending: Pending = { method, settle, done, onProgress, timeoutMs, limit, deadline: now + timeoutMs };
      this.#pending.set(id, pending);
      if (!this.#options.send(line)) {
        settle({ kind: 'not-sent', reason: 'the connection does not take any more' });
        return;
      }
      if (Number.isFinite(timeoutMs)) void this.#watch(id, pending);
      if (signal !== undefined) {
        signal.addEventListener('abort', () => void this.#cancel(id, pending, signal), {
          once: true,
          signal: done.signal,
        });
      }
    });
  }

  /** False when not one byte of it left. */
  notify(method: string, params?: JsonObject): boolean {
    if (this.#closed !== undefined) return false;
    return this.#options.send(JSON.stringify({ jsonrpc: '2.0', method, ...(params === undefined ? {} : { params }) }));
  }

  /** Takes one line of theirs. */
  receive(line: Line): void {
    for (const message of parseLine(line, this.arrays)) {
      if (this.#closed !== undefined) return;
      this.#take(message);
    }
  }

  /** Resolves when no request of theirs is open. */
  idle(): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Resolves when no request of ours is open. */
  quiet(): Promise<void> {
    if (this.#pending.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#quiet.push(resolve));
  }

  /** Their answers can no longer come: what was asked is lost. Requests of theirs go on. */
  lose(reason: string): void {
    // Settling removes: entries that are gone are not visited again, and none is added.
    for (const { settle } of this.#pending.values()) settle({ kind: 'lost', reason });
  }

  /** Ends everything: what was asked is lost, what they asked is aborted, nothing more is sent. */
  close(reason: string): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    this.lose(reason);
    for (const controller of this.#open.values()) controller.abort(reason);
    this.#lingering.clear();
  }

  #take(message: Message): void {
    switch (message.kind) {
      case 'request':
        return void this.#serve(message.id, message.method, message.params);
      case 'notification':
        return this.#noticed(message.method, message.params);
      case 'result':
        return this.#answered(message.id, message.result);
      case 'error':
        if (message.id === undefined) return;
        return this.#pending.get(message.id)?.settle({ kind: 'error', error: message.error });
      case 'malformed':
        return this.#malformed(message);
    }
  }

  #malformed(line: Malformed): void {
    if (this.#options.answersMalformed) {
      this.#answer(line.request ?? null, { error: { code: line.code, message: line.reason } });
    }
    if (line.response !== undefined) {
      const reason = `the answer is malformed: ${line.reason}`;
      this.#pending.get(line.response)?.settle({ kind: 'lost', reason });
    }
    this.#options.events.malformed(line);
  }

  async #serve(id: RequestId, method: string, params: JsonObject): Promise<void> {
    const { events, openMax, busy, world } = this.#options;
    // An answer that carried the id would be taken for the first request's, so this one carries none.
    if (this.#open.has(id)) {
      return this.#malformed({
        kind: 'malformed',
        code: INVALID_REQUEST,
        reason: 'a request with this id is still open',
      });
    }
    if (this.#open.size >= openMax) return this.#answer(id, { error: busy });
    const controller = new AbortController();
    this.#open.set(id, controller);
    let outcome: Outcome;
    try {
      outcome = await events.request({ method, params, signal: controller.signal });
    } catch (error) {
      events.fault(error);
      outcome = { error: { code: INTERNAL_ERROR, message: 'internal error' } };
    }
    // Whoever cancelled a request does not want its answer.
    if (!controller.signal.aborted) {
      world.passing?.('before-reply');
      this.#answer(id, outcome);
      world.passing?.('replied');
    }
    this.#open.delete(id);
    if (this.#open.size > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #answer(id: RequestId | null, outcome: Outcome): void {
    if (this.#closed === undefined) this.#options.send(JSON.stringify({ jsonrpc: '2.0', id, ...outcome }));
  }

  #noticed(method: string, params: JsonObject): void {
    const { requestId, progressToken, reason } = params;
    if (method === 'notifications/cancelled') {
      const controller = isKey(requestId) ? this.#open.get(requestId) : undefined;
      controller?.abort(typeof reason === 'string' ? reason : undefined);
    } else if (method === 'notifications/progress') {
      if (!isKey(progressToken)) return;
      const pending = this.#pending.get(progressToken);
      if (pending !== undefined) pending.deadline = this.#options.world.monotonic() + pending.timeoutMs;
      (pending?.onProgress ?? this.#lingering.get(progressToken))?.(params);
    } else {
      this.#options.events.notification(method, params);
    }
  }

  #answered(id: RequestId, result: JsonValue): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    if (!isJsonObject(result)) {
      pending.settle({ kind: 'lost', reason: 'the answer is malformed: its `result` is not an object' });
      return;
    }
    if (pending.onProgress !== undefined && isJsonObject(result['task'])) this.#linger(id, pending.onProgress);
    pending.settle({ kind: 'result', result });
  }

  #linger(id: RequestId, onProgress: (params: JsonObject) => void): void {
    this.#lingering.set(id, onProgress);
    const oldest = this.#lingering.keys().next();
    if (this.#lingering.size > LINGERING_MAX && !oldest.done) this.#lingering.delete(oldest.value);
  }

  async #watch(id: RequestId, pending: Pending): Promise<void> {
    const { world } = this.#options;
    while (!pending.done.signal.aborted) {
      const now = world.monotonic();
      // While the peer has a question of its own open with us it waits for a person or a model, and so do we.
      if (now >= pending.deadline && this.#open.size > 0) pending.deadline = now + pending.timeoutMs;
      const left = Math.min(pending.deadline, pending.limit) - now;
      if (left <= 0) {
        const reason = `no answer within ${pending.timeoutMs} ms`;
        this.#tellCancelled(id, pending, reason);
        pending.settle({ kind: 'lost', reason });
        return;
      }
      await world.sleep(left, pending.done.signal);
    }
  }

  async #cancel(id: RequestId, pending: Pending, signal: AbortSignal): Promise<void> {
    const reason = typeof signal.reason === 'string' ? signal.reason : 'cancelled';
    this.#tellCancelled(id, pending, reason);
    await this.#options.world.sleep(CANCEL_GRACE_MS, pending.done.signal);
    pending.settle({ kind: 'lost', reason: `it was cancelled (${reason}) and did not answer` });
  }

  #tellCancelled(requestId: RequestId, pending: Pending, reason: string): void {
    // MCP: "the initialize request MUST NOT be cancelled by clients".
    if (pending.method !== 'initialize') this.notify('notifications/cancelled', { requestId, reason });
  }
}

function isKey(value: JsonValue | undefined): value is RequestId {
  return typeof value === 'string' || typeof value === 'number';
}

function withProgressToken(params: JsonObject | undefined, progressToken: RequestId): JsonObject {
  const meta = params?.['_meta'];
  return { ...params, _meta: { ...(isJsonObject(meta) ? meta : {}), progressToken } };
}
