/** What a tool's result leaves of a step: `steps.ID.output`. */

import { checkValue } from '../schema/schema.ts';
import { type JsonObject, type JsonValue, isJsonObject } from '../value/json.ts';
import type { Filled } from './template.ts';

/**
 * The structured content of a result (MCP, `tools/call`); where there is none, its text when that is all there is, else
 * the result as it is. With `outputSchema` only what fits is an output. Pure.
 */
export function toolOutput(result: JsonValue, outputSchema?: JsonObject): Filled<JsonValue> {
  const value = contentOf(result);
  const [problem] = outputSchema === undefined ? [] : checkValue(outputSchema, value);
  if (problem === undefined) return { ok: true, value };
  return { ok: false, message: `the tool's output is refused: it ${problem.message} at \`${problem.pointer}\`` };
}

function contentOf(result: JsonValue): JsonValue {
  if (!isJsonObject(result)) return result;
  const { structuredContent, content } = result;
  if (structuredContent !== undefined) return structuredContent;
  const blocks: readonly JsonValue[] = Array.isArray(content) ? content : [];
  const [block] = blocks;
  const text = blocks.length === 1 && isJsonObject(block) && block['type'] === 'text' ? block['text'] : undefined;
  return typeof text === 'string' ? text : result;
}
