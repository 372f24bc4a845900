/** A data directory's log up to its last signature, for commands that hand it, or parts of it, to others. */

import { openReader } from '../ledger/sqlite/reader.ts';
import { fromUtf8 } from '../value/encoding.ts';
import { isJsonObject } from '../value/json.ts';
import type { JsonValue } from '../value/json.ts';
import { systemWorld } from '../world/system.ts';
import { type CommonOptions, dataDirectory } from './configuration.ts';
import { openData } from './data.ts';
import { CliError } from './exit.ts';
import { withProgress } from './progress.ts';
import type { Terminal } from './terminal.ts';

export interface SignedDataLog extends Disposable {
  /** The signed note over everything that was committed when the log was opened. */
  readonly checkpoint: string;
  /** The log's verifier key, one line. */
  readonly key: string;
  /** The leaves from position `from` on, with progress on the terminal; there may be more than the checkpoint covers. */
  readonly leaves: (from?: number) => Iterable<Uint8Array>;
}

/** Signs what is committed, then opens it for reading. */
export async function openSigned(terminal: Terminal, options: CommonOptions): Promise<SignedDataLog> {
  await sign(terminal, options);
  const reader = openReader(dataDirectory(terminal, options));
  try {
    const checkpoint = lastOf(reader.checkpoints());
    const key = keyOf(reader.leaf(0));
    const total = reader.head().frontier.size;
    const leaves = function* (from = 0): Generator<Uint8Array, void> {
      const rest = withProgress(reader.leaves(from), total - from, terminal, systemWorld);
      for (const { leaf } of rest) yield leaf;
    };
    return { checkpoint, key, leaves, [Symbol.dispose]: () => reader[Symbol.dispose]() };
  } catch (error) {
    reader[Symbol.dispose]();
    throw error;
  }
}

/** A writer that leaves signs what is committed. */
async function sign(terminal: Terminal, options: CommonOptions): Promise<void> {
  await using opened = await openData(terminal, options, { create: false });
  await opened.ledger.checkpoint();
}

function lastOf(checkpoints: Iterable<{ readonly note: string }>): string {
  let last: string | undefined;
  for (const { note } of checkpoints) last = note;
  if (last !== undefined) return last;
  throw new CliError('unreadable', 'the log has no checkpoint', { hint: 'run interlock verify' });
}

/** The verifier key that the log's first entry names. */
function keyOf(leaf: Uint8Array | undefined): string {
  const fields = leaf === undefined ? undefined : (JSON.parse(fromUtf8(leaf) ?? 'null') as JsonValue);
  if (isJsonObject(fields) && typeof fields.key === 'string') return fields.key;
  throw new CliError('unreadable', 'the log does not name its key', { hint: 'run interlock verify' });
}
