/** Makes the writes of one transaction ready for a store: leaves but for their time, and what they do to the tables. */

import assert from 'node:assert/strict';
import type { EntryDraft, UndatedLeaf } from './entry.ts';
import { undatedLeaf } from './entry.ts';
import type { EndedCall } from './ended.ts';
import type { SealedBody, Writes } from './ledger.ts';
import { formatInstant } from '../value/time.ts';
import type { Step } from './step.ts';
import { ownerOf, readStep } from './step.ts';

export interface Fingerprint {
  readonly call: string;
  readonly salt: Uint8Array;
  readonly mac: Uint8Array;
}

/** What travels to the thread that writes. */
export interface EncodedWrites {
  readonly leaves: readonly UndatedLeaf[];
  readonly bodies: readonly SealedBody[];
  readonly fingerprints: readonly Fingerprint[];
  /** Calls whose bodies and fingerprints are destroyed, if they are still where they were. */
  readonly ended?: readonly EndedCall[];
  /** The subject whose key is destroyed, with all that it is needed for; and how many values the entries say that is. */
  readonly erase?: { readonly subject: string; readonly values: number };
}

export interface PreparedWrites {
  readonly encoded: EncodedWrites;
  /** By entry; none for an entry that changes no table. */
  readonly steps: readonly (Step | undefined)[];
}

const NONE: readonly never[] = [];

/** Malformed writes are a bug of the caller: they fail an assertion, and nothing of them is written. */
export function prepareWrites(writes: Writes, log: string): PreparedWrites {
  const { entries, bodies = NONE, fingerprints = NONE } = writes;
  assert(entries.length > 0, 'expected at least one entry');
  const leaves = entries.map((entry) => undatedLeaf(entry, log));
  const steps = entries.map(stepOf);
  const calls = new Set(steps.map(ownerOf));
  const roles = new Set(bodies.map(({ call, role }) => `${role}/${call}`));
  assert(roles.size === bodies.length, 'expected at most one body of a call and role in a transaction');
  for (const { call } of [...bodies, ...fingerprints]) {
    assert(
      calls.has(call),
      'expected bodies and fingerprints only of calls and runs that an entry of the transaction names',
    );
  }
  return { encoded: { leaves, bodies, fingerprints }, steps };
}

/** The transaction that destroys what is kept of `ended`; `id` is its entry's. */
export function prepareExpiry(id: string, before: number, ended: readonly EndedCall[], log: string): PreparedWrites {
  const entry: EntryDraft = { id, type: 'erasure.expired', fields: { before: formatInstant(before) } };
  const { encoded, steps } = prepareWrites({ entries: [entry] }, log);
  return { encoded: { ...encoded, ended }, steps };
}

function stepOf({ type, fields }: EntryDraft): Step | undefined {
  const read = readStep(type, fields);
  assert(read.ok, read.ok ? '' : `expected the fields of \`${type}\`: ${read.message}`);
  return read.step;
}
