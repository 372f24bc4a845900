/** What the entries of a log come to, one after the other: tables, policies, and the exceptions that stand. */

import { runOf } from '../authority/asked.ts';
import { type StandingExceptions, NO_EXCEPTIONS } from '../authority/exception.ts';
import type { Entry } from '../ledger/entry.ts';
import { fold } from '../ledger/fold.ts';
import type { CallRow } from '../ledger/ledger.ts';
import { openSpill } from '../ledger/sqlite/spill.ts';
import { readStep } from '../ledger/step.ts';
import { type Tables, createTables, factsOf } from '../ledger/tables.ts';
import type { Capability } from '../policy/decide/capability.ts';
import { capabilityFrom, readStarted } from '../runtime/entry.ts';
import { parseInstant } from '../value/time.ts';
import type { Past } from './decide-again.ts';
import { RecordedPolicies } from './policies.ts';

/** Why an entry does not go with those before it. */
export interface Misfit {
  readonly code: 'content-wrong' | 'entry-illegal';
  readonly message: string;
}

export class History {
  readonly tables: Tables = createTables({}, openSpill);
  readonly policies: RecordedPolicies = new RecordedPolicies();
  readonly #exceptions = new Map<string, Entry>();
  /** What the runs that are under way may do. */
  readonly #capabilities = new Map<string, Capability>();
  #standing: StandingExceptions = NO_EXCEPTIONS;
  readonly #salt: (call: string) => Uint8Array | undefined;
  #log = '';

  /** `salt`: what approvals of a call with sealed arguments are bound under, which no entry says. */
  constructor(salt: (call: string) => Uint8Array | undefined = () => undefined) {
    this.#salt = salt;
  }

  /** What a decision that comes next is made on. */
  past(): Past {
    return {
      log: this.#log,
      values: (keys, at) => factsOf(this.tables, { facts: keys }, at).values,
      call: (id) => this.#call(id),
      salt: this.#salt,
      policies: this.policies,
      standing: this.#standing,
      capability: (run) => this.#capabilities.get(run),
    };
  }

  #call(id: string): CallRow | undefined {
    const row = this.tables.call(id);
    const salt = row?.approval === undefined ? undefined : this.#salt(id);
    return row === undefined || salt === undefined ? row : { ...row, salt };
  }

  /** Takes the next entry; one that does not fit changes nothing. */
  add(entry: Entry, position: number): Misfit | undefined {
    this.#log ||= entry.log;
    const read = readStep(entry.type, entry);
    if (!read.ok) return { code: 'entry-illegal', message: read.message };
    if (read.step !== undefined) {
      const folded = fold(read.step, { position, at: parseInstant(entry.at) ?? 0 }, this.tables);
      if (!folded.ok) return { code: 'entry-illegal', message: folded.message };
      this.tables.apply(folded);
    }
    this.#note(entry);
    const isContent = entry.type === 'policy.content' || entry.type === 'program.content';
    const wrong = isContent ? this.policies.add(entry) : undefined;
    return wrong === undefined ? undefined : { code: 'content-wrong', message: wrong };
  }

  #note(entry: Entry): void {
    const started = entry.type === 'program.started' ? readStarted(entry) : undefined;
    const isOpen = entry['status'] === 'running' || entry['status'] === 'suspended';
    if (started !== undefined && isOpen) this.#capabilities.set(started.id, capabilityFrom(started));
    if (entry.type === 'program.ended') this.#capabilities.delete(runOf(entry));
    this.#except(entry);
  }

  /** Exceptions count from the entry after theirs on. */
  #except(entry: Entry): void {
    const { exception: id } = entry;
    if (typeof id !== 'string') return;
    if (entry.type === 'policy.exception') this.#exceptions.set(id, entry);
    else if (entry.type === 'policy.exception-ended') this.#exceptions.delete(id);
    else return;
    this.#standing = { version: this.#standing.version + 1, entries: [...this.#exceptions.values()] };
  }
}
