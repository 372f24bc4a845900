/** The sealed values of a log: whether each is still there and is what its entry commits to, or was let go of. */

import type { Entry } from '../ledger/entry.ts';
import type { StoredBody } from '../ledger/keep.ts';
import { ownerIn } from '../ledger/run.ts';
import { LedgerError } from '../ledger/ledger.ts';
import { wasKept } from '../ledger/recorded.ts';
import type { Vault } from '../ledger/vault.ts';
import type { JsonValue } from '../value/json.ts';
import { parseInstant } from '../value/time.ts';
import { type DeepProblem, textOf } from './problem.ts';
import { type OpenedEntry, openedArguments, openedOutput } from './recorded-call.ts';

/** Values that are gone and of which no erasure was read yet. */
const MISSING_MAX = 100_000;

/** Where sealed values are kept. */
export interface BodySource {
  /** `role` as the vault has it: `args`, `output`, or `args` and a JSON pointer. */
  readonly body: (call: string, role: string, position: number) => StoredBody | undefined;
  readonly vault: Pick<Vault, 'open' | 'keyHmac'>;
  /** What approvals of the call are bound under; absent once it is gone. */
  readonly salt: (call: string) => Uint8Array | undefined;
}

/** A value that is gone, and the entry that commits to it. */
interface Missing {
  readonly entry: number;
  readonly at: number;
  readonly call: string;
}

interface Erasure {
  readonly entry: number;
  /** `s_…`, or the id of a call. */
  readonly subject: string;
  /** How many values it destroyed. */
  readonly values: number;
}

export class Bodies {
  readonly #source: BodySource | undefined;
  readonly #erasures: Erasure[] = [];
  #missing: Missing[] = [];
  /** What was proposed before then, milliseconds since the epoch, may have expired; and what was dropped for it. */
  #expired = 0;
  #dropped = 0;
  /** Sealed values that are gone. */
  erased = 0;

  /** Without a source nothing can be said of sealed values, as with an export. */
  constructor(source: BodySource | undefined) {
    this.#source = source;
  }

  /** What an entry commits to; what is wrong with its sealed values goes to `found`. */
  open(entry: Entry, position: number, found: (problem: DeepProblem) => void): OpenedEntry {
    if (entry.type === 'erasure.expired') this.#expire(entry);
    if (entry.type === 'erasure.requested') this.#erase(entry, position);
    const open = (role: string, commitment: string): JsonValue | undefined =>
      this.#open(entry, position, role, commitment, (message) =>
        found({ code: 'body-wrong', message, entry: position }),
      );
    const output = openedOutput(entry, open);
    return { args: openedArguments(entry, open), output };
  }

  /** Those that nobody let go of. */
  end(): readonly DeepProblem[] {
    const message =
      'expected the sealed value that the entry commits to, got none, and nothing says that it was erased';
    return this.#unaccounted().map(({ entry }) => ({ code: 'body-missing', message, entry }));
  }

  #open(
    entry: Entry,
    position: number,
    role: string,
    commitment: string,
    wrong: (message: string) => void,
  ): JsonValue | undefined {
    const call = ownerIn(entry);
    const source = this.#source;
    if (source === undefined || call === undefined) return undefined;
    if (!wasKept(entry[role])) return undefined;
    const body = source.body(call, role, position);
    if (body === undefined) return this.#miss(entry, position, call);
    try {
      // A value whose key is destroyed is destroyed with it, in one transaction.
      const value = source.vault.open(body, commitment);
      // What was sealed may be null.
      return value === undefined ? this.#miss(entry, position, call) : value;
    } catch (error) {
      if (!(error instanceof LedgerError) || error.code !== 'tampered') throw error;
      wrong(error.message);
      return undefined;
    }
  }

  /** A call that ended before a time was proposed before it; and nothing expires that is not there yet. */
  #expire(entry: Entry): void {
    const before = parseInstant(textOf(entry['before'])) ?? 0;
    this.#expired = Math.max(this.#expired, Math.min(before, (parseInstant(entry.at) ?? 0) + 1));
  }

  #erase({ subject, values }: Entry, position: number): void {
    if (typeof subject !== 'string' || typeof values !== 'number') return;
    this.#erasures.push({ entry: position, subject, values });
  }

  #miss({ at }: Entry, position: number, call: string): undefined {
    this.erased += 1;
    if (this.#missing.length === MISSING_MAX) this.#dropExpired();
    if (this.#missing.length < MISSING_MAX) this.#missing.push({ entry: position, at: parseInstant(at) ?? 0, call });
  }

  #dropExpired(): void {
    if (this.#dropped === this.#expired) return;
    this.#dropped = this.#expired;
    this.#missing = this.#missing.filter(({ at }) => at >= this.#expired);
  }

  /**
   * Erasures say how many values they destroyed, and not which: these are about people. Each accounts for as many as are
   * gone before it; and of a call that it reached nothing was kept from then on.
   */
  #unaccounted(): readonly Missing[] {
    this.#dropExpired();
    const reached = this.#reached();
    const left = this.#missing.filter(({ entry, call }) => entry < (reached.get(call) ?? Number.POSITIVE_INFINITY));
    let [seen, accounted] = [0, 0];
    for (const { entry, values } of this.#erasures) {
      while ((left[seen]?.entry ?? entry) < entry) seen += 1;
      accounted = Math.min(seen, accounted + values);
    }
    return left.slice(accounted);
  }

  /** The first erasure that can have reached a call of which something is gone. */
  #reached(): ReadonlyMap<string, number> {
    const reached = new Map<string, number>();
    let next = 0;
    for (const { entry, call } of this.#missing) {
      while ((this.#erasures[next]?.entry ?? entry) < entry) next += 1;
      const erasure = this.#erasures[next];
      if (erasure !== undefined && !reached.has(call)) reached.set(call, erasure.entry);
    }
    for (const { entry, subject } of this.#erasures) {
      reached.set(subject, Math.min(entry, reached.get(subject) ?? entry));
    }
    return reached;
  }
}
