/** The lists that are asked of servers page by page: resources, their templates, prompts, tasks. */

import { type JsonObject, type JsonValue, isJsonObject } from '../value/json.ts';
import { type Cursors, readCursor, writeCursor } from './cursor.ts';
import { policyName } from './names.ts';
import type { Incoming, Outcome, Reply } from './peer.ts';
import { type Relay, askedOf, invalid, outgoing, pass } from './relay.ts';
import type { Upstream } from './upstream.ts';

/** One kind of list. */
export interface ListKind {
  readonly method: string;
  /** The member of the result that holds the items. */
  readonly field: string;
  /** What a server must declare to be asked. */
  readonly capability: string;
  /** The method that the items are for: who may not know it is shown none of them. */
  readonly uses: string;
  /** An item as the host sees it, and a chance to remember whose it is. */
  readonly shown: (relay: Relay, upstream: Upstream, item: JsonObject) => JsonObject;
  /** Whether asking is itself decided on. */
  readonly decided?: boolean;
}

export const RESOURCES: ListKind = {
  method: 'resources/list',
  field: 'resources',
  capability: 'resources',
  uses: 'resources/read',
  shown: (relay, upstream, item) => {
    if (typeof item['uri'] === 'string') relay.routes.learnUri(upstream.id, item['uri']);
    return item;
  },
};

export const TEMPLATES: ListKind = {
  method: 'resources/templates/list',
  field: 'resourceTemplates',
  capability: 'resources',
  uses: 'resources/read',
  shown: (relay, upstream, item) => {
    if (typeof item['uriTemplate'] === 'string') relay.routes.learnTemplate(upstream.id, item['uriTemplate']);
    return item;
  },
};

export const PROMPTS: ListKind = {
  method: 'prompts/list',
  field: 'prompts',
  capability: 'prompts',
  uses: 'prompts/get',
  shown: (relay, upstream, item) => {
    const own = item['name'];
    return typeof own === 'string' ? { ...item, name: relay.routes.learnPrompt(upstream.id, own) } : item;
  },
};

export const TASKS: ListKind = {
  method: 'tasks/list',
  field: 'tasks',
  capability: 'tasks',
  uses: 'tasks/list',
  decided: true,
  shown: (relay, upstream, item) => {
    if (typeof item['taskId'] === 'string') relay.routes.learnTask(upstream.id, item['taskId']);
    return item;
  },
};

const REFRESH_PAGES_MAX = 100;

/**
 * One page from each server that has more, in the order of the configuration. A server that does not answer is left
 * out; only when none answers does the host hear of an error.
 */
export async function mergedList(relay: Relay, incoming: Incoming, kind: ListKind): Promise<Outcome> {
  const { cursor } = incoming.params;
  const cursors = typeof cursor === 'string' ? readCursor(cursor) : undefined;
  if (cursor !== undefined && cursors === undefined)
    return invalid(relay, '`cursor` is not one that was given out here');
  await Promise.all(relay.upstreams().map((upstream) => upstream.settled()));
  const asked = relay.upstreams().filter((upstream) => isAsked(relay, upstream, kind, cursors));
  const replies = await Promise.all(
    asked.map(async (upstream) => ({
      upstream,
      reply: await ask(relay, incoming, kind, upstream, cursors?.get(upstream.id)),
    })),
  );
  const items: JsonValue[] = [];
  const more = new Map<string, string>();
  for (const { upstream, reply } of replies) {
    if (reply.kind !== 'result') continue;
    items.push(...itemsOf(relay, upstream, kind, reply.result));
    const { nextCursor } = reply.result;
    if (typeof nextCursor === 'string') more.set(upstream.id, nextCursor);
  }
  const [first] = replies;
  const failed = replies.find(({ reply }) => reply.kind === 'error')?.reply;
  if (failed?.kind === 'error' && replies.every(({ reply }) => reply.kind !== 'result')) return { error: failed.error };
  // What a single server says beside its items is as good as ours.
  const beside = replies.length === 1 && first?.reply.kind === 'result' ? withoutPage(first.reply.result) : {};
  const nextCursor = writeCursor(more);
  return { result: { ...beside, [kind.field]: items, ...(nextCursor === undefined ? {} : { nextCursor }) } };
}

/** Reads all pages of `kind` from `upstreams`, only to learn whose the items are. */
export async function learnAll(relay: Relay, kind: ListKind, upstreams: readonly Upstream[]): Promise<void> {
  await Promise.all(
    upstreams.map(async (upstream) => {
      let cursor: string | undefined;
      for (let page = 0; page < REFRESH_PAGES_MAX; page += 1) {
        const reply = await upstream.request(kind.method, cursor === undefined ? {} : { cursor });
        if (reply.kind !== 'result') return;
        itemsOf(relay, upstream, kind, reply.result);
        const { nextCursor } = reply.result;
        if (typeof nextCursor !== 'string') return;
        cursor = nextCursor;
      }
    }),
  );
}

function isAsked(relay: Relay, upstream: Upstream, kind: ListKind, cursors: Cursors | undefined): boolean {
  if (!upstream.can(kind.capability)) return false;
  if (cursors !== undefined && !cursors.has(upstream.id)) return false;
  return relay.door.visible(policyName(upstream.id, kind.uses));
}

async function ask(
  relay: Relay,
  incoming: Incoming,
  kind: ListKind,
  upstream: Upstream,
  cursor: string | undefined,
): Promise<Reply> {
  const { cursor: _, ...params } = incoming.params;
  const carried: JsonObject = cursor === undefined ? {} : { cursor };
  if (kind.decided !== true) {
    const meta = params['_meta'];
    return upstream.request(kind.method, outgoing(params, isJsonObject(meta) ? meta : {}, carried), {
      signal: incoming.signal,
    });
  }
  const exchange = { method: kind.method, tool: policyName(upstream.id, kind.method) };
  const passed = await pass(
    relay,
    { ...incoming, params },
    {
      ...exchange,
      args: {},
      carry: () => carried,
      available: upstream.state === 'ready',
      timeoutMs: upstream.server.timeoutMs,
      to: upstream,
      progress: () => {},
      fromHost: false,
      told: { asked: askedOf(relay, exchange), onward: exchange },
    },
  );
  const output = 'answer' in passed && passed.answer.state === 'succeeded' ? passed.answer.output : undefined;
  return output === undefined ? { kind: 'not-sent', reason: 'denied' } : { kind: 'result', result: output };
}

function itemsOf(relay: Relay, upstream: Upstream, kind: ListKind, result: JsonObject): readonly JsonValue[] {
  const items = result[kind.field];
  if (!Array.isArray(items)) return [];
  return (items as readonly JsonValue[]).map((item) => (isJsonObject(item) ? kind.shown(relay, upstream, item) : item));
}

function withoutPage(result: JsonObject): JsonObject {
  const { nextCursor: _, ...rest } = result;
  return rest;
}
