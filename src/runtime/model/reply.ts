/** What a model was asked and how that ended, and the result of the call that it is. */

import type { Performed } from '../../authority/answer.ts';
import type { ModelPrice } from '../../policy/document/model.ts';
import type { JsonObject } from '../../value/json.ts';

export interface Question {
  readonly prompt: string;
  /** The answer is JSON of this schema; whether it is, is for whoever asked to check. */
  readonly schema?: JsonObject;
}

export interface Tokens {
  readonly input: number;
  readonly output: number;
}

/**
 * How asking ended. `failed`: the provider answered with an error, or with what is no whole answer; `tokens` are those
 * that it says it took all the same. `not-started`, `unknown`: as in `Performed`.
 */
export type Reply =
  | { readonly kind: 'answered'; readonly text: string; readonly model: string; readonly tokens: Tokens }
  | { readonly kind: 'failed'; readonly reason: string; readonly model: string; readonly tokens: Tokens }
  | { readonly kind: 'not-started' | 'unknown'; readonly reason: string };

/** Asks a model once; never rejects. It ends after `timeoutMs` milliseconds at the latest. */
export type Ask = (question: Question, timeoutMs: number) => Promise<Reply>;

export const NO_TOKENS: Tokens = { input: 0, output: 0 };

/** A reply as the result of a call of `llm.NAME`, in the form of a tool's. */
export function performedOf(reply: Reply, price: ModelPrice | undefined): Performed {
  switch (reply.kind) {
    case 'not-started':
    case 'unknown':
      return { kind: reply.kind, reason: reply.reason };
    case 'failed':
    case 'answered': {
      const { kind, model, tokens } = reply;
      const money = price === undefined ? {} : { microUsd: microUsdOf(tokens, price) };
      const text = kind === 'failed' ? reply.reason : reply.text;
      const content = [{ type: 'text', text }];
      const structuredContent = { text: kind === 'failed' ? '' : text, model, tokens: { ...tokens }, ...money };
      if (kind === 'answered') return { kind: 'succeeded', output: { content, structuredContent } };
      return { kind, output: { content, structuredContent, isError: true } };
    }
  }
}

/** Prices are told apart to so many parts of a dollar per million tokens. */
const PARTS = 1_000_000;

/** What `tokens` cost, millionths of a US dollar, rounded up: a dollar per million tokens is a millionth for each. */
export function microUsdOf(tokens: Tokens, price: ModelPrice): number {
  const parts = tokens.input * Math.round(price.input * PARTS) + tokens.output * Math.round(price.output * PARTS);
  return Math.ceil(parts / PARTS);
}
