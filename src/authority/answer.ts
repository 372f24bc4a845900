/** How a performed call ended, and what the caller is told. */

import type { Code } from '../policy/decide/code.ts';
import type { Effect } from '../policy/decide/decision.ts';
import type { JsonObject } from '../value/json.ts';

/**
 * How an attempt ended, judged by the transport and never by the tool's words:
 * `succeeded`, `failed` — the tool answered, with a result or with an error;
 * `not-started` — refused before the first byte could leave: no effect;
 * `unknown` — bytes may have left and no answer came.
 */
export type Performed =
  | { readonly kind: 'succeeded' | 'failed'; readonly output: JsonObject }
  | { readonly kind: 'not-started' | 'unknown'; readonly reason: string };

/** Where a call stands, in the caller's words. `parked` and `running` calls have no outcome yet. */
export type AnswerState =
  | 'denied'
  | 'parked'
  | 'running'
  | 'not-started'
  | 'succeeded'
  | 'failed'
  | 'unknown'
  | 'settled-executed';

/** What a caller may know of the decision on its call. */
export interface ShownDecision {
  readonly effect: Effect;
  readonly code: Code;
  readonly rules: readonly string[];
  readonly retryable: boolean;
  /** The smallest change that would be allowed: policy/decision.ts. */
  readonly nearest?: JsonObject;
}

export interface Answer {
  /** The call's id; names it in the ledger and to `interlock settle`. */
  readonly call: string;
  readonly state: AnswerState;
  /** The recorded result of an earlier call under the same key: nothing ran now. */
  readonly replayed: boolean;
  /** Absent when the call was simply allowed. */
  readonly decision?: ShownDecision;
  /** One sentence for the model; present whenever there is no output to relay. */
  readonly sentence?: string;
  /** What the tool returned, unchanged. */
  readonly output?: JsonObject;
}
