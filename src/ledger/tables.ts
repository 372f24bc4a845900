/** The tables in memory: what a store keeps for speed, and what folding a whole log must give again. */

import type { Entry } from './entry.ts';
import type { Folded, Lookups } from './fold.ts';
import { fold, readStep } from './fold.ts';
import type { CallRow, Facts, Reads } from './ledger.ts';

/** Calls by id and by key, and the unsettled ones by principal and tool. */
export interface Tables extends Lookups {
  /** All rows, in the order in which their calls first appeared. */
  rows(): Iterable<CallRow>;
  /** Calls that are `intent` or `unknown`, of one principal and tool or of all. */
  open(of?: { readonly principal: string; readonly tool: string }): CallRow[];
  /** Replaces the row of that call; its keys are its own from now on. */
  set(row: CallRow): void;
}

function isOpen(row: CallRow): boolean {
  return row.state === 'intent' || row.state === 'unknown';
}

export function createTables(rows: Iterable<CallRow> = []): Tables {
  const calls = new Map<string, CallRow>();
  const holders = new Map<string, string>();
  const unsettled = new Map<string, CallRow>();
  const tables: Tables = {
    call: (id) => calls.get(id),
    holder: (key) => {
      const id = holders.get(key);
      return id === undefined ? undefined : calls.get(id);
    },
    rows: () => calls.values(),
    open: (of) =>
      [...unsettled.values()].filter(
        (row) => of === undefined || (row.principal === of.principal && row.tool === of.tool),
      ),
    set: (row) => {
      calls.set(row.id, row);
      for (const key of row.keys) holders.set(key, row.id);
      if (isOpen(row)) unsettled.set(row.id, row);
      else unsettled.delete(row.id);
    },
  };
  for (const row of rows) tables.set(row);
  return tables;
}

/** What a transaction with these `reads` sees of `tables`. */
export function factsOf(tables: Tables, reads: Reads, at: number): Facts {
  const keys = new Map<string, CallRow>();
  for (const key of reads.keys ?? []) {
    const row = tables.holder(key);
    if (row !== undefined) keys.set(key, row);
  }
  const open = reads.open === undefined ? [] : tables.open(reads.open);
  const call = reads.call === undefined ? undefined : tables.call(reads.call);
  return { at, keys, open, ...(call === undefined ? {} : { call }) };
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
      const folded: Folded = fold(read.step, position, tables);
      if (!folded.ok) return { ok: false, position, message: folded.message };
      tables.set(folded.row);
    }
    position += 1;
  }
  return { ok: true, tables };
}
