/** A stored log as it is shown to witnesses: its last checkpoint, and proofs that it grew from smaller ones. */

import { parseSignedCheckpoint } from '../../tlog/checkpoint.ts';
import type { SignedCheckpoint } from '../../tlog/checkpoint.ts';
import { beginConsistencyProof } from '../../tlog/proof-pass.ts';
import { appendLeaf, EMPTY_FRONTIER, leafHash } from '../../tlog/tree.ts';
import type { Frontier } from '../../tlog/tree.ts';
import { LedgerError } from '../ledger.ts';
import type { Reader } from './reader.ts';

/** Some 2 ms of hashing. */
const LEAVES_A_TURN = 1_000;

export interface WitnessedLog {
  /** The last checkpoint that is committed; none before the first. */
  last(): SignedCheckpoint | undefined;
  /**
   * The proof that the tree of `size` entries grew from that of `oldSize`, of which there is at least one. Others have
   * their turn while it is made: a witness may be far behind, or say so. Empty when `signal` aborts.
   */
  proof(oldSize: number, size: number, signal?: AbortSignal): Promise<readonly Uint8Array[]>;
}

/** Reads what it needs when it is asked: the entries after the nearest checkpoint below, not the log. */
export function witnessedLog(reader: Pick<Reader, 'checkpointUpTo' | 'leaves'>): WitnessedLog {
  const hashesFrom = function* (from: number): Generator<Uint8Array, void> {
    for (const { leaf } of reader.leaves(from)) yield leafHash(leaf);
  };
  const frontierAt = (size: number): Frontier => {
    let frontier = reader.checkpointUpTo(size)?.frontier ?? EMPTY_FRONTIER;
    if (frontier.size === size) return frontier;
    for (const hash of hashesFrom(frontier.size)) {
      frontier = appendLeaf(frontier, hash);
      if (frontier.size === size) return frontier;
    }
    throw new LedgerError('tampered', `the log has ${frontier.size} entries, fewer than the ${size} that were signed`);
  };
  return {
    last: () => {
      const stored = reader.checkpointUpTo();
      if (stored === undefined) return undefined;
      const signed = parseSignedCheckpoint(stored.note);
      if (signed.ok) return signed.value;
      throw new LedgerError('tampered', `the last checkpoint cannot be read: ${signed.message}`);
    },
    proof: async (oldSize, size, signal) => {
      const pass = beginConsistencyProof(frontierAt(oldSize), size);
      let taken = 0;
      if (oldSize < size) {
        for (const hash of hashesFrom(oldSize)) {
          if (pass.append(hash)) break;
          taken += 1;
          if (taken % LEAVES_A_TURN === 0) await new Promise((resolve) => void setImmediate(resolve));
          if (signal?.aborted === true) return [];
        }
      }
      return pass.proof();
    },
  };
}
