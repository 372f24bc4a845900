/** What a caller proposes: untrusted intent, with the one way to carry it out. */

import type { Capability } from '../policy/decide/capability.ts';
import type { Decision } from '../policy/decide/decision.ts';
import type { Digest } from '../value/digest.ts';
import type { JsonObject, JsonValue } from '../value/json.ts';
import type { Performed } from './answer.ts';

/** Values of arguments that were hidden before. */
export interface Opened {
  readonly personal: readonly string[];
  readonly secrets: readonly string[];
  /** `s_…` of whom they are about. */
  readonly subjects: readonly string[];
}

/** The step of a program that proposes a call. */
export interface ProgramStep {
  /** Of the program that runs. */
  readonly program: Digest;
  /** Moves of the run before. */
  readonly seq: number;
  /** The step, as conditions see it. */
  readonly step: string;
  /** The command of the run that the call carries out, once in a run: no two calls have one. */
  readonly command: string;
  /** How many programs called each other on the way, 0 for the first. */
  readonly depth: number;
  /** What the run may do. */
  readonly capability: Capability;
}

export interface Proposal {
  readonly principal: string;
  /** The host's session; outside programs it is the run. */
  readonly session: string;
  /** Set where a program proposes: then `session` is the id of the run. */
  readonly program?: ProgramStep;
  /** Attempts that the call may make by itself, where that is safe; as the authority was told if not given. */
  readonly attemptsMax?: number;
  /** Policy name, `server.tool` or `server.method/name`. */
  readonly tool: string;
  readonly args: JsonObject;
  /** The caller's idempotency key. */
  readonly key?: string;
  /** How long the attempt may take, milliseconds; its intent is void afterwards. */
  readonly timeoutMs: number;
  /** Aborted when the caller no longer waits. What was dispatched still runs to its outcome. */
  readonly signal: AbortSignal;
  /** What references among the arguments led to: it stays hidden where it is recorded, whatever is declared. */
  readonly opened?: Opened;
  /** Why a reference among the arguments leads nowhere; they are as they came. */
  readonly unopened?: Decision;
  /** False when the tool's server cannot be reached now. */
  readonly available: boolean;
  /**
   * Sends the call. Invoked at most once per attempt, with the arguments that were decided and recorded.
   * Must send before its first suspension, and must answer; what it throws counts as `unknown`. `meta` are members of
   * the request's `_meta` that go along.
   */
  readonly perform: (args: JsonObject, meta?: JsonObject) => Promise<Performed>;
  /** Asks the person at the caller's host; absent where that host has no way to ask. */
  readonly elicit?: Elicit;
}

/** What a person at the caller's host is asked before a parked call may go on. */
export interface HostQuestion {
  readonly call: string;
  readonly tool: string;
  /** As they would be sent, but for secrets. */
  readonly args: JsonValue;
  /** Why it is asked, one of each rule that asks. */
  readonly because: readonly string[];
  /** The end of the time to answer, milliseconds since the epoch. */
  readonly expires: number;
  /** Aborted when the answer is not wanted any more. */
  readonly signal: AbortSignal;
}

/**
 * What the person said. `nothing`: nobody was asked, was there, decided, or answered in a way that can be understood.
 * Never rejects.
 */
export type Elicit = (question: HostQuestion) => Promise<'accept' | 'decline' | 'nothing'>;

/**
 * How the authority reaches a tool by itself, without a caller; nothing while its server cannot be reached. What a model is
 * asked takes at most `timeoutMs` milliseconds; a server has a time of its own.
 */
export type Reach = (tool: string, timeoutMs?: number) => Pick<Proposal, 'timeoutMs' | 'perform'> | undefined;
