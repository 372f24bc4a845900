/** The tables in memory: what a store keeps for speed, and what folding a whole log must give again. */

import { parseInstant } from '../value/time.ts';
import { CallTable, type Spill } from './call-table.ts';
import type { Entry } from './entry.ts';
import type { Change, Lookups } from './fold.ts';
import { fold } from './fold.ts';
import type { CallRow, Facts, Kill, Reads, TrustedTool } from './ledger.ts';
import { readStep } from './step.ts';

/** A slot that an attempt holds. It counts at any time before `until`, and at all times without one. */
export interface Lease {
  readonly key: string;
  readonly attempt: string;
  /** Milliseconds since the epoch. */
  readonly until?: number;
}

/** Some or all of what tables hold. */
export interface Known {
  readonly rows: readonly CallRow[];
  readonly counters: readonly (readonly [key: string, value: number])[];
  readonly leases: readonly Lease[];
  readonly kills: readonly Kill[];
  readonly trusted: readonly TrustedTool[];
}

/** Calls by id and by key, the unsettled ones by principal and tool; counters, leases, kill switches and first trust by key. */
export interface Tables extends Lookups {
  /** All rows; without a spill in the order in which their calls first appeared. */
  rows(): Iterable<CallRow>;
  /** How many calls there are, and how many keys were taken. */
  size(): { readonly calls: number; readonly keys: number };
  /** Calls that are `parked`, `intent` or `unknown`, of one principal and tool or of all. */
  open(of?: { readonly principal: string; readonly tool: string }): CallRow[];
  /** All counters but those that are 0. */
  counters(): Iterable<readonly [key: string, value: number]>;
  leases(key?: string): Iterable<Lease>;
  kills(): Iterable<Kill>;
  allTrusted(): Iterable<TrustedTool>;
  /** Replaces the row of its call, whose keys and leases are its own from now on; and the rest of the change. */
  apply(change: Omit<Change, 'keys'>): void;
}

/** The leases of the call's last attempt. */
export function leasesOf({ slots, attempt, slotsUntil }: CallRow): readonly Lease[] {
  return slots.map((key) => ({ key, attempt, ...(slotsUntil === undefined ? {} : { until: slotsUntil }) }));
}

/** By key and attempt. */
class LeaseTable {
  readonly #byKey = new Map<string, Map<string, Lease>>();

  add(lease: Lease): void {
    const leases = this.#byKey.get(lease.key) ?? new Map<string, Lease>();
    this.#byKey.set(lease.key, leases.set(lease.attempt, lease));
  }

  remove({ key, attempt }: Lease): void {
    const leases = this.#byKey.get(key);
    leases?.delete(attempt);
    if (leases?.size === 0) this.#byKey.delete(key);
  }

  *of(key?: string): IterableIterator<Lease> {
    if (key === undefined) for (const leases of this.#byKey.values()) yield* leases.values();
    else yield* this.#byKey.get(key)?.values() ?? [];
  }
}

/** With `openSpill` the memory that they take does not grow with the calls that have ended. */
export function createTables(known: Partial<Known> = {}, openSpill?: () => Spill): Tables {
  const { rows = [], counters = [], leases = [], kills = [], trusted = [] } = known;
  const calls = new CallTable(openSpill);
  const values = new Map<string, number>(counters);
  const held = new LeaseTable();
  const switches = new Map<string, Kill>(kills.map((kill) => [kill.target, kill]));
  const trust = new Map<string, TrustedTool>(trusted.map((one) => [one.tool, one]));
  const setRow = (row: CallRow): void => {
    const before = calls.set(row);
    if (before !== undefined) for (const lease of leasesOf(before)) held.remove(lease);
    for (const lease of leasesOf(row)) held.add(lease);
  };
  for (const row of rows) setRow(row);
  for (const lease of leases) held.add(lease);
  return {
    call: (id) => calls.call(id),
    holder: (key) => calls.holder(key),
    counter: (key) => values.get(key) ?? 0,
    kill: (target) => switches.get(target),
    trusted: (tool) => trust.get(tool),
    rows: () => calls.rows(),
    size: () => calls.size,
    open: (of) =>
      [...calls.open()].filter((row) => of === undefined || (row.principal === of.principal && row.tool === of.tool)),
    counters: () => values,
    leases: (key) => held.of(key),
    kills: () => switches.values(),
    allTrusted: () => trust.values(),
    apply: ({ row, counters: changed, kill, trusted: first }) => {
      if (row !== undefined) setRow(row);
      for (const [key, value] of changed) {
        if (value === 0) values.delete(key);
        else values.set(key, value);
      }
      if (kill?.now !== undefined) switches.set(kill.target, kill.now);
      else if (kill !== undefined) switches.delete(kill.target);
      if (first !== undefined) trust.set(first.tool, first);
    },
  };
}

/** What a fact's key asks for, by the folder it begins with. */
export type FactKind = 'slots' | 'kill' | 'pin' | 'counter';

export function factKind(key: string): FactKind {
  if (key.startsWith('slots/')) return 'slots';
  if (key.startsWith('pin/')) return 'pin';
  return key.startsWith('kill/') ? 'kill' : 'counter';
}

/** `TARGET` of `kill/TARGET`. */
export function killTarget(key: string): string {
  return key.slice('kill/'.length);
}

/** The parts of `pin/DIGEST/TOOL`. */
export function pinParts(key: string): { readonly digest: string; readonly tool: string } {
  const start = 'pin/'.length;
  const slash = key.indexOf('/', start);
  return slash === -1
    ? { digest: '', tool: key.slice(start) }
    : { digest: key.slice(start, slash), tool: key.slice(slash + 1) };
}

function pinValue(tables: Tables, key: string): number {
  const { digest, tool } = pinParts(key);
  const first = tables.trusted(tool);
  if (first === undefined) return 0;
  return first.digest === digest ? 1 : 2;
}

function factValue(tables: Tables, key: string, at: number): number {
  switch (factKind(key)) {
    case 'counter':
      return tables.counter(key);
    case 'kill':
      return tables.kill(killTarget(key)) === undefined ? 0 : 1;
    case 'pin':
      return pinValue(tables, key);
    case 'slots': {
      let live = 0;
      for (const { until } of tables.leases(key)) if (until === undefined || until > at) live += 1;
      return live;
    }
  }
}

/** What a transaction with these `reads` sees of `tables`. */
export function factsOf(tables: Tables, reads: Reads, at: number): Facts {
  const keys = new Map<string, CallRow>();
  for (const key of reads.keys ?? []) {
    const row = tables.holder(key);
    if (row !== undefined) keys.set(key, row);
  }
  const values = new Map<string, number>();
  for (const key of reads.facts ?? []) {
    const value = factValue(tables, key, at);
    if (value !== 0) values.set(key, value);
  }
  const open = reads.open === undefined ? [] : tables.open(reads.open);
  const call = reads.call === undefined ? undefined : tables.call(reads.call);
  return { at, keys, open, values, ...(call === undefined ? {} : { call }) };
}

/** The tables that a log gives, or the first entry that does not fit. */
export type FoldedLog =
  | { readonly ok: true; readonly tables: Tables }
  | { readonly ok: false; readonly position: number; readonly message: string };

/** Folds a log from its first entry. The rows have no private columns: no entry says them. */
export function foldLog(entries: Iterable<Entry>): FoldedLog {
  const tables = createTables();
  let position = 0;
  for (const entry of entries) {
    const read = readStep(entry.type, entry);
    if (!read.ok) return { ok: false, position, message: read.message };
    if (read.step !== undefined) {
      const folded = fold(read.step, { position, at: parseInstant(entry.at) ?? 0 }, tables);
      if (!folded.ok) return { ok: false, position, message: folded.message };
      tables.apply(folded);
    }
    position += 1;
  }
  return { ok: true, tables };
}
