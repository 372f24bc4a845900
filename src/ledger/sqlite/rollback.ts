/** Whether a stored log extends the checkpoint that is kept outside of it, or is an older copy of itself. */

import { parseCheckpoint } from '../../tlog/checkpoint.ts';
import type { Checkpoint } from '../../tlog/checkpoint.ts';
import { parseNote } from '../../tlog/note.ts';
import { EMPTY_FRONTIER, appendLeaf, leafHash, rootOf } from '../../tlog/tree.ts';
import type { Frontier } from '../../tlog/tree.ts';
import { equalBytes } from '../../value/digest.ts';
import { toBase64 } from '../../value/encoding.ts';
import type { JsonObject } from '../../value/json.ts';
import { formatInstant } from '../../value/time.ts';
import { LedgerError } from '../ledger.ts';
import type { FoundOutside } from '../outside.ts';
import { checkpointProblem } from '../signer.ts';
import type { Head, Queries } from './row.ts';
import { bytes, checkpointOf } from './row.ts';
import type { StoredSigners } from './stored-signers.ts';

const REPLAY_ROWS = 1_000;

export interface Rollback {
  /** What was found, in one line. */
  readonly message: string;
  /** For the entry that accepts it. */
  readonly fields: JsonObject;
}

interface Log {
  readonly queries: Queries;
  readonly keys: StoredSigners;
  readonly head: Head;
}

/**
 * Why the log in `queries` is not one that extends `found`; nothing when it does. Anything that the log's own key did
 * not sign counts as such: it takes the place of what would tell. Throws `tampered`.
 */
export function findRollback(log: Log, file: string, found: FoundOutside): Rollback | undefined {
  const { queries, keys, head } = log;
  const { size } = head.frontier;
  const written = `written ${formatInstant(found.writtenAt)}`;
  const signed = readSigned(found.bytes, keys);
  if (typeof signed === 'string') {
    return { message: `\`${file}\`, ${written}, ${signed}`, fields: { entries: size, outside: { problem: signed } } };
  }
  const fields = { entries: size, outside: { size: signed.size, root: toBase64(signed.root) } };
  if (signed.size > size) {
    const here = `the data directory holds ${size} entries, the last of ${formatInstant(head.at)}`;
    const there = `\`${file}\`, ${written}, holds the log's own checkpoint of ${signed.size} entries`;
    return { message: `${here}, but ${there}`, fields };
  }
  if (equalBytes(signed.root, rootOf(frontierAt(queries, keys, signed.size)))) return undefined;
  const message =
    `the first ${signed.size} entries of the data directory are not those that the checkpoint in \`${file}\`, ` +
    `${written}, signs`;
  return { message, fields };
}

/** As an error: what was found, what it means and what to do. */
export function rolledBack({ message }: Rollback): LedgerError {
  const advice = 'bring the newer one back, or run interlock recover --accept-rollback --reason TEXT';
  return new LedgerError(
    'rolled-back',
    `${message}: the data directory is a restored backup or another one; ${advice}`,
  );
}

function readSigned(note: Uint8Array, { name, signers }: StoredSigners): Checkpoint | string {
  const parsed = parseNote(note);
  const read = parsed.ok ? parseCheckpoint(parsed.value.text) : parsed;
  if (!parsed.ok || !read.ok) return 'holds no checkpoint';
  if (read.value.origin !== name) return 'holds a checkpoint of another log';
  if (signers.signedBy(parsed.value, read.value.size) === 'valid') return read.value;
  return "holds a checkpoint that is not signed by this ledger's key";
}

/** The tree of the first `size` entries: the last checkpoint until then, grown by the entries after it. */
function frontierAt(queries: Queries, keys: StoredSigners, size: number): Frontier {
  let frontier = EMPTY_FRONTIER;
  const row = queries.checkpointUpTo.get(size);
  if (row !== undefined) {
    const stored = checkpointOf(row);
    const problem = checkpointProblem(stored.note, keys, stored.frontier);
    if (problem !== undefined) throw tampered(problem);
    frontier = stored.frontier;
  }
  while (frontier.size < size) {
    const rows = queries.leaves.all(frontier.size, Math.min(REPLAY_ROWS, size - frontier.size));
    if (rows.length === 0) throw tampered(`entry ${frontier.size} is missing`);
    for (const entry of rows) frontier = appendLeaf(frontier, leafHash(bytes(entry, 'leaf')));
  }
  return frontier;
}

function tampered(problem: string): LedgerError {
  return new LedgerError('tampered', `the stored log does not extend what was signed: ${problem}`);
}
