/** What an onlooker saw of a simulated world: every entry that became durable, and everything that happened outside. */

import type { Answer } from '../../src/authority/answer.ts';
import type { Entry } from '../../src/ledger/entry.ts';
import type { JsonObject } from '../../src/value/json.ts';
import type { Owner } from './schedule.ts';

/** One proposal of an agent. Its session is its own, so that an intent names it. */
export interface Proposed {
  readonly session: string;
  readonly principal: string;
  readonly tool: string;
  readonly args: JsonObject;
  readonly key?: string;
  /** The process it was handed to. */
  readonly owner: Owner;
  /** How often it was sent. */
  sent: number;
  /** Whoever proposed it did not wait for the answer. */
  gaveUp?: true;
  answer?: Answer;
}

/** One intent, and what came of it. */
export interface Attempt {
  readonly id: string;
  readonly call: Call;
  readonly instance: string;
  readonly session: string;
  readonly entry: Entry;
  readonly amount: number;
  /** Milliseconds since the epoch: from then on it is void. */
  readonly deadline: number;
  /** Monotonic clock when it became durable, milliseconds. */
  readonly since: number;
  /** The type of the entry that ended it; `call.unknown` until it is settled. */
  ended?: string;
  dispatches: number;
  effects: number;
  /** It was handed to the other side, which may still carry it out. */
  inFlight: boolean;
  /** The key that the tool was given. */
  key?: string;
  /** The attempt that it repeats although that may have had its effect. */
  readonly resends?: string;
  /** What the tool answered. */
  reply?: JsonObject;
  /** Charged against the principal's budget now. */
  charge: number;
}

export interface Approval {
  readonly by: string;
  readonly digest: string;
  readonly signature?: string;
}

/** A call as its entries say it, worked out without the ledger's own fold. */
export interface Call {
  readonly id: string;
  readonly principal: string;
  readonly tool: string;
  readonly args: JsonObject;
  keys: readonly string[];
  readonly attempts: Attempt[];
  /** The type of its last entry, after `call.`. */
  state: string;
  /** The entry that asks for its approval. */
  question?: Entry;
  approvals: Approval[];
}

export interface History {
  readonly proposals: Map<string, Proposed>;
  readonly calls: Map<string, Call>;
  readonly attempts: Map<string, Attempt>;
  /** By session, its intents in order. */
  readonly intents: Map<string, Attempt[]>;
  /** The call that holds a key. */
  readonly holders: Map<string, Call>;
  readonly kills: Set<string>;
  /** What one principal was charged in the window that begins then: by `PRINCIPAL@MILLISECONDS`. */
  readonly spent: Map<string, number>;
  readonly entries: Entry[];
}

export function createHistory(): History {
  return {
    proposals: new Map(),
    calls: new Map(),
    attempts: new Map(),
    intents: new Map(),
    holders: new Map(),
    kills: new Set(),
    spent: new Map(),
    entries: [],
  };
}
