/** The AI SDK's models: a package for each provider, there only where somebody installed it. */

import type { OpenAIProvider } from '@ai-sdk/openai';
import type { WebFetch } from '../../guard/net/web-fetch.ts';
import type { ServedModel } from '../../policy/document/model.ts';

/** What the AI SDK calls a language model. */
export type LanguageModel = ReturnType<OpenAIProvider['languageModel']>;

/** How a model is reached. The packages would look into the environment for what is left out. */
interface Connection {
  readonly baseURL: string;
  readonly apiKey: string;
  readonly fetch: WebFetch['request'];
}

interface Provider {
  readonly package: string;
  readonly url: string;
  /** The environment variable of its key; absent: it needs none. */
  readonly apiKeyEnv?: string;
  readonly load: (model: string, connection: Connection) => Promise<LanguageModel>;
}

export const PROVIDERS: Readonly<Record<ServedModel['provider'], Provider>> = {
  openai: {
    package: '@ai-sdk/openai',
    url: 'https://api.openai.com/v1',
    apiKeyEnv: 'OPENAI_API_KEY',
    load: async (model, connection) => {
      const { createOpenAI } = await import('@ai-sdk/openai');
      return createOpenAI(connection).responses(model);
    },
  },
  anthropic: {
    package: '@ai-sdk/anthropic',
    url: 'https://api.anthropic.com/v1',
    apiKeyEnv: 'ANTHROPIC_API_KEY',
    load: async (model, connection) => {
      const { createAnthropic } = await import('@ai-sdk/anthropic');
      return createAnthropic(connection).languageModel(model);
    },
  },
  'openai-compatible': {
    package: '@ai-sdk/openai-compatible',
    // The configuration names it.
    url: '',
    load: async (model, { apiKey, ...connection }) => {
      const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');
      const key = apiKey === '' ? {} : { apiKey };
      const options = { ...connection, ...key, name: 'compatible', supportsStructuredOutputs: true };
      return createOpenAICompatible(options).languageModel(model);
    },
  },
};

/** Whether `error` says that the package `name` is not installed. */
export function isMissing(error: unknown, name: string): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return error.code === 'ERR_MODULE_NOT_FOUND' && error.message.includes(`'${name}'`);
}
