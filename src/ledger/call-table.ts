/** The rows of calls in memory, by id and by key; of very many the ended ones can be kept elsewhere. */

import { isReleased } from './fold.ts';
import type { CallRow } from './ledger.ts';

/** Where ended calls are kept that have no room in memory. Salts and fingerprints, which no entry says, are not. */
export interface Spill {
  /** Keeps rows, each with the keys that it holds, in the place of what was kept of the same calls and keys. */
  add(rows: Iterable<readonly [row: CallRow, keys: readonly string[]]>): void;
  call(id: string): CallRow | undefined;
  holder(key: string): string | undefined;
  rows(): Iterable<CallRow>;
}

/** Calls that are kept in memory where there is a spill, open ones apart. */
const CALLS_MAX = 50_000;
const SPILLED_AT_ONCE = 10_000;

function isOpen({ state }: CallRow): boolean {
  return state === 'intent' || state === 'unknown' || state === 'parked';
}

export class CallTable {
  readonly #calls = new Map<string, CallRow>();
  readonly #holders = new Map<string, string>();
  readonly #open = new Map<string, CallRow>();
  readonly #openSpill: (() => Spill) | undefined;
  readonly #size = { calls: 0, keys: 0 };
  #spill: Spill | undefined;
  /** The greatest id in the spill. Ids begin with their time, so that a new call is seldom looked for there. */
  #spilledTo = '';

  constructor(openSpill?: () => Spill) {
    this.#openSpill = openSpill;
  }

  /** How many calls there are, and how many keys were taken. */
  get size(): { readonly calls: number; readonly keys: number } {
    return this.#size;
  }

  call(id: string): CallRow | undefined {
    return this.#calls.get(id) ?? (id > this.#spilledTo ? undefined : this.#spill?.call(id));
  }

  /** The call that took `key`. */
  holder(key: string): CallRow | undefined {
    const id = this.#holderOf(key);
    return id === undefined ? undefined : this.call(id);
  }

  /** Those that are `parked`, `intent` or `unknown`. */
  open(): Iterable<CallRow> {
    return this.#open.values();
  }

  /** All of them; without a spill in the order in which they were first set. */
  *rows(): Generator<CallRow, void> {
    for (const row of this.#spill?.rows() ?? []) if (!this.#calls.has(row.id)) yield row;
    yield* this.#calls.values();
  }

  /** Takes the place of the row of its call, which is answered. */
  set(row: CallRow): CallRow | undefined {
    const before = this.call(row.id);
    if (before === undefined) this.#size.calls += 1;
    this.#calls.set(row.id, row);
    for (const key of row.keys) {
      const holder = this.#holderOf(key);
      if (holder === undefined) this.#size.keys += 1;
      // A call that let go of its keys is known by them only until another takes them.
      if (!(isReleased(row) && holder !== undefined)) this.#holders.set(key, row.id);
    }
    if (isOpen(row)) this.#open.set(row.id, row);
    else this.#open.delete(row.id);
    if (this.#openSpill === undefined || this.#calls.size - this.#open.size <= CALLS_MAX) return before;
    this.#spill ??= this.#openSpill();
    this.#letGo(this.#spill);
    return before;
  }

  #holderOf(key: string): string | undefined {
    return this.#holders.get(key) ?? this.#spill?.holder(key);
  }

  /** The calls that were first heard of the longest ago. */
  #letGo(spill: Spill): void {
    const rows: [CallRow, readonly string[]][] = [];
    for (const row of this.#calls.values()) {
      if (rows.length === SPILLED_AT_ONCE) break;
      if (!isOpen(row)) rows.push([row, row.keys.filter((key) => this.#holders.get(key) === row.id)]);
    }
    spill.add(rows);
    for (const [row, keys] of rows) {
      if (row.id > this.#spilledTo) this.#spilledTo = row.id;
      this.#calls.delete(row.id);
      for (const key of keys) this.#holders.delete(key);
    }
  }
}
