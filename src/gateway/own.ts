/** Interlock's own tools toward the host: listed and proposed like any other, and carried out by nobody else. */

import type { CallStatus } from '../authority/status.ts';
import { OWN_KEY } from '../policy/tool/own-definition.ts';
import { GET_CALL } from '../policy/tool/own.ts';
import type { ToolDefinition } from '../policy/tool/tool.ts';
import { type JsonObject, isJsonObject } from '../value/json.ts';
import type { Reply, RequestOptions } from './peer.ts';

export interface OwnTool {
  readonly definition: ToolDefinition;
  /** Milliseconds. */
  readonly timeoutMs: number;
  /** Invoked by the door, once the call is allowed and recorded. */
  readonly to: { request(method: string, params: JsonObject, options: RequestOptions): Promise<Reply> };
}

const TIMEOUT_MS = 10_000;

/** `act` gets the arguments that were decided, and the key by which the call is known when it is made once more. */
export function ownTool(
  definition: ToolDefinition,
  act: (args: JsonObject, key: string) => Promise<JsonObject>,
  timeoutMs: number = TIMEOUT_MS,
): OwnTool {
  return {
    definition,
    timeoutMs,
    to: {
      request: async (_method, { arguments: args, _meta: meta }) => {
        const key = isJsonObject(meta) ? meta[OWN_KEY] : undefined;
        const result = await act(isJsonObject(args) ? args : {}, typeof key === 'string' ? key : '');
        return { kind: 'result', result };
      },
    },
  };
}

/** What a tool tells, for programs and, as the same JSON, for models. */
export function toldAs(told: JsonObject, isError = false): JsonObject {
  const content = [{ type: 'text', text: JSON.stringify(told) }];
  return { content, structuredContent: told, ...(isError ? { isError } : {}) };
}

/** Why nothing was done, so that a caller can mend it: the code, one sentence, and what would help. */
export function refusedAs(code: string, reason: string, hint: string, more: JsonObject = {}): JsonObject {
  return toldAs({ code, reason, hint, ...more }, true);
}

/** `interlock.get_call`; `status` answers for the caller's own calls only. */
export function getCallTool(status: (id: string) => Promise<CallStatus | undefined>): OwnTool {
  return ownTool(GET_CALL, async ({ id }) => {
    const found = typeof id === 'string' ? await status(id) : undefined;
    // The recorded result stands in `structuredContent.output` as the tool gave it.
    return found === undefined ? NO_CALL : toldAs({ ...found });
  });
}

/** Of what is told as denied the log may have no entry. */
const NO_ENTRY =
  'the log has no call of yours with this id (of many denials of one kind within a minute only the first are kept)';

const NO_CALL: JsonObject = {
  content: [{ type: 'text', text: NO_ENTRY }],
  isError: true,
};
