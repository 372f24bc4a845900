/** The host's other methods: resources, prompts, completion, tasks, and the log level. */

import type { Reach } from '../authority/proposal.ts';
import { type JsonObject, isJsonObject } from '../value/json.ts';
import { methodOutcome } from './answers.ts';
import { INVALID_PARAMS } from './framing.ts';
import { PROMPTS, RESOURCES, TEMPLATES, learnAll } from './lists.ts';
import { policyName, splitName } from './names.ts';
import type { Incoming, Outcome, Reply } from './peer.ts';
import { NOBODY, type Relay, askedOf, invalid, outgoing, pass, performed } from './relay.ts';
import type { PromptRoute } from './routes.ts';
import type { Upstream } from './upstream.ts';

/** MCP: "resource not found". */
const RESOURCE_NOT_FOUND = -32_002;
const NO_PROMPT: Outcome = { error: { code: INVALID_PARAMS, message: 'there is no prompt of this name' } };
const NO_TASK: Outcome = { error: { code: INVALID_PARAMS, message: 'there is no task of this id' } };
const LOG_LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];

export async function readResource(relay: Relay, incoming: Incoming): Promise<Outcome> {
  const { uri } = incoming.params;
  if (typeof uri !== 'string') return invalid(relay, 'expected `uri` to be a string');
  const owner = await ownerOf(relay, uri);
  return owner === undefined ? notFound(uri) : decide(relay, incoming, owner.id, { uri });
}

export async function subscribe(relay: Relay, incoming: Incoming): Promise<Outcome> {
  const { uri } = incoming.params;
  if (typeof uri !== 'string') return invalid(relay, 'expected `uri` to be a string');
  const owner = await ownerOf(relay, uri);
  if (owner === undefined) return notFound(uri);
  const outcome = await decide(relay, incoming, owner.id, { uri });
  if ('result' in outcome) owner.noteSubscription(uri, true);
  return outcome;
}

/** Not decided: it only ends what was allowed. */
export async function unsubscribe(relay: Relay, incoming: Incoming): Promise<Outcome> {
  const { uri, _meta: meta } = incoming.params;
  if (typeof uri !== 'string') return invalid(relay, 'expected `uri` to be a string');
  const owner = relay.upstreams().find((upstream) => upstream.isSubscribed(uri));
  if (owner === undefined) return notFound(uri);
  owner.noteSubscription(uri, false);
  const params = outgoing(incoming.params, isJsonObject(meta) ? meta : {}, {});
  const reply = await owner.request('resources/unsubscribe', params, { signal: incoming.signal });
  if (reply.kind === 'error') return { error: reply.error };
  return { result: reply.kind === 'result' ? reply.result : {} };
}

export async function getPrompt(relay: Relay, incoming: Incoming): Promise<Outcome> {
  const { name, arguments: given } = incoming.params;
  if (typeof name !== 'string') return invalid(relay, 'expected `name` to be a string');
  if (given !== undefined && !isJsonObject(given)) return invalid(relay, 'expected `arguments` to be an object');
  const found = await promptOf(relay, name);
  if (found === undefined) return NO_PROMPT;
  return decide(relay, incoming, found.server, {
    name: found.own,
    ...(given === undefined ? {} : { arguments: given }),
  });
}

export async function complete(relay: Relay, incoming: Incoming): Promise<Outcome> {
  const { _meta: _, ...args } = incoming.params;
  const { ref } = args;
  if (!isJsonObject(ref)) return invalid(relay, 'expected `ref` to be an object');
  const { name, uri } = ref;
  if (typeof name === 'string') {
    const found = await promptOf(relay, name);
    if (found === undefined) return NO_PROMPT;
    return decide(relay, incoming, found.server, { ...args, ref: { ...ref, name: found.own } });
  }
  if (typeof uri !== 'string') return invalid(relay, 'expected `ref` to have a `name` or a `uri`');
  const owner = await ownerOf(relay, uri);
  return owner === undefined ? notFound(uri) : decide(relay, incoming, owner.id, args);
}

export async function useTask(relay: Relay, incoming: Incoming): Promise<Outcome> {
  const { taskId } = incoming.params;
  if (typeof taskId !== 'string') return invalid(relay, 'expected `taskId` to be a string');
  const server = relay.routes.task(taskId);
  return server === undefined ? NO_TASK : decide(relay, incoming, server, { taskId });
}

/** Told to every server, and to those that start later; nobody waits for them. */
export function setLogLevel(relay: Relay, { params }: Incoming): Outcome {
  const { level } = params;
  if (typeof level !== 'string' || !LOG_LEVELS.includes(level)) {
    return invalid(relay, `expected \`level\` to be one of ${LOG_LEVELS.join(', ')}`);
  }
  for (const upstream of relay.upstreams()) void upstream.setLogLevel(level);
  return { result: {} };
}

/** The methods that whoever asks for them needs nothing else for: a subscription is remembered, a question is asked. */
const REACHED: readonly string[] = [
  'resources/read',
  'prompts/get',
  'completion/complete',
  'tasks/get',
  'tasks/result',
];

/** How a method is carried out that nobody at the host asks for now; nothing while its server cannot be reached. */
export function reachMethod(relay: Relay, tool: string): ReturnType<Reach> {
  const method = REACHED.find((name) => tool.endsWith(`.${name}`));
  const upstream = relay.upstreams().find(({ id }) => method !== undefined && tool === policyName(id, method));
  if (method === undefined || upstream?.state !== 'ready') return undefined;
  return {
    timeoutMs: upstream.server.timeoutMs,
    perform: async (args) => {
      const request = (): Promise<Reply> => upstream.request(method, args);
      return performed(await relay.telemetry.sent({ method, tool }, undefined, request, undefined), undefined);
    },
  };
}

/** The same method goes on to `server`, with `args` as the decided part of its parameters. */
async function decide(relay: Relay, incoming: Incoming, server: string, args: JsonObject): Promise<Outcome> {
  const { method } = incoming;
  const upstream = relay.upstream(server);
  const onward = { method, tool: policyName(server, method) };
  const passed = await pass(relay, incoming, {
    tool: onward.tool,
    method,
    args,
    carry: (decided) => decided,
    available: upstream?.state === 'ready',
    timeoutMs: upstream?.server.timeoutMs ?? 0,
    to: upstream ?? NOBODY,
    progress: (params) => void relay.host.notify('notifications/progress', params),
    fromHost: true,
    told: { asked: askedOf(relay, onward), onward },
  });
  return 'refused' in passed ? passed.refused : methodOutcome(passed.answer);
}

/**
 * The server of `uri`, as a resource or as the text of a template. What nobody listed yet goes to the only server that
 * has resources; where there are several, they are asked what they have.
 */
async function ownerOf(relay: Relay, uri: string): Promise<Upstream | undefined> {
  const known = (): Upstream | undefined => relay.upstream(relay.routes.template(uri) ?? relay.routes.uri(uri) ?? '');
  const found = known();
  if (found !== undefined) return found;
  await Promise.all(relay.upstreams().map((upstream) => upstream.settled()));
  const capable = relay.upstreams().filter((upstream) => upstream.can('resources'));
  if (capable.length <= 1) return capable[0];
  await Promise.all([learnAll(relay, RESOURCES, capable), learnAll(relay, TEMPLATES, capable)]);
  return known();
}

/** A plain name tells its server; a hashed one only after its server has listed it. */
async function promptOf(relay: Relay, name: string): Promise<PromptRoute | undefined> {
  const parts = splitName(name);
  if (parts === undefined) return undefined;
  const upstream = relay.upstream(parts.server);
  await upstream?.settled();
  if (upstream?.can('prompts') === true && relay.routes.prompt(name) === undefined)
    await learnAll(relay, PROMPTS, [upstream]);
  return relay.routes.prompt(name) ?? parts;
}

function notFound(uri: string): Outcome {
  return { error: { code: RESOURCE_NOT_FOUND, message: 'resource not found', data: { uri } } };
}
