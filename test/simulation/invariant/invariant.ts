/** What an invariant is: a promise of the product, and when and how the onlooker checks it. */

import type { Answer } from '../../../src/authority/answer.ts';
import type { Entry } from '../../../src/ledger/entry.ts';
import type { MemoryDisk } from '../../../src/ledger/memory/disk.ts';
import type { PolicyName } from '../bank.ts';
import type { Attempt, History, Proposed } from '../history.ts';

/** `before` is absent at the start; `approved` is the reload that the process says was signed. */
export interface Change {
  readonly before: PolicyName | undefined;
  readonly after: PolicyName;
  readonly approved?: string;
}

/** What the onlooker sees besides what it remembers. */
export interface Sight {
  readonly history: History;
  readonly disk: MemoryDisk;
  /** Wall clock, milliseconds since the epoch. */
  now(): number;
  /** Monotonic clock, milliseconds. */
  monotonic(): number;
}

/** Every check answers with what is wrong, or with nothing. */
export interface Invariant {
  readonly name: string;
  /** What it proves, in one sentence. */
  readonly promise: string;
  /** `entry` became durable, written by the opening `writer`; the history does not have it yet. */
  readonly entry?: (sight: Sight, entry: Entry, writer: string) => string | undefined;
  /** The same, once the history has it and all others of its batch. */
  readonly recorded?: (sight: Sight, entry: Entry) => string | undefined;
  /** The process `instance` sends the call of `proposed`; `attempt` is its last intent in the log, if it has one. */
  readonly dispatch?: (
    sight: Sight,
    proposed: Proposed,
    attempt: Attempt | undefined,
    instance: string,
  ) => string | undefined;
  /** A probe is asked; `attempt` is its intent in the log, if it has one. */
  readonly probe?: (sight: Sight, attempt: Attempt | undefined) => string | undefined;
  /** The effect of `attempt` happened just now, and is counted already. */
  readonly effect?: (sight: Sight, attempt: Attempt) => string | undefined;
  readonly answer?: (sight: Sight, proposed: Proposed, answer: Answer) => string | undefined;
  /** The process `instance` decides under another policy from now on. The history does not have it yet. */
  readonly enforced?: (sight: Sight, instance: string, change: Change) => string | undefined;
  /** Everything is quiet, every process was restarted and has recovered. */
  readonly end?: (sight: Sight) => string | undefined | Promise<string | undefined>;
}
