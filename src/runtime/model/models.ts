/** The models of a configuration, as tools that the authority reaches. */

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Reach } from '../../authority/proposal.ts';
import type { ModelConfiguration, ScriptedModel } from '../../policy/document/model.ts';
import { modelNameOf } from '../../policy/tool/model.ts';
import { fromUtf8 } from '../../value/encoding.ts';
import { type JsonObject, isJsonObject } from '../../value/json.ts';
import { type Ask, type Reply, performedOf } from './reply.ts';
import { parseScript, playScript } from './script.ts';
import { type Surroundings, askServed } from './served.ts';

export interface ModelsOptions extends Surroundings {
  /** What relative paths of the configuration are relative to. */
  readonly directory: string;
}

/** How long an answer may take where nobody says, milliseconds. */
const TIMEOUT_MS = 60_000;

/**
 * How `llm.NAME` is reached, for each of `models`; nothing for any other tool. The second argument is how long an answer
 * may take, milliseconds: what is asked later ends by then. Packages and scripts are loaded when they are first needed,
 * and one that is not there is an outcome `not-started`.
 */
export function openModels(
  models: ReadonlyMap<string, ModelConfiguration>,
  options: ModelsOptions,
): (tool: string, timeoutMs?: number) => ReturnType<Reach> {
  const asks = new Map<string, Ask>();
  const askOf = (model: ModelConfiguration): Ask => {
    const ask =
      asks.get(model.name) ?? (model.provider === 'scripted' ? askScripted(model, options) : askServed(model, options));
    asks.set(model.name, ask);
    return ask;
  };
  return (tool, timeoutMs = TIMEOUT_MS) => {
    const model = models.get(modelNameOf(tool) ?? '');
    if (model === undefined) return undefined;
    const perform = async (args: JsonObject): ReturnType<NonNullable<ReturnType<Reach>>['perform']> => {
      const { prompt, schema } = args;
      if (typeof prompt !== 'string') return { kind: 'not-started', reason: 'there is no `prompt` to ask with' };
      const question = isJsonObject(schema) ? { prompt, schema } : { prompt };
      return performedOf(await askOf(model)(question, timeoutMs), model.price);
    };
    return { timeoutMs, perform };
  };
}

/** A script is read once. */
function askScripted({ name, file }: ScriptedModel, { directory }: ModelsOptions): Ask {
  let playing: Promise<(question: Parameters<Ask>[0]) => Reply> | undefined;
  return async (question) => {
    playing ??= load(path.resolve(directory, file), file, name);
    return (await playing)(question);
  };
}

async function load(file: string, shown: string, name: string): Promise<(question: Parameters<Ask>[0]) => Reply> {
  const refused = (why: string) => (): Reply => ({ kind: 'not-started', reason: `its script \`${shown}\` ${why}` });
  const bytes = await readFile(file).catch(() => undefined);
  const text = bytes === undefined ? undefined : fromUtf8(bytes);
  if (text === undefined) return refused(bytes === undefined ? 'cannot be read' : 'is not UTF-8');
  const parsed = parseScript(text, shown);
  if (parsed.ok) return playScript(parsed.value, name);
  const [{ line, column, message } = { line: 1, column: 1, message: 'it is none' }] = parsed.issues;
  return refused(`cannot be used: ${line}:${column}: ${message}`);
}
