/** What is asked of a policy and what it answers. Keys and words: docs/policy.md. */

import type { JsonObject } from '../../value/json.ts';
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
  /** `depth` is the length of the delegation chain: 0 for the principal's own calls. */
  readonly run: {
    readonly id: string;
    readonly depth: number;
    /** Of a call that a step of a program makes: the program's digest and the step; absent for all others. */
    readonly program?: string;
    readonly step?: string;
  };
  /** Whose deployment it is, where there are several; absent means the only one. */
  readonly tenant?: string;
  /** Who acts for the principal; absent means the principal itself. */
  readonly agent?: string;
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

/** What a call takes before it runs; by the keys of facts. The intent records it, and the ledger folds it. */
export interface Reservation {
  /** What is added to budgets and counts, in whole units. A budget that is charged nothing stands here with 0. */
  readonly reserved: Readonly<Record<string, number>>;
  /** What rates are set to: microseconds since the epoch. */
  readonly rates: Readonly<Record<string, number>>;
  /** The leases taken: each grows its fact by 1 until the call has ended. */
  readonly slots: readonly string[];
  /** How long a lease lasts after an outcome that stays unknown, milliseconds; absent means until it is settled. */
  readonly effectTimeoutMs?: number;
}

/** A change of one argument by which a denied call would have been allowed: it was decided before it was offered. */
export interface Nearest {
  /** The argument, as a JSON pointer into the arguments (RFC 6901). */
  readonly path: string;
  /** `<=` and `>=`: every number of that side up to `until` that fits the schema; `in`: each of `value`. */
  readonly op: '<=' | '>=' | '==' | 'in';
  readonly value: string | number | boolean | readonly (string | number | boolean)[];
  /** Where the numbers that are allowed end; absent when there is no end. */
  readonly until?: number;
  /** For people: "`amount` ≤ 20000 would be allowed". */
  readonly text: string;
}

/** An answer. `rules` are the ids of the rules of the winning effect, in file order. */
export interface Decision {
  readonly effect: Effect;
  readonly code: Code;
  readonly rules: readonly string[];
  /** One sentence, fit to be shown to a model: shapes of values, never values of secrets. */
  readonly explanation: string;
  readonly retryable: boolean;
  /** What the rules say of a call that is allowed only because the preset `shadow` enforces none. */
  readonly shadowed?: { readonly effect: Effect; readonly code: Code; readonly rules: readonly string[] };
  /** With `deny` only, where one is found among the values that the rules name. */
  readonly nearest?: Nearest;
  /** With `allow` only, and only where something is taken. */
  readonly reservation?: Reservation;
  /** What the decision was made from: the facts the policy needs for the call, those that are not 0. */
  readonly facts?: Readonly<Record<string, number>>;
}
