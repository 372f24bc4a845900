/** Interlock's own tools: always there, and allowed to everybody the policy knows unless a rule denies them. */

import { digestOf } from '../../value/digest.ts';
import type { JsonObject } from '../../value/json.ts';
import type { Rule } from '../document/rule.ts';
import type { ToolDefinition } from './tool.ts';

const SERVER = 'interlock';
const PLACE = { line: 1, column: 1 };
const NAME = 'get_call';

const GET_CALL_RAW: JsonObject = {
  name: NAME,
  title: 'Get a call',
  description:
    'Where a call that you made through Interlock stands: its state, its result once there is one, when the approval ' +
    'it waits for expires, or how its unknown outcome is settled. It runs nothing.',
  inputSchema: {
    type: 'object',
    properties: { id: { type: 'string', description: 'the id in `_meta["interlock/call"]` of the answer' } },
    required: ['id'],
    additionalProperties: false,
  },
  annotations: { readOnlyHint: true, idempotentHint: true, destructiveHint: false, openWorldHint: false },
};

/** Shows a caller its own calls. Conditions see its arguments untyped: rules about `*` are written for other tools. */
export const GET_CALL: ToolDefinition = Object.freeze({
  name: `${SERVER}.${NAME}`,
  server: SERVER,
  upstreamName: NAME,
  inputSchema: { type: 'object', required: ['id'] },
  raw: GET_CALL_RAW,
  digest: digestOf(GET_CALL_RAW),
});

export const OWN_TOOLS: readonly ToolDefinition[] = [GET_CALL];

/** What allows the tool; its id is none that a file may write. */
export function ownRule({ name, upstreamName }: ToolDefinition): Rule {
  const pattern = { text: name, runs: [name], place: PLACE };
  return { id: `${SERVER}/${upstreamName}`, place: PLACE, effect: 'allow', pattern };
}
