/** `interlock export -o DIR`: the log in the layout of C2SP tlog-tiles, for anybody who has its public key. */

import path from 'node:path';
import { type Exported, type Written, writeExport } from '../../ledger/export/write.ts';
import { LedgerError } from '../../ledger/ledger.ts';
import { openReader } from '../../ledger/sqlite/reader.ts';
import { isJsonObject } from '../../value/json.ts';
import type { JsonValue } from '../../value/json.ts';
import { fromUtf8, toHex } from '../../value/encoding.ts';
import { systemWorld } from '../../world/system.ts';
import { type CommonOptions, dataDirectory, requireNamed } from '../configuration.ts';
import { openData } from '../data.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { withProgress } from '../progress.ts';
import { type Terminal, inert, inertJson, writeLine } from '../terminal.ts';

export interface ExportOptions extends CommonOptions {
  readonly out: string;
  readonly witness?: string;
}

/** Signs what is committed, then writes everything up to there. */
export async function exportCommand(terminal: Terminal, options: ExportOptions): Promise<ExitCode> {
  if (options.witness !== undefined) throw new CliError('not-available-yet', '`--witness` is not available yet');
  await requireNamed(terminal, options);
  const data = dataDirectory(terminal, options);
  const out = path.resolve(terminal.directory, options.out);
  await sign(terminal, options);
  using reader = openReader(data);
  const checkpoint = lastOf(reader.checkpoints());
  const total = reader.head().frontier.size;
  const leaves = function* (from: number): Generator<Uint8Array, void> {
    const rest = withProgress(reader.leaves(from), total - from, terminal, systemWorld);
    for (const { leaf } of rest) yield leaf;
  };
  const key = keyOf(reader.leaf(0));
  const unique = toHex(systemWorld.random(8));
  const written = write(out, { checkpoint, key, leaves, unique });
  if (options.json) {
    writeLine(terminal.output, inertJson({ ok: true, directory: out, ...written, key }));
    return EXIT.ok;
  }
  const { entries, added } = written;
  const news = added === 1 ? '1 new entry' : `${added} new entries`;
  writeLine(terminal.output, `${news}, ${entries} in all, in ${inert(options.out)}`);
  writeLine(terminal.output, `  verify it anywhere with: interlock verify ${inert(options.out)}`);
  return EXIT.ok;
}

/** A directory that holds something else is a mistake of the command line. */
function write(out: string, log: Exported): Written {
  try {
    return writeExport(out, log);
  } catch (error) {
    if (!(error instanceof LedgerError) || error.code !== 'conflict') throw error;
    throw new CliError('usage', error.message, { cause: error });
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
