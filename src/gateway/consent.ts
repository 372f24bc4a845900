/** Asking the person at the host about a call of the host's own, and telling such a question from those of servers. */

import type { Elicit, HostQuestion } from '../authority/proposal.ts';
import { inert, inertJson } from '../value/inert.ts';
import { type JsonValue, isJsonObject } from '../value/json.ts';
import { formatInstant } from '../value/time.ts';
import type { HostFacts } from './handshake.ts';
import type { Peer } from './peer.ts';

/** Nobody reads more before they agree; a call that cannot be shown whole is not asked about. */
const MESSAGE_CHARACTERS_MAX = 8_000;
const LINE_END = /\r\n|[\n\v\f\r\u0085\u2028\u2029]/u;

/** How the person at `host` is asked; nothing where the host has declared no forms. */
export function elicitAt(host: Pick<Peer, 'request'>, facts: HostFacts | undefined): Elicit | undefined {
  const declared = facts?.capabilities['elicitation'];
  if (!isJsonObject(declared) || !(isJsonObject(declared['form']) || declared['url'] === undefined)) return undefined;
  return async (question) => {
    const message = messageOf(question);
    if (message.length > MESSAGE_CHARACTERS_MAX) return 'nothing';
    const params = { message, requestedSchema: { type: 'object', properties: {} } };
    const reply = await host.request('elicitation/create', params, { signal: question.signal });
    return reply.kind === 'result' ? saidIn(reply.result) : 'nothing';
  };
}

/** Only the two plain words count; a content that is none of a form is none of ours. */
function saidIn({ action, content }: { readonly [name: string]: JsonValue }): Awaited<ReturnType<Elicit>> {
  if (content !== undefined && content !== null && !isJsonObject(content)) return 'nothing';
  return action === 'accept' || action === 'decline' ? action : 'nothing';
}

/** All that an answer binds, one thing a line; whatever an agent wrote stays on its line. */
function messageOf({ call, tool, args, because, expires }: HostQuestion): string {
  const at = tool.indexOf('.');
  return [
    'Interlock asks: may this call be made? Accept makes it once, decline refuses it.',
    `server: ${inert(tool.slice(0, at))}`,
    `tool: ${inert(tool.slice(at + 1))}`,
    `arguments: ${inertJson(args)}`,
    ...because.map((reason) => `because: ${inert(reason)}`),
    `call: ${inert(call)}, until ${formatInstant(expires)}`,
  ].join('\n');
}

/** The message of a server's own question under the server's name, line by line, so that it cannot pass for one of ours. */
export function quoted(server: string, message: string): string {
  return [`Server ${server} asks:`, ...message.split(LINE_END).map((line) => `> ${line}`)].join('\n');
}
