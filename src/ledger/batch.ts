/** Composes the transactions of one batch in order, each seeing what the ones before it write. */

import type { Change, Lookups, Moment } from './fold.ts';
import { fold } from './fold.ts';
import type { CallRow, Composition, Facts, Reads, TrustedTool } from './ledger.ts';
import { isErased } from './ended.ts';
import type { Fingerprint, PreparedWrites } from './prepare.ts';
import { prepareWrites } from './prepare.ts';
import type { Step } from './step.ts';
import type { Lease, Tables } from './tables.ts';
import { factsOf, leasesOf } from './tables.ts';

export type BatchJob =
  | { readonly kind: 'append'; readonly prepared: PreparedWrites }
  | { readonly kind: 'transact'; readonly reads: Reads; readonly compose: (facts: Facts) => Composition<unknown> }
  /** What is composed of nothing. */
  | { readonly kind: 'checkpoint' | 'upkeep' };

/**
 * What became of one job: `fits` — writes that the tables take, or nothing to write; `conflict` — writes that they do
 * not take; `threw` — its `compose` did, or made writes that are malformed. Only `fits` has changed the tables.
 */
export type Composed =
  | { readonly kind: 'fits'; readonly result: unknown; readonly prepared?: PreparedWrites }
  | {
      readonly kind: 'conflict';
      readonly message: string;
      /** For the case that the store knows better. */
      readonly result: unknown;
      readonly prepared: PreparedWrites;
    }
  | { readonly kind: 'threw'; readonly error: unknown };

/** Where the batch begins: the position of its first entry, and the time of all of them. */
export interface BatchStart extends Moment {
  readonly log: string;
}

/**
 * Composes all `jobs` in order and changes `tables` as they will be after each. The tables must hold everything
 * that the jobs ask for and that they change. If they lack some of it, a job's answer may be wrong, and only the store can tell,
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
    case 'upkeep':
      return { kind: 'fits', result: undefined };
    case 'append':
      return apply(job.prepared, undefined, tables, start);
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
      return apply(prepared, result, tables, start);
    }
  }
}

function apply(prepared: PreparedWrites, result: unknown, tables: Tables, start: BatchStart): Composed {
  const changes = foldWrites(prepared.steps, prepared.encoded.fingerprints, tables, start);
  if (typeof changes === 'string') return { kind: 'conflict', message: changes, result, prepared };
  for (const row of changes.rows) tables.apply({ row, counters: [] });
  for (const kill of changes.kills) tables.apply({ counters: [], kill });
  for (const trusted of changes.trusted) tables.apply({ counters: [], trusted });
  tables.apply({ counters: changes.counters });
  return { kind: 'fits', result, prepared };
}

/** All that the entries of one transaction change, once each. */
export interface Changes {
  /** With their fingerprints. */
  readonly rows: readonly CallRow[];
  readonly counters: readonly (readonly [key: string, value: number])[];
  readonly ended: readonly Lease[];
  readonly taken: readonly Lease[];
  readonly kills: readonly NonNullable<Change['kill']>[];
  readonly trusted: readonly TrustedTool[];
}

const NO_CHANGES: Changes = { rows: [], counters: [], ended: [], taken: [], kills: [], trusted: [] };

/** What all `steps` change, the first at `position`; or why one does not fit. */
export function foldWrites(
  steps: readonly (Step | undefined)[],
  fingerprints: readonly Fingerprint[],
  tables: Lookups,
  { position, at }: Moment,
): Changes | string {
  if (steps.every((step) => step === undefined)) return NO_CHANGES;
  const rows = new Map<string, CallRow>();
  const befores = new Map<string, CallRow | undefined>();
  const holders = new Map<string, string>();
  const counters = new Map<string, number>();
  const kills = new Map<string, NonNullable<Change['kill']>>();
  const trust = new Map<string, TrustedTool>();
  const lookups: Lookups = {
    call: (id) => {
      const now = rows.get(id);
      if (now !== undefined) return now;
      if (!befores.has(id)) befores.set(id, tables.call(id));
      return befores.get(id);
    },
    holder: (key) => rows.get(holders.get(key) ?? '') ?? tables.holder(key),
    counter: (key) => counters.get(key) ?? tables.counter(key),
    kill: (target) => (kills.has(target) ? kills.get(target)?.now : tables.kill(target)),
    trusted: (tool) => trust.get(tool) ?? tables.trusted(tool),
  };
  for (const [index, step] of steps.entries()) {
    if (step === undefined) continue;
    const folded = fold(step, { position: position + index, at }, lookups);
    if (!folded.ok) return folded.message;
    const { row, kill, trusted } = folded;
    if (row !== undefined) {
      rows.set(row.id, row);
      // A call that an entry could still change has all of its keys: no other one took them.
      for (const key of row.keys) holders.set(key, row.id);
    }
    for (const [key, value] of folded.counters) counters.set(key, value);
    if (kill !== undefined) kills.set(kill.target, kill);
    if (trusted !== undefined) trust.set(trusted.tool, trusted);
  }
  for (const { call, salt, mac } of fingerprints) {
    const row = rows.get(call);
    // What was erased stays so: nothing private is kept of the call any more.
    if (row !== undefined && !isErased(row)) rows.set(call, { ...row, salt, fingerprint: mac });
  }
  const after = [...rows.values()];
  const ended = [...befores.values()].flatMap((before) => (before === undefined ? [] : leasesOf(before)));
  return {
    rows: after,
    counters: [...counters],
    ended,
    taken: after.flatMap(leasesOf),
    kills: [...kills.values()],
    trusted: [...trust.values()],
  };
}
