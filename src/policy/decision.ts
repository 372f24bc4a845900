/** What is asked of a policy and what it answers. Keys and words: docs/policy.md. */

import type { JsonObject } from '../value/json.ts';
import type { Code } from './code.ts';

export type Effect = 'allow' | 'ask' | 'deny';

/** What the operator declared a tool to do; undeclared means `irreversible`. */
export type ToolEffect = 'read' | 'write' | 'irreversible';

/** One proposed call, complete: `decide` knows nothing else. */
export interface Request {
  readonly principal: string;
  /** Policy name, `server.tool`. */
  readonly tool: string;
  readonly args: JsonObject;
  readonly call: { readonly id: string; readonly attempt: number; readonly key: string };
  readonly run: { readonly id: string; readonly depth: number };
  /** Milliseconds since 1970-01-01T00:00:00Z; the only time a decision knows. */
  readonly now: number;
}

/** One `&&` clause of a rule's condition and how it went. */
export interface ClauseResult {
  readonly text: string;
  readonly result: boolean | 'error';
  readonly error?: string;
}

/** What one rule said about a request. `error` is set when its condition could not be evaluated. */
export interface RuleResult {
  readonly rule: string;
  readonly effect: Effect;
  readonly matched: boolean;
  readonly because?: string;
  readonly error?: string;
  readonly clauses: readonly ClauseResult[];
}

/** An answer. `rules` are the ids of the rules of the winning effect, in file order. */
export interface Decision {
  readonly effect: Effect;
  readonly code: Code;
  readonly rules: readonly string[];
  /** One sentence, fit to be shown to a model: shapes of values, never values of secrets. */
  readonly explanation: string;
  readonly retryable: boolean;
}
