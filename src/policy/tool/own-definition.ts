/** How Interlock's own tools are defined, and which of its names they have. */

import { digestOf } from '../../value/digest.ts';
import { type JsonObject, isJsonObject } from '../../value/json.ts';
import type { ToolDefinition } from './tool.ts';

/** The server that all of them belong to; no configured one can be called so. */
export const OWN_SERVER = 'interlock';

/** The member of a request's `_meta` by which a tool of our own knows a call again that is made once more. */
export const OWN_KEY = 'idempotencyKey';

/** `raw` as a host sees it; `inputSchema` is what calls are judged by, and conditions typed against. */
export function ownDefinition(
  raw: JsonObject & { readonly name: string },
  inputSchema: JsonObject = isJsonObject(raw['inputSchema']) ? raw['inputSchema'] : {},
): ToolDefinition {
  const { name } = raw;
  return Object.freeze({
    name: `${OWN_SERVER}.${name}`,
    server: OWN_SERVER,
    upstreamName: name,
    inputSchema,
    raw,
    digest: digestOf(raw),
  });
}
