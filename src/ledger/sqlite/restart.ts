/** What is checked of a stored log whenever it is opened, and whenever another process has written to it. */

import type { Frontier } from '../../tlog/tree.ts';
import { EMPTY_FRONTIER, appendLeaf, frontierToBytes, leafHash } from '../../tlog/tree.ts';
import { equalBytes } from '../../value/digest.ts';
import { LedgerError } from '../ledger.ts';
import { checkpointProblem } from '../signer.ts';
import type { Head, Queries, StoredCheckpoint } from './row.ts';
import { bytes, checkpointOf, headOf, integer } from './row.ts';
import type { StoredSigners } from './stored-signers.ts';

const REPLAY_ROWS = 1_000;

/** What is known of the log from now on. */
export interface Extent {
  readonly head: Head;
  /** The last checkpoint; none before the first. */
  readonly signed: StoredCheckpoint | undefined;
}

/**
 * The extent of the log, when it is dense at its end and its tree is the last signed one, grown by the entries after
 * it: constant work, and the leaves since the last checkpoint. Entries before it are for `interlock verify`.
 * Throws `tampered`.
 */
export function checkExtent(queries: Queries, keys: StoredSigners): Extent {
  const row = queries.lastCheckpoint.get();
  const signed = row === undefined ? undefined : checkpointOf(row);
  if (signed !== undefined) {
    const problem = checkpointProblem(signed.note, keys, signed.frontier);
    if (problem !== undefined) throw tampered(problem);
  }
  return { head: checkGrowth(queries, signed?.frontier ?? EMPTY_FRONTIER), signed };
}

/** The head of the log, when the entries after `known` give its tree and nothing follows. Throws `tampered`. */
export function checkGrowth(queries: Queries, known: Frontier): Head {
  const row = queries.head.get();
  if (row === undefined) throw tampered('the head of the log is missing');
  const head = headOf(row);
  if (head.frontier.size < known.size) {
    throw tampered(`the log ends at ${head.frontier.size} entries, and ${known.size} were known`);
  }
  let frontier = known;
  while (frontier.size < head.frontier.size) {
    const rows = queries.leaves.all(frontier.size, Math.min(REPLAY_ROWS, head.frontier.size - frontier.size));
    if (rows.length === 0) throw tampered(`entry ${frontier.size} is missing`);
    for (const entry of rows) {
      if (integer(entry, 'position') !== frontier.size) throw tampered(`entry ${frontier.size} is missing`);
      frontier = appendLeaf(frontier, leafHash(bytes(entry, 'leaf')));
    }
  }
  if (!equalBytes(frontierToBytes(frontier), frontierToBytes(head.frontier))) {
    throw tampered(`the entries from ${known.size} to ${frontier.size - 1} are not those that were written`);
  }
  if (queries.leaves.get(frontier.size, 1) !== undefined) {
    throw tampered(`entry ${frontier.size} stands after the end of the log`);
  }
  return head;
}

function tampered(problem: string): LedgerError {
  return new LedgerError('tampered', `the stored log does not extend what was signed: ${problem}`);
}
