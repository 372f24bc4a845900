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
  /** The process it was handed to, and its opening of the disk. */
  readonly owner: Owner;
  readonly instance: string;
  /** When, milliseconds on the monotonic clock. */
  readonly asked: number;
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

/** Of one process, principal and code. */
export interface Denials {
  /** Answers that name a call without an entry, and how many the log counts. */
  told: number;
  counted: number;
  /** Entries since the first of a minute, and when that was on the wall clock and the monotonic clock. */
  entries: number;
  since: number;
  began: number;
}

/** A policy that a process decided under, since then on the monotonic clock. */
export interface Enforced {
  readonly digest: string;
  readonly since: number;
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
  /** The exceptions that stand, those that expired included. */
  readonly exceptions: Map<string, Entry>;
  /** By process, in order; the last one is in force. */
  readonly enforced: Map<string, Enforced[]>;
  /** The reloads that were taken, by process and id. */
  readonly taken: Set<string>;
  /** By process, principal and code. */
  readonly denials: Map<string, Denials>;
  /** Lines that are no messages and not answered yet, by session: whose they are. */
  readonly lines: Map<string, Owner>;
  /** Sessions of which a denial is an entry. */
  readonly denied: Set<string>;
  /** Processes whose writes failed, those whose counts may have, and those that ended as they should. */
  readonly troubled: Set<string>;
  readonly unsure: Set<string>;
  readonly closed: Set<string>;
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
    exceptions: new Map(),
    enforced: new Map(),
    taken: new Set(),
    denials: new Map(),
    lines: new Map(),
    denied: new Set(),
    troubled: new Set(),
    unsure: new Set(),
    closed: new Set(),
  };
}

/** What is counted under these names; a new account of nothing if there is none. */
export function denialsOf({ denials }: History, instance: string, principal: string, code: string): Denials {
  const key = `${instance} ${principal} ${code}`;
  const known = denials.get(key) ?? { told: 0, counted: 0, entries: 0, since: 0, began: Number.NEGATIVE_INFINITY };
  denials.set(key, known);
  return known;
}
