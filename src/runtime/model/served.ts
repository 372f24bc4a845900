/** Asks a model behind an HTTP API: once, through the network guard, and with nothing but the prompt. */

import { redaction } from '../../guard/secret/find.ts';
import type { NetAnswer } from '../../guard/net/fetch.ts';
import type { Resolver } from '../../guard/net/resolve.ts';
import { type WebFetch, webFetch } from '../../guard/net/web-fetch.ts';
import type { ServedModel } from '../../policy/document/model.ts';
import { fromUtf8, utf8 } from '../../value/encoding.ts';
import { type JsonObject, isJsonObject, parseJson } from '../../value/json.ts';
import type { World } from '../../world/world.ts';
import { type LanguageModel, PROVIDERS, isMissing } from './provider.ts';
import { type Ask, NO_TOKENS, type Question, type Reply, type Tokens } from './reply.ts';

export interface Surroundings {
  readonly world: World;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Ends what is under way. */
  readonly signal?: AbortSignal;
  /** By default that of the machine. */
  readonly resolver?: Resolver;
}

/** Of one answer. */
const BYTES_MAX = 8 * 1024 * 1024;
/** Shorter ones would be found in everything. */
const KEY_LENGTH_MIN = 8;
/** What a provider may call a model, or an error, to be repeated in the ledger. */
const MODEL_ID = /^[\w.:/@-]{1,128}$/u;
const ERROR_NAME = /^\w{1,64}$/u;
const ERROR_WORD = /^[a-z]{1,32}(_[a-z]{1,32}){0,7}$/u;

type Generated = Awaited<ReturnType<LanguageModel['doGenerate']>>;

/**
 * Asks `model`. The SDK makes one request and repeats none: every attempt is the authority's, which counts it. What the
 * operator wrote as `url` may lie on this machine or its networks; a provider's own address may not.
 */
export function askServed(model: ServedModel, around: Surroundings): Ask {
  const provider = PROVIDERS[model.provider];
  const variable = model.apiKeyEnv ?? provider.apiKeyEnv;
  return async (question, timeoutMs) => {
    const key = variable === undefined ? '' : around.environment[variable];
    if (key === undefined || (key === '' && variable !== undefined)) {
      return {
        kind: 'not-started',
        reason: `the environment variable \`${variable}\`, which holds its key, is not set`,
      };
    }
    const until = around.world.monotonic() + timeoutMs;
    const { world, signal, resolver } = around;
    const base = (model.url ?? provider.url).replace(/\/+$/u, '');
    const web = webFetch(`${base}/`, () => ({
      world,
      reach: { private: model.url !== undefined },
      timeoutMs: Math.max(1, Math.ceil(until - world.monotonic())),
      bytesMax: BYTES_MAX,
      ...(signal === undefined ? {} : { signal }),
      ...(resolver === undefined ? {} : { resolver }),
    }));
    const reply = await generate(model, question, web, { baseURL: base, apiKey: key, fetch: web.request });
    return withoutKey(reply, key);
  };
}

async function generate(
  model: ServedModel,
  question: Question,
  web: WebFetch,
  connection: Parameters<(typeof PROVIDERS)['openai']['load']>[1],
): Promise<Reply> {
  const provider = PROVIDERS[model.provider];
  try {
    const language = await provider.load(model.model, connection);
    return replyOf(await language.doGenerate(optionsOf(question)), model.model, question);
  } catch (error) {
    if (isMissing(error, provider.package)) {
      const { package: name } = provider;
      return { kind: 'not-started', reason: `the package \`${name}\` is not installed: \`npm install ${name}\`` };
    }
    return failure(web.last(), error, model.model);
  }
}

function optionsOf({ prompt, schema }: Question): Parameters<LanguageModel['doGenerate']>[0] {
  return {
    prompt: [{ role: 'user', content: [{ type: 'text', text: prompt }] }],
    ...(schema === undefined ? {} : { responseFormat: { type: 'json', schema } }),
    // Nothing is kept there; and a schema need not be of the few that the strict mode takes.
    providerOptions: { openai: { store: false, strictJsonSchema: false } },
  };
}

/** What came back: a whole answer, or why it is none. */
function replyOf(generated: Generated, asked: string, question: Question): Reply {
  const { content, finishReason, response } = generated;
  const said = content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('');
  const text = (question.schema === undefined ? undefined : generated.structuredOutputText) ?? said;
  const named = response?.modelId ?? '';
  const model = MODEL_ID.test(named) ? named : asked;
  const tokens = tokensOf(generated, question.prompt, text);
  const refused = (reason: string): Reply => ({ kind: 'failed', reason, model, tokens });
  switch (finishReason.unified) {
    case 'length':
      return refused('the answer was cut off at the length that the provider allows');
    case 'content-filter':
      return refused('the provider withheld the answer');
    case 'error':
    case 'interrupted':
      return refused('the answer is not whole');
    case 'stop':
    case 'tool-calls':
    case 'other':
      return text.trim() === '' ? refused('the answer has no text') : { kind: 'answered', text, model, tokens };
  }
}

/** As the provider counts; where it does not tell, a token for each byte, which is more than any counts. */
function tokensOf({ usage }: Generated, prompt: string, text: string): Tokens {
  return {
    input: counted(usage.inputTokens.total) ?? utf8(prompt).length,
    output: counted(usage.outputTokens.total) ?? utf8(text).length,
  };
}

function counted(count: number | undefined): number | undefined {
  return count !== undefined && Number.isSafeInteger(count) && count >= 0 ? count : undefined;
}

/** What became of a request that brought no answer that could be read. What the SDK says of it may quote the request. */
function failure(answer: NetAnswer | undefined, error: unknown, model: string): Reply {
  if (answer === undefined) {
    const name = error instanceof Error && ERROR_NAME.test(error.name) ? error.name : 'no error';
    return { kind: 'not-started', reason: `the AI SDK did not send the request (${name})` };
  }
  if (!answer.ok && !answer.sent) return { kind: 'not-started', reason: `${answer.code}: ${answer.reason}` };
  if (!answer.ok && (answer.code === 'broken' || answer.code === 'timeout')) {
    return { kind: 'unknown', reason: `${answer.code}: ${answer.reason}` };
  }
  if (!answer.ok) return { kind: 'failed', reason: `${answer.code}: ${answer.reason}`, model, tokens: NO_TOKENS };
  const body = bodyOf(answer.body);
  const word = body === undefined ? undefined : wordOf(body['error']);
  const what = answer.status < 400 ? 'an answer that cannot be read' : `${answer.status}`;
  const reason = `the provider answered ${what}${word === undefined ? '' : ` (${word})`}`;
  return { kind: 'failed', reason, model, tokens: body === undefined ? NO_TOKENS : usageIn(body) };
}

function bodyOf(bytes: Uint8Array): JsonObject | undefined {
  const text = fromUtf8(bytes);
  const parsed = text === undefined ? undefined : parseJson(text);
  return parsed?.ok === true && isJsonObject(parsed.value) ? parsed.value : undefined;
}

/** A word for the error; its message may hold anything, the key included. */
function wordOf(error: JsonObject[string] | undefined): string | undefined {
  if (!isJsonObject(error)) return undefined;
  return [error['code'], error['type']].find((word) => typeof word === 'string' && ERROR_WORD.test(word)) as
    | string
    | undefined;
}

/** What an answer that the SDK could not read says that it took. */
function usageIn({ usage }: JsonObject): Tokens {
  if (!isJsonObject(usage)) return NO_TOKENS;
  const first = (...names: readonly string[]): number => {
    const found = names.map((name) => usage[name]).find((count) => typeof count === 'number');
    return counted(typeof found === 'number' ? found : undefined) ?? 0;
  };
  return { input: first('input_tokens', 'prompt_tokens'), output: first('output_tokens', 'completion_tokens') };
}

/** A provider that sends the key back is not to put it into the ledger. */
function withoutKey(reply: Reply, key: string): Reply {
  if (key.length < KEY_LENGTH_MIN) return reply;
  const clean = (text: string): string => text.replaceAll(key, redaction('api-key'));
  if (reply.kind === 'answered') return { ...reply, text: clean(reply.text), model: clean(reply.model) };
  return { ...reply, reason: clean(reply.reason) };
}
