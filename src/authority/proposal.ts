/** What a caller proposes: untrusted intent, with the one way to carry it out. */

import type { JsonObject } from '../value/json.ts';
import type { Performed } from './answer.ts';

export interface Proposal {
  readonly principal: string;
  /** The host's session; outside programs it is the run. */
  readonly session: string;
  /** Policy name, `server.tool` or `server.method/name`. */
  readonly tool: string;
  readonly args: JsonObject;
  /** The caller's idempotency key. */
  readonly key?: string;
  /** How long the attempt may take, milliseconds; its intent is void afterwards. */
  readonly timeoutMs: number;
  /** Aborted when the caller no longer waits. What was dispatched still runs to its outcome. */
  readonly signal: AbortSignal;
  /** False when the tool's server cannot be reached now. */
  readonly available: boolean;
  /**
   * Sends the call. Invoked at most once per attempt, with the arguments that were decided and recorded.
   * Must send before its first suspension, and must answer; what it throws counts as `unknown`. `meta` are members of
   * the request's `_meta` that go along.
   */
  readonly perform: (args: JsonObject, meta?: JsonObject) => Promise<Performed>;
}

/** How the authority reaches a tool by itself, without a caller; nothing while its server cannot be reached. */
export type Reach = (tool: string) => Pick<Proposal, 'timeoutMs' | 'perform'> | undefined;
