/** The host's session: hello, what each method leads to, and what the host is told when something changes. */

import { type JsonObject, isJsonObject } from '../value/json.ts';
import { INVALID_REQUEST } from './framing.ts';
import { type HostFacts, agreeRevision, gatewayCapabilities, relayedCapabilities } from './handshake.ts';
import { PROMPTS, RESOURCES, TASKS, TEMPLATES, mergedList } from './lists.ts';
import { complete, getPrompt, readResource, setLogLevel, subscribe, unsubscribe, useTask } from './methods.ts';
import type { Incoming, Outcome } from './peer.ts';
import type { Questions } from './questions.ts';
import { type Relay, invalid, unknownMethod } from './relay.ts';
import { callTool, listTools } from './tools.ts';

type Method = (relay: Relay, incoming: Incoming) => Outcome | Promise<Outcome>;

const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ['tools/list', listTools],
  ['tools/call', callTool],
  ['resources/list', (relay, incoming) => mergedList(relay, incoming, RESOURCES)],
  ['resources/templates/list', (relay, incoming) => mergedList(relay, incoming, TEMPLATES)],
  ['resources/read', readResource],
  ['resources/subscribe', subscribe],
  ['resources/unsubscribe', unsubscribe],
  ['prompts/list', (relay, incoming) => mergedList(relay, incoming, PROMPTS)],
  ['prompts/get', getPrompt],
  ['completion/complete', complete],
  ['logging/setLevel', setLogLevel],
  ['tasks/list', (relay, incoming) => mergedList(relay, incoming, TASKS)],
  ['tasks/get', useTask],
  ['tasks/result', useTask],
  ['tasks/cancel', useTask],
]);

/** What a server may tell the host; its other notifications are for us or for nobody. */
const TOLD_TO_HOST: ReadonlySet<string> = new Set([
  'notifications/message',
  'notifications/resources/updated',
  'notifications/resources/list_changed',
  'notifications/prompts/list_changed',
  'notifications/tasks/status',
  'notifications/elicitation/complete',
]);

/** Lists that change with every server that comes or goes, and how the host is told once it has seen them. */
const LIST_CHANGED: ReadonlyMap<string, string> = new Map([
  ['resources/list', 'notifications/resources/list_changed'],
  ['prompts/list', 'notifications/prompts/list_changed'],
]);

export class Host {
  readonly #relay: Relay;
  readonly #questions: Questions;
  readonly #serverInfo: JsonObject;
  readonly #onHello: (facts: HostFacts) => void;
  readonly #listed = new Set<string>();
  #facts: HostFacts | undefined;
  #shownTools: string | undefined;

  constructor(relay: Relay, questions: Questions, serverInfo: JsonObject, onHello: (facts: HostFacts) => void) {
    this.#relay = relay;
    this.#questions = questions;
    this.#serverInfo = serverInfo;
    this.#onHello = onHello;
  }

  get facts(): HostFacts | undefined {
    return this.#facts;
  }

  async answer(incoming: Incoming): Promise<Outcome> {
    const { method } = incoming;
    if (method === 'ping') return { result: {} };
    if (method === 'initialize') return this.#hello(incoming.params);
    const serve = METHODS.get(method);
    if (serve === undefined) return unknownMethod(method);
    if (this.#facts === undefined) return { error: { code: INVALID_REQUEST, message: 'expected `initialize` first' } };
    this.#listed.add(method);
    const outcome = await serve(this.#relay, incoming);
    if (method === 'tools/list' && 'result' in outcome) this.#shownTools = JSON.stringify(outcome.result['tools']);
    return outcome;
  }

  noticed(method: string, params: JsonObject): void {
    if (method === 'notifications/roots/list_changed') {
      for (const upstream of this.#relay.upstreams()) upstream.notify(method, params);
    } else if (method === 'notifications/tasks/status') {
      const { taskId } = params;
      if (typeof taskId === 'string') this.#questions.ownerOf(taskId)?.notify(method, params);
    }
  }

  /** A server tells something. */
  tell(method: string, params: JsonObject): void {
    if (TOLD_TO_HOST.has(method)) this.#relay.host.notify(method, params);
  }

  /** The tools, or who may know them, may have changed: the host hears of it if what it last saw did. */
  toolsChanged(): void {
    if (this.#shownTools === undefined) return;
    const tools = JSON.stringify(this.#relay.catalog.list(this.#relay.door));
    if (tools === this.#shownTools) return;
    this.#shownTools = tools;
    this.#relay.host.notify('notifications/tools/list_changed');
  }

  /** A server came or is gone. */
  serversChanged(): void {
    for (const [list, notification] of LIST_CHANGED) {
      if (this.#listed.has(list)) this.#relay.host.notify(notification);
    }
  }

  /** Never waits for a server. */
  #hello({ protocolVersion, capabilities }: JsonObject): Outcome {
    if (this.#facts !== undefined)
      return { error: { code: INVALID_REQUEST, message: 'this session is initialized already' } };
    if (typeof protocolVersion !== 'string') return invalid(this.#relay, 'expected `protocolVersion` to be a string');
    if (!isJsonObject(capabilities)) return invalid(this.#relay, 'expected `capabilities` to be an object');
    const revision = agreeRevision(protocolVersion);
    this.#facts = { revision, capabilities: relayedCapabilities(capabilities) };
    this.#onHello(this.#facts);
    const result = {
      protocolVersion: revision,
      capabilities: gatewayCapabilities(revision),
      serverInfo: this.#serverInfo,
    };
    return { result };
  }
}
