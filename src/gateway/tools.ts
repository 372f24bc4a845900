/** `tools/list` and `tools/call`. */

import type { Reach } from '../authority/proposal.ts';
import { isForPrograms } from '../policy/tool/own.ts';
import { type JsonObject, type JsonValue, isJsonObject } from '../value/json.ts';
import { toolOutcome } from './answers.ts';
import type { ListedTool } from './catalog.ts';
import { hostName, policyName, splitName } from './names.ts';
import type { OwnTool } from './own.ts';
import type { Incoming, Outcome, Reply } from './peer.ts';
import { NOBODY, type Passage, type Relay, askedOf, invalid, pass, performed } from './relay.ts';
import type { Upstream } from './upstream.ts';

/** Longer than any name we list; what is longer names nothing and would only fill the ledger. */
const NAME_CHARACTERS_MAX = 512;

/** All tools in one page, once every server that still starts is up or late. */
export async function listTools(relay: Relay, { params }: Incoming): Promise<Outcome> {
  if (params['cursor'] !== undefined) return invalid(relay, 'expected no `cursor`: all tools are in the first page');
  await Promise.all(
    relay.upstreams().map(async (upstream) => {
      await upstream.settled();
      await upstream.refreshIfSilent();
    }),
  );
  return { result: { tools: relay.catalog.list(relay.door) } };
}

export async function callTool(relay: Relay, incoming: Incoming): Promise<Outcome> {
  const { name, arguments: given } = incoming.params;
  if (typeof name !== 'string') return invalid(relay, 'expected `name` to be a string');
  if (name.length > NAME_CHARACTERS_MAX) {
    return invalid(relay, `expected \`name\` to have at most ${NAME_CHARACTERS_MAX} characters, got ${name.length}`);
  }
  if (given !== undefined && !isJsonObject(given)) return invalid(relay, 'expected `arguments` to be an object');
  const found = await findTool(relay, name);
  const tool = found?.definition.name ?? guessedName(name);
  const own = found?.owner.own;
  const upstream = found?.owner.upstream ?? relay.upstream(splitName(name)?.server ?? '');
  const passed = await pass(relay, incoming, {
    tool,
    method: 'tools/call',
    args: given ?? {},
    carry: (args) => carried(found?.definition.upstreamName ?? '', given, args),
    // A tool that is not offered reaches nobody, whatever the door makes of it.
    available: own !== undefined || (found !== undefined && upstream?.state === 'ready'),
    timeoutMs: own?.timeoutMs ?? upstream?.server.timeoutMs ?? 0,
    to: own?.to ?? found?.owner.upstream ?? NOBODY,
    progress: (params) => void relay.host.notify('notifications/progress', params),
    fromHost: true,
    failed: hasFailed,
    // What our own tools refuse they refuse again.
    ...(own === undefined ? {} : { attemptsMax: 1 }),
    told: told(relay, found),
  });
  if ('refused' in passed) return passed.refused;
  const { output } = passed.answer;
  const from = found?.owner.upstream;
  if (from !== undefined && output !== undefined && !passed.answer.replayed) learn(relay, from, output);
  return toolOutcome(passed.answer, { isOwn: own !== undefined });
}

/** How a tool is called that nobody at the host asks for now; nothing while its server cannot be reached. */
export function reachTool(relay: Relay, tool: string): ReturnType<Reach> {
  const found = [...relay.catalog.tools().values()].find(({ definition }) => definition.name === tool);
  const { upstream, own } = found?.owner ?? {};
  if (own !== undefined) return reachOwn(own);
  if (found === undefined || upstream?.state !== 'ready') return undefined;
  const name = found.definition.upstreamName;
  return {
    timeoutMs: upstream.server.timeoutMs,
    perform: async (args, meta) => {
      const sent = { name, arguments: args, ...(meta === undefined ? {} : { _meta: meta }) };
      const request = (): Promise<Reply> => upstream.request('tools/call', sent);
      const about = { method: 'tools/call', tool, name };
      return performed(await relay.telemetry.sent(about, undefined, request, hasFailed), hasFailed);
    },
  };
}

/** How an approved call of a tool of our own is carried out. */
function reachOwn({ definition, timeoutMs, to }: OwnTool): ReturnType<Reach> {
  return {
    timeoutMs,
    perform: async (args, meta) => {
      const sent = { name: definition.upstreamName, arguments: args, ...(meta === undefined ? {} : { _meta: meta }) };
      return performed(await to.request('tools/call', sent, {}), hasFailed);
    },
  };
}

export function hasFailed(result: JsonObject): boolean {
  return result['isError'] === true;
}

/** What nobody offers has no name but what the caller wrote, and that could be anything. */
function told(relay: Relay, found: ListedTool | undefined): Passage['told'] {
  const method = 'tools/call';
  if (found === undefined) return { asked: askedOf(relay, { method }) };
  const { name, definition, owner } = found;
  const tool = definition.name;
  const asked = askedOf(relay, { method, tool, name });
  return owner.own === undefined ? { asked, onward: { method, tool, name: definition.upstreamName } } : { asked };
}

/** The tool of this name; a server that still starts is waited for, since the name may be one of its. */
async function findTool(relay: Relay, name: string): Promise<ListedTool | undefined> {
  const found = relay.catalog.tools().get(name);
  if (found !== undefined) return found;
  await relay.upstream(splitName(name)?.server ?? '')?.settled();
  return relay.catalog.tools().get(name);
}

/** What a policy would call a tool that nobody offers; the door says what it makes of it. */
function guessedName(name: string): string {
  const parts = splitName(name);
  const guessed = parts === undefined ? name : policyName(parts.server, parts.own);
  if (!isForPrograms(guessed)) return guessed;
  // No host has these: what names one is a name of nothing, whatever rules allow to programs.
  const at = guessed.indexOf('.');
  return hostName(guessed.slice(0, at), guessed.slice(at + 1));
}

/** Absent arguments stay absent. */
function carried(name: string, given: JsonObject | undefined, args: JsonObject): JsonObject {
  return given === undefined && Object.keys(args).length === 0 ? { name } : { name, arguments: args };
}

/** Remembers whose resources and tasks a result speaks of. */
function learn(relay: Relay, upstream: Upstream, output: JsonObject): void {
  const { content, task } = output;
  if (isJsonObject(task) && typeof task['taskId'] === 'string') relay.routes.learnTask(upstream.id, task['taskId']);
  if (!Array.isArray(content)) return;
  for (const block of content as readonly JsonValue[]) {
    if (!isJsonObject(block) || block['type'] !== 'resource_link') continue;
    if (typeof block['uri'] === 'string') relay.routes.learnUri(upstream.id, block['uri']);
  }
}
