/** The sealed values of a log: whether each is still there and is what its entry commits to, or was let go of. */

import type { Entry } from '../ledger/entry.ts';
import { type BodyRole, LedgerError, type SealedBody } from '../ledger/ledger.ts';
import type { Vault } from '../ledger/vault.ts';
import type { JsonValue } from '../value/json.ts';
import { parseInstant } from '../value/time.ts';
import { type DeepProblem, member, textOf } from './problem.ts';

/** Values that are gone and of which no erasure was read yet. */
const MISSING_MAX = 1_000;
const ROLES: readonly BodyRole[] = ['args', 'output'];

/** Where sealed values are kept. */
export interface BodySource {
  readonly body: (call: string, role: BodyRole, position: number) => SealedBody | undefined;
  readonly vault: Pick<Vault, 'open'>;
}

export class Bodies {
  readonly #source: BodySource | undefined;
  #missing: { readonly entry: number; readonly at: number }[] = [];
  /** Entries whose sealed value is gone. */
  erased = 0;

  /** Without a source nothing can be said of sealed values, as with an export. */
  constructor(source: BodySource | undefined) {
    this.#source = source;
  }

  /** The arguments that an entry commits to, where they are still there; what is wrong with its values goes to `found`. */
  open(entry: Entry, position: number, found: (problem: DeepProblem) => void): JsonValue | undefined {
    if (entry.type === 'erasure.expired') this.#expire(parseInstant(textOf(entry['before'])) ?? 0);
    const { call } = entry;
    if (this.#source === undefined || typeof call !== 'string') return undefined;
    let args: JsonValue | undefined;
    for (const role of ROLES) {
      const commitment = member(entry[role], '$body');
      if (typeof commitment !== 'string') continue;
      const body = this.#source.body(call, role, position);
      if (body === undefined) this.#miss(entry, position);
      else {
        const opened = this.#opened(body, commitment, (message) =>
          found({ code: 'body-wrong', message, entry: position }),
        );
        if (role === 'args') args = opened;
      }
    }
    return args;
  }

  /** Those that nobody let go of. */
  end(): readonly DeepProblem[] {
    const message =
      'expected the sealed value that the entry commits to, got none, and nothing says that it was erased';
    return this.#missing.map(({ entry }) => ({ code: 'body-missing', message, entry }));
  }

  #opened(body: SealedBody, commitment: string, wrong: (message: string) => void): JsonValue | undefined {
    try {
      return this.#source?.vault.open(body, commitment);
    } catch (error) {
      if (!(error instanceof LedgerError) || error.code !== 'tampered') throw error;
      wrong(error.message);
      return undefined;
    }
  }

  /** A call that ended before a time was proposed before it. */
  #expire(before: number): void {
    this.#missing = this.#missing.filter(({ at }) => at >= before);
  }

  #miss(entry: Entry, position: number): void {
    this.erased += 1;
    if (this.#missing.length < MISSING_MAX) this.#missing.push({ entry: position, at: parseInstant(entry.at) ?? 0 });
  }
}
