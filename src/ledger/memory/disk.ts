/** What a ledger in memory leaves behind: the part that outlives its openings, and its crashes. */

import type { Frontier } from '../../tlog/tree.ts';
import { EMPTY_FRONTIER } from '../../tlog/tree.ts';
import type { KeptBody } from '../keep.ts';
import type { Signer } from '../signer.ts';
import type { Tables } from '../tables.ts';
import { createTables } from '../tables.ts';

interface MemoryCheckpoint {
  readonly size: number;
  readonly note: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** As a data directory: several ledgers may be open on one, and a later one finds what earlier ones wrote. */
export interface MemoryDisk {
  /** The log's name and its signer; none before the first opening. */
  identity: { readonly log: string; readonly signer: Signer } | undefined;
  readonly leaves: Uint8Array[];
  readonly tables: Tables;
  readonly checkpoints: MemoryCheckpoint[];
  /** By call and role, in order of position. */
  readonly bodies: Map<string, readonly { readonly body: KeptBody; readonly position: number }[]>;
  /** The records of the keys of subjects. */
  readonly subjects: Map<string, Uint8Array>;
  /** Instances that live. Taking one out is its death: its ledger writes nothing any more. */
  readonly alive: Set<string>;
  frontier: Frontier;
  /** The time of the last entry, milliseconds since the epoch. */
  at: number;
}

export function createMemoryDisk(): MemoryDisk {
  return {
    identity: undefined,
    leaves: [],
    tables: createTables(),
    checkpoints: [],
    bodies: new Map(),
    subjects: new Map(),
    alive: new Set(),
    frontier: EMPTY_FRONTIER,
    at: 0,
  };
}

/** Under which a body is kept. */
export function bodyName(call: string, role: string): string {
  return `${call}/${role}`;
}
