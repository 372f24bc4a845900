/** Interlock's own tools toward the host: listed and proposed like any other, and carried out by nobody else. */

import type { CallStatus } from '../authority/status.ts';
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

/** `interlock.get_call`; `status` answers for the caller's own calls only. */
export function getCallTool(status: (id: string) => Promise<CallStatus | undefined>): OwnTool {
  return {
    definition: GET_CALL,
    timeoutMs: TIMEOUT_MS,
    to: {
      request: async (_method, params) => {
        const { arguments: args } = params;
        const id = isJsonObject(args) ? args['id'] : undefined;
        const found = typeof id === 'string' ? await status(id) : undefined;
        return { kind: 'result', result: found === undefined ? NO_CALL : resultOf(found) };
      },
    },
  };
}

/** Of what is told as denied the log may have no entry. */
const NO_ENTRY =
  'the log has no call of yours with this id (of many denials of one kind within a minute only the first are kept)';

const NO_CALL: JsonObject = {
  content: [{ type: 'text', text: NO_ENTRY }],
  isError: true,
};

/** The recorded result stands in `structuredContent.output` as the tool gave it. */
function resultOf(status: CallStatus): JsonObject {
  return { content: [{ type: 'text', text: JSON.stringify(status) }], structuredContent: { ...status } };
}
