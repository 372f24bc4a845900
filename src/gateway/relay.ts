/** How a request goes through the door and on to the other side, the same in both directions. */

import type { Answer, Performed } from '../authority/answer.ts';
import { type JsonObject, isJsonObject } from '../value/json.ts';
import { keyIn, withoutOurs } from './answers.ts';
import { elicitAt } from './consent.ts';
import type { Catalog } from './catalog.ts';
import type { Door } from './door.ts';
import { INVALID_PARAMS, METHOD_NOT_FOUND } from './framing.ts';
import type { HostFacts } from './handshake.ts';
import type { Incoming, Outcome, Peer, Reply, RequestOptions } from './peer.ts';
import type { Routes } from './routes.ts';
import type { Exchange, Telemetry } from './telemetry.ts';
import type { Upstream } from './upstream.ts';

/** What everything that relays shares. */
export interface Relay {
  readonly door: Door;
  readonly catalog: Catalog;
  readonly routes: Routes;
  readonly host: Peer;
  readonly telemetry: Telemetry;
  /** Nothing before the host said hello. */
  hostFacts(): HostFacts | undefined;
  /** In the order of the configuration. */
  upstreams(): readonly Upstream[];
  upstream(id: string): Upstream | undefined;
  /** Records what was refused before it became a proposal. */
  malformed(reason: string): void;
}

/** One request on its way. */
export interface Passage {
  /** Policy name of the tool or method. */
  readonly tool: string;
  /** What is decided on and recorded. */
  readonly args: JsonObject;
  readonly method: string;
  /** The members of the parameters that carry `args`; they replace those received. All else passes as it came. */
  readonly carry: (args: JsonObject) => JsonObject;
  readonly available: boolean;
  readonly timeoutMs: number;
  readonly to: { request(method: string, params: JsonObject, options: RequestOptions): Promise<Reply> };
  /** Takes the progress of the request back to who asked. */
  readonly progress: (params: JsonObject) => void;
  /** Whether the host asks: it may name a key, and the person at it may be asked. A server may neither. */
  readonly fromHost: boolean;
  /** As `Proposal.attemptsMax`. */
  readonly attemptsMax?: number;
  /** Whether a result says that the tool failed. */
  readonly failed?: (result: JsonObject) => boolean;
  /** How telemetry names what is asked, and what goes on from here; absent where nothing does. */
  readonly told: { readonly asked: Exchange; readonly onward?: Exchange };
}

/** Proposes `passage` and answers as the door does; `refused` answers a request that could not become a proposal. */
export async function pass(
  relay: Relay,
  incoming: Incoming,
  passage: Passage,
): Promise<{ readonly answer: Answer } | { readonly refused: Outcome }> {
  const { params, signal } = incoming;
  const meta = params['_meta'] ?? {};
  if (!isJsonObject(meta)) return { refused: invalid(relay, 'expected `_meta` to be an object') };
  const key = passage.fromHost ? keyIn(meta) : {};
  if (typeof key === 'string') return { refused: invalid(relay, key) };
  const { tool, args, available, timeoutMs, attemptsMax } = passage;
  const { asked, onward } = passage.told;
  const elicit = passage.fromHost ? elicitAt(relay.host, relay.hostFacts()) : undefined;
  const asking = { ...(elicit === undefined ? {} : { elicit }), ...(attemptsMax === undefined ? {} : { attemptsMax }) };
  const answer = await relay.telemetry.answered(asked, meta, (within) => {
    const perform = async (decided: JsonObject, given: JsonObject = {}): Promise<Performed> => {
      const sent = outgoing(params, { ...meta, ...given }, passage.carry(decided));
      const options = { timeoutMs, signal, ...progressOptions(meta, passage.progress) };
      const request = (): Promise<Reply> => passage.to.request(passage.method, sent, options);
      const { failed } = passage;
      const reply = onward === undefined ? request() : relay.telemetry.sent(onward, within, request, failed);
      return performed(await reply, failed);
    };
    return relay.door.call({ tool, args, ...key, timeoutMs, signal, available, perform, ...asking });
  });
  return { answer };
}

/** What the host asked, in the revision that was agreed on with it. */
export function askedOf(relay: Relay, exchange: Exchange): Exchange {
  const revision = relay.hostFacts()?.revision;
  return revision === undefined ? exchange : { ...exchange, revision };
}

/** Where a request goes that nobody serves, whatever the door makes of it. */
export const NOBODY: Passage['to'] = {
  request: () => Promise.resolve({ kind: 'not-sent', reason: 'no server offers it' }),
};

/** An answer to a request that is wrong in itself; it is recorded as malformed. */
export function invalid(relay: Relay, reason: string): Outcome {
  relay.malformed(reason);
  return { error: { code: INVALID_PARAMS, message: reason } };
}

export function unknownMethod(method: string): Outcome {
  return { error: { code: METHOD_NOT_FOUND, message: `there is no method \`${method.slice(0, 100)}\` here` } };
}

/** What is sent on: as received, but for what was decided, what is ours, and the progress token, which is per leg. */
export function outgoing(params: JsonObject, meta: JsonObject, carried: JsonObject): JsonObject {
  const { _meta: _, ...rest } = params;
  const { progressToken: __, ...passed } = withoutOurs(meta);
  const empty = Object.keys(passed).length === 0;
  return { ...rest, ...carried, ...(empty ? {} : { _meta: passed }) };
}

function progressOptions(meta: JsonObject, progress: Passage['progress']): RequestOptions {
  const { progressToken } = meta;
  if (typeof progressToken !== 'string' && typeof progressToken !== 'number') return {};
  return { onProgress: (params) => progress({ ...params, progressToken }) };
}

/** Judged by the transport: an answer of whatever content is an answer, and no words make up for its absence. */
export function performed(reply: Reply, failed: Passage['failed']): Performed {
  switch (reply.kind) {
    case 'result':
      return { kind: failed?.(reply.result) === true ? 'failed' : 'succeeded', output: reply.result };
    case 'error':
      return { kind: 'failed', output: { error: reply.error } };
    case 'not-sent':
      return { kind: 'not-started', reason: reply.reason };
    case 'lost':
      return { kind: 'unknown', reason: reply.reason };
  }
}
