/** Composes the transactions of one batch in order, each seeing what the ones before it write. */

import type { Step } from './fold.ts';
import { fold } from './fold.ts';
import type { CallRow, Composition, Facts, Reads } from './ledger.ts';
import type { Fingerprint, PreparedWrites } from './prepare.ts';
import { prepareWrites } from './prepare.ts';
import type { Tables } from './tables.ts';
import { createTables, factsOf } from './tables.ts';

export type BatchJob =
  | { readonly kind: 'append'; readonly prepared: PreparedWrites }
  | { readonly kind: 'transact'; readonly reads: Reads; readonly compose: (facts: Facts) => Composition<unknown> }
  | { readonly kind: 'checkpoint' };

/**
 * What became of one job: `fits` — writes that the tables take, or nothing to write; `conflict` — writes that they do
 * not take; `threw` — its `compose` did, or made writes that are malformed. Only `fits` has changed the tables.
 */
export type Composed =
  | { readonly kind: 'fits'; readonly result: unknown; readonly prepared?: PreparedWrites }
  | { readonly kind: 'conflict'; readonly message: string; readonly prepared: PreparedWrites }
  | { readonly kind: 'threw'; readonly error: unknown };

/** Where the batch begins. */
export interface BatchStart {
  readonly log: string;
  /** The time of every entry of the batch, milliseconds since the epoch. */
  readonly at: number;
  /** The position of its first entry. */
  readonly position: number;
}

/**
 * Composes all `jobs` in order and changes `tables` as they will be after each. The tables must hold every row that
 * the jobs ask for and that they change. If they lack one, a job's answer may be wrong, and only the store can tell,
 * by folding for itself: then everything composed after that job must be composed again.
 */
export function composeBatch(jobs: readonly BatchJob[], tables: Tables, start: BatchStart): Composed[] {
  let position = start.position;
  return jobs.map((job) => {
    const composed = composeJob(job, tables, { ...start, position });
    if (composed.kind === 'fits') position += composed.prepared?.steps.length ?? 0;
    return composed;
  });
}

function composeJob(job: BatchJob, tables: Tables, start: BatchStart): Composed {
  switch (job.kind) {
    case 'checkpoint':
      return { kind: 'fits', result: undefined };
    case 'append':
      return apply(job.prepared, undefined, tables, start.position);
    case 'transact': {
      let prepared: PreparedWrites;
      let result: unknown;
      try {
        const composition = job.compose(factsOf(tables, job.reads, start.at));
        result = composition.result;
        if (composition.writes === undefined) return { kind: 'fits', result };
        prepared = prepareWrites(composition.writes, start.log);
      } catch (error) {
        return { kind: 'threw', error };
      }
      return apply(prepared, result, tables, start.position);
    }
  }
}

function apply(prepared: PreparedWrites, result: unknown, tables: Tables, position: number): Composed {
  const rows = foldWrites(prepared.steps, prepared.encoded.fingerprints, tables, position);
  if (typeof rows === 'string') return { kind: 'conflict', message: rows, prepared };
  for (const row of rows) tables.set(row);
  return { kind: 'fits', result, prepared };
}

/** The rows after all `steps`, the first at `position`, with their fingerprints; or why one does not fit. */
export function foldWrites(
  steps: readonly (Step | undefined)[],
  fingerprints: readonly Fingerprint[],
  tables: Pick<Tables, 'call' | 'holder'>,
  position: number,
): readonly CallRow[] | string {
  if (steps.every((step) => step === undefined)) return [];
  const changed = createTables();
  const lookups = {
    call: (id: string) => changed.call(id) ?? tables.call(id),
    holder: (key: string) => changed.holder(key) ?? tables.holder(key),
  };
  for (const [index, step] of steps.entries()) {
    if (step === undefined) continue;
    const folded = fold(step, position + index, lookups);
    if (!folded.ok) return folded.message;
    changed.set(folded.row);
  }
  for (const { call, salt, mac } of fingerprints) {
    const row = changed.call(call);
    if (row !== undefined) changed.set({ ...row, salt, fingerprint: mac });
  }
  return [...changed.rows()];
}
