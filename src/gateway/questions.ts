/** What servers ask of the host: sampling, elicitation, roots, and the tasks they made there. */

import { type JsonObject, type JsonValue, isJsonObject } from '../value/json.ts';
import { questionOutcome } from './answers.ts';
import { quoted } from './consent.ts';
import { INTERNAL_ERROR, INVALID_PARAMS } from './framing.ts';
import { policyName } from './names.ts';
import type { Incoming, Outcome } from './peer.ts';
import { type Relay, outgoing, pass, unknownMethod } from './relay.ts';
import type { Upstream } from './upstream.ts';

/** How long a person or a model may take to answer, milliseconds. */
const QUESTION_TIMEOUT_MS = 600_000;
const TASKS_MAX = 10_000;

/** The capability a host must declare to be asked. */
const CAPABILITY: ReadonlyMap<string, string> = new Map([
  ['roots/list', 'roots'],
  ['sampling/createMessage', 'sampling'],
  ['elicitation/create', 'elicitation'],
  ['tasks/get', 'tasks'],
  ['tasks/result', 'tasks'],
  ['tasks/cancel', 'tasks'],
  ['tasks/list', 'tasks'],
]);

/** The tasks that each server made at the host: one server neither sees nor cancels another's. */
export class Questions {
  readonly #relay: Relay;
  readonly #tasks = new Map<string, string>();

  constructor(relay: Relay) {
    this.#relay = relay;
  }

  /** The server that made `task` at the host. */
  ownerOf(task: string): Upstream | undefined {
    return this.#relay.upstream(this.#tasks.get(task) ?? '');
  }

  async ask(upstream: Upstream, incoming: Incoming): Promise<Outcome> {
    const { method, params } = incoming;
    if (method === 'ping') return { result: {} };
    const capability = CAPABILITY.get(method);
    if (capability === undefined) return unknownMethod(method);
    if (!isJsonObject(this.#relay.hostFacts()?.capabilities[capability])) return unknownMethod(method);
    if (method === 'roots/list') return this.#plain(incoming);
    const { taskId } = params;
    if (taskId !== undefined && (typeof taskId !== 'string' || this.#tasks.get(taskId) !== upstream.id)) {
      return { error: { code: INVALID_PARAMS, message: 'there is no task of this id' } };
    }
    const outcome = await this.#decided(upstream, incoming);
    return 'result' in outcome ? { result: this.#own(upstream, outcome.result) } : outcome;
  }

  /** Roots say where the person works; they carry no effect and are not decided. */
  async #plain({ method, params, signal }: Incoming): Promise<Outcome> {
    const meta = params['_meta'];
    const sent = outgoing(params, isJsonObject(meta) ? meta : {}, {});
    const reply = await this.#relay.host.request(method, sent, { signal, timeoutMs: QUESTION_TIMEOUT_MS });
    if (reply.kind === 'result') return { result: reply.result };
    if (reply.kind === 'error') return { error: reply.error };
    return { error: { code: INTERNAL_ERROR, message: `the host did not answer: ${reply.reason}` } };
  }

  async #decided(upstream: Upstream, incoming: Incoming): Promise<Outcome> {
    const { _meta: _, ...args } = incoming.params;
    const { method } = incoming;
    const exchange = { method, tool: policyName(upstream.id, method) };
    const passed = await pass(this.#relay, incoming, {
      ...exchange,
      args,
      carry: (decided) => this.#shown(upstream, method, decided),
      available: true,
      timeoutMs: QUESTION_TIMEOUT_MS,
      to: this.#relay.host,
      progress: (params) => upstream.notify('notifications/progress', params),
      fromHost: false,
      told: { asked: exchange, onward: exchange },
    });
    return 'refused' in passed ? passed.refused : questionOutcome(passed.answer);
  }

  /** Where we ask the person at the host ourselves, what a server asks is shown under the server's name. */
  #shown(upstream: Upstream, method: string, decided: JsonObject): JsonObject {
    const { message } = decided;
    if (method !== 'elicitation/create' || !this.#relay.door.interactive || typeof message !== 'string') return decided;
    return { ...decided, message: quoted(upstream.id, message) };
  }

  /** Remembers the task a result made, and takes the tasks of others out of a list. */
  #own(upstream: Upstream, result: JsonObject): JsonObject {
    const { task, tasks } = result;
    if (isJsonObject(task) && typeof task['taskId'] === 'string' && !this.#tasks.has(task['taskId'])) {
      this.#tasks.set(task['taskId'], upstream.id);
      const oldest = this.#tasks.keys().next();
      if (this.#tasks.size > TASKS_MAX && !oldest.done) this.#tasks.delete(oldest.value);
    }
    if (!Array.isArray(tasks)) return result;
    const mine = (tasks as readonly JsonValue[]).filter(
      (item) =>
        isJsonObject(item) && typeof item['taskId'] === 'string' && this.#tasks.get(item['taskId']) === upstream.id,
    );
    return { ...result, tasks: mine };
  }
}
