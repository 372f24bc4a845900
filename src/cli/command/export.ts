/** `interlock export -o DIR`: the log in the layout of C2SP tlog-tiles, for anybody who has its public key. */

import path from 'node:path';
import { type Exported, type Written, writeExport } from '../../ledger/export/write.ts';
import { LedgerError } from '../../ledger/ledger.ts';
import { toHex } from '../../value/encoding.ts';
import { systemWorld } from '../../world/system.ts';
import { type CommonOptions, requireNamed } from '../configuration.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { openSigned } from '../signed-log.ts';
import { type Terminal, inert, inertJson, writeLine } from '../terminal.ts';

export interface ExportOptions extends CommonOptions {
  readonly out: string;
  readonly witness?: string;
}

/** Signs what is committed, then writes everything up to there. */
export async function exportCommand(terminal: Terminal, options: ExportOptions): Promise<ExitCode> {
  if (options.witness !== undefined) throw new CliError('not-available-yet', '`--witness` is not available yet');
  await requireNamed(terminal, options);
  const out = path.resolve(terminal.directory, options.out);
  using log = await openSigned(terminal, options);
  const unique = toHex(systemWorld.random(8));
  const written = write(out, { ...log, unique });
  if (options.json) {
    writeLine(terminal.output, inertJson({ ok: true, directory: out, ...written, key: log.key }));
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
