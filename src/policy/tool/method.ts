/** Methods of a server beside its tools, decided on like tools: `files.resources/read` with `args.uri`. */

import type { JsonObject } from '../../value/json.ts';
import { defineTool } from './tool.ts';
import type { ToolDefinition } from './tool.ts';

const URI: JsonObject = { type: 'object', required: ['uri'], properties: { uri: { type: 'string' } } };
const NAMED: JsonObject = {
  type: 'object',
  required: ['name'],
  properties: { name: { type: 'string' }, arguments: { type: 'object', additionalProperties: { type: 'string' } } },
};
/** Their parameters are the protocol's own, checked where it is spoken; conditions read them untyped. */
const OPEN: JsonObject = { type: 'object' };

const METHODS: Readonly<Record<string, JsonObject>> = {
  'resources/read': URI,
  'resources/subscribe': URI,
  'prompts/get': NAMED,
  'completion/complete': OPEN,
  'sampling/createMessage': OPEN,
  'elicitation/create': OPEN,
  'tasks/get': OPEN,
  'tasks/result': OPEN,
  'tasks/cancel': OPEN,
  'tasks/list': OPEN,
};

/** The decided methods of `server`, as definitions. */
export function methodsOf(server: string): readonly ToolDefinition[] {
  return Object.entries(METHODS).flatMap(([name, inputSchema]) => {
    const defined = defineTool(server, { name, inputSchema });
    return defined.ok ? [defined.tool] : [];
  });
}

/** Whether a tool of this upstream name would be taken for a method. */
export function isMethodName(upstreamName: string): boolean {
  return Object.hasOwn(METHODS, upstreamName);
}
