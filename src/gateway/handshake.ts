/** The opening of an MCP session on either side: revisions, capabilities, `initialize`, and reading a whole list. */

import { type JsonObject, type JsonValue, isJsonObject } from '../value/json.ts';
import type { Peer, Reply } from './peer.ts';

/** Revisions we speak with servers, the newest first. */
const UPSTREAM_REVISIONS: readonly string[] = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05', '2024-10-07'];
/** The only revision in which a line may be an array of messages. */
const REVISION_WITH_ARRAYS = '2025-03-26';
/** With hosts we never agree on the revision with arrays, so that refusing them is always right. */
const HOST_REVISIONS: ReadonlySet<string> = new Set(['2025-11-25', '2025-06-18', '2024-11-05']);
/** The newest stateful revision. */
const LATEST_REVISION = '2025-11-25';
/** What a host of the revision with arrays speaks as well. */
const BEFORE_ARRAYS = '2024-11-05';

/** The client capabilities that can be honoured behind us: those whose requests we relay. */
const RELAYED_CAPABILITIES = ['roots', 'sampling', 'elicitation', 'tasks'] as const;

const PAGES_MAX = 1_000;
const ITEMS_MAX = 10_000;

/** What a host said of itself, as far as servers are told. */
export interface HostFacts {
  readonly revision: string;
  readonly capabilities: JsonObject;
}

/** What a server said of itself. */
export interface ServerFacts {
  readonly revision: string;
  readonly capabilities: JsonObject;
}

/** The revision to speak with a host that asks for `asked`. */
export function agreeRevision(asked: JsonValue | undefined): string {
  if (typeof asked === 'string' && HOST_REVISIONS.has(asked)) return asked;
  return asked === REVISION_WITH_ARRAYS ? BEFORE_ARRAYS : LATEST_REVISION;
}

export function relayedCapabilities(declared: JsonValue | undefined): JsonObject {
  if (!isJsonObject(declared)) return {};
  return Object.fromEntries(
    RELAYED_CAPABILITIES.flatMap((name) => {
      const value = declared[name];
      return isJsonObject(value) ? [[name, value] as const] : [];
    }),
  );
}

/**
 * What we declare to a host. `initialize` is answered before any server is up, so everything we relay is declared;
 * what no server offers is then an empty list.
 */
export function gatewayCapabilities(revision: string): JsonObject {
  const tasks = { list: {}, cancel: {}, requests: { tools: { call: {} } } };
  return {
    tools: { listChanged: true },
    resources: { subscribe: true, listChanged: true },
    prompts: { listChanged: true },
    logging: {},
    completions: {},
    ...(revision === LATEST_REVISION ? { tasks } : {}),
  };
}

/** Says hello to a server on behalf of `host`; a text says why the session cannot go on. */
export async function initialize(
  peer: Peer,
  host: HostFacts,
  clientInfo: JsonObject,
  timeoutMs: number,
): Promise<ServerFacts | string> {
  const params = { protocolVersion: host.revision, capabilities: host.capabilities, clientInfo };
  const reply = await peer.request('initialize', params, { timeoutMs });
  if (reply.kind !== 'result') return `initialize failed: ${failureOf(reply)}`;
  const { protocolVersion: revision, capabilities } = reply.result;
  if (typeof revision !== 'string' || !UPSTREAM_REVISIONS.includes(revision)) {
    return `expected a protocol revision of ${UPSTREAM_REVISIONS.join(', ')}, got ${JSON.stringify(revision) ?? 'none'}`;
  }
  peer.arrays = revision === REVISION_WITH_ARRAYS;
  peer.notify('notifications/initialized');
  return { revision, capabilities: isJsonObject(capabilities) ? capabilities : {} };
}

/** All items of a paginated list, at most 10,000; a text says why there are none. */
export async function readList(
  peer: Peer,
  method: string,
  field: string,
  timeoutMs: number,
): Promise<readonly JsonValue[] | string> {
  const items: JsonValue[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < PAGES_MAX && items.length < ITEMS_MAX; page += 1) {
    const reply = await peer.request(method, cursor === undefined ? undefined : { cursor }, { timeoutMs });
    if (reply.kind !== 'result') return `${method} failed: ${failureOf(reply)}`;
    const listed = reply.result[field];
    if (!Array.isArray(listed)) return `${method} failed: its answer has no list of \`${field}\``;
    items.push(...(listed as readonly JsonValue[]));
    const { nextCursor } = reply.result;
    if (typeof nextCursor !== 'string') return items.slice(0, ITEMS_MAX);
    cursor = nextCursor;
  }
  return items.slice(0, ITEMS_MAX);
}

/** Why a request has no result, in words. */
function failureOf(reply: Exclude<Reply, { kind: 'result' }>): string {
  if (reply.kind !== 'error') return reply.reason;
  const { code, message } = reply.error;
  return `error ${code}: ${message.slice(0, 500)}`;
}
