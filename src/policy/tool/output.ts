/** What expressions see as `output`: the content of a tool's answer, without its envelope. */

import { isJsonObject, parseJson } from '../../value/json.ts';
import type { JsonValue } from '../../value/json.ts';

/**
 * Of the result of an MCP tool call: its `structuredContent`; else, where the content is one text, the JSON that it is,
 * or the text itself; else the result as it came.
 */
export function outputOf(result: JsonValue): JsonValue {
  if (!isJsonObject(result)) return result;
  const structured = Object.hasOwn(result, 'structuredContent') ? result['structuredContent'] : undefined;
  if (structured !== undefined) return structured;
  const content = Object.hasOwn(result, 'content') ? result['content'] : undefined;
  const [only, another] = isList(content) ? content : [];
  if (!isJsonObject(only) || another !== undefined) return result;
  const text = Object.hasOwn(only, 'text') ? only['text'] : undefined;
  if (typeof text !== 'string') return result;
  const parsed = parseJson(text);
  return parsed.ok ? parsed.value : text;
}

function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}
