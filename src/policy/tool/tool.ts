/** A tool as its server defines it, and the digest that tells when the definition changed. */

import { digestOf } from '../../value/digest.ts';
import type { Digest } from '../../value/digest.ts';
import { isJsonObject } from '../../value/json.ts';
import type { JsonObject, JsonValue } from '../../value/json.ts';

export interface ToolDefinition {
  /** Policy name, `server.tool`. */
  readonly name: string;
  readonly server: string;
  /** The name the server knows it by. */
  readonly upstreamName: string;
  readonly title?: string;
  readonly description?: string;
  readonly inputSchema: JsonObject;
  readonly outputSchema?: JsonObject;
  readonly annotations?: JsonObject;
  /** As the server sent it. */
  readonly raw: JsonObject;
  /** Of name, title, description, schemas and annotations. */
  readonly digest: Digest;
}

const NAME_MAX = 256;
const DIGESTED = ['name', 'title', 'description', 'inputSchema', 'outputSchema', 'annotations'] as const;

/** The definition that a server's `tools/list` holds for one tool, or in one line why it cannot be used. */
export function defineTool(
  server: string,
  raw: JsonValue,
): { readonly ok: true; readonly tool: ToolDefinition } | { readonly ok: false; readonly message: string } {
  if (!isJsonObject(raw)) return refused('a tool is not an object');
  const name = member(raw, 'name');
  if (typeof name !== 'string' || name === '') return refused('a tool has no name');
  if (name.length > NAME_MAX)
    return refused(`a tool's name has ${name.length} characters, expected at most ${NAME_MAX}`);
  // Such characters show in a list or a log as something else than they are.
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(name) || !name.isWellFormed())
    return refused("a tool's name has control characters");
  const inputSchema = member(raw, 'inputSchema');
  if (!isJsonObject(inputSchema)) return refused(`tool \`${name}\` has no \`inputSchema\` that is an object`);
  const title = member(raw, 'title');
  const description = member(raw, 'description');
  const outputSchema = member(raw, 'outputSchema');
  const annotations = member(raw, 'annotations');
  const tool = {
    name: `${server}.${name}`,
    server,
    upstreamName: name,
    inputSchema,
    raw,
    digest: digestOf(pinnedPart(raw)),
    ...(typeof title === 'string' ? { title } : {}),
    ...(typeof description === 'string' ? { description } : {}),
    ...(isJsonObject(outputSchema) ? { outputSchema } : {}),
    ...(isJsonObject(annotations) ? { annotations } : {}),
  };
  return { ok: true, tool: Object.freeze(tool) };
}

/** What of a definition a pin holds: all that tells a model or a policy what the tool is. */
export function pinnedPart(raw: JsonObject): JsonObject {
  return Object.fromEntries(DIGESTED.filter((key) => Object.hasOwn(raw, key)).map((key) => [key, raw[key] ?? null]));
}

function member(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function refused(message: string): { readonly ok: false; readonly message: string } {
  return { ok: false, message };
}
