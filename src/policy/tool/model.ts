/** Models as tools: asking the model NAME is a call of `llm.NAME`, which nobody may make unless a rule allows it. */

import { digestOf } from '../../value/digest.ts';
import type { JsonObject } from '../../value/json.ts';
import type { ModelConfiguration } from '../document/model.ts';
import { MODEL_SERVER } from '../document/server.ts';
import type { ToolEffect } from '../decide/decision.ts';
import type { ToolDefinition } from './tool.ts';

const INPUT: JsonObject = {
  type: 'object',
  properties: {
    prompt: { type: 'string', description: 'what the model is asked' },
    outputs: { type: 'array', items: { type: 'string' }, description: 'the words that are answers' },
    schema: { type: 'object', description: 'the JSON Schema of what it answers' },
  },
  required: ['prompt'],
  additionalProperties: false,
};
const COUNT: JsonObject = { type: 'integer', minimum: 0 };
const TOKENS: JsonObject = {
  type: 'object',
  properties: { input: COUNT, output: COUNT },
  required: ['input', 'output'],
};

const PREFIX = `${MODEL_SERVER}.`;

/** The model that a tool of this policy name is; nothing for any other tool. */
export function modelNameOf(tool: string): string | undefined {
  return tool.startsWith(PREFIX) ? tool.slice(PREFIX.length) : undefined;
}

export function isModelTool({ server }: Pick<ToolDefinition, 'server'>): boolean {
  return server === MODEL_SERVER;
}

/**
 * The tool of `model`. What it answers has `text`, the `model` that answered, `tokens` and, where a price is configured,
 * `microUsd`: an expression over that is refused for a model without a price.
 */
export function modelTool(model: ModelConfiguration): ToolDefinition {
  const priced = model.price === undefined ? {} : { microUsd: COUNT };
  const outputSchema: JsonObject = {
    type: 'object',
    properties: { text: { type: 'string' }, model: { type: 'string' }, tokens: TOKENS, ...priced },
    required: ['text', 'model', 'tokens', ...Object.keys(priced)],
  };
  const served = model.provider === 'scripted' ? 'a script' : `\`${model.model}\` of ${model.provider}`;
  const description = `Asks the model ${served}.`;
  const raw: JsonObject = { name: model.name, description, inputSchema: INPUT, outputSchema };
  return Object.freeze({
    name: `${PREFIX}${model.name}`,
    server: MODEL_SERVER,
    upstreamName: model.name,
    description,
    inputSchema: INPUT,
    outputSchema,
    raw,
    digest: digestOf(raw),
  });
}

/** What an undeclared tool does: asking a model again harms nobody, of any other tool nothing is known. */
export function undeclaredEffect(tool: ToolDefinition): ToolEffect {
  return isModelTool(tool) ? 'read' : 'irreversible';
}
