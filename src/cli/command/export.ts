/** `interlock export -o DIR`: the log in the layout of C2SP tlog-tiles, for anybody who has its public key. */

import path from 'node:path';
import type { Witness } from '../../authority/witness.ts';
import { type Exported, type Written, writeExport } from '../../ledger/export/write.ts';
import { LedgerError } from '../../ledger/ledger.ts';
import { toHex } from '../../value/encoding.ts';
import { systemWorld } from '../../world/system.ts';
import { type CommonOptions, requireNamed } from '../configuration.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { openSigned } from '../signed-log.ts';
import { type Terminal, inert, inertJson, writeLine } from '../terminal.ts';
import { configuredWitnesses, nameOf, namedWitness, refusalOf } from '../witnesses.ts';

export interface ExportOptions extends CommonOptions {
  readonly out: string;
  /** The URL of a witness to cosign the checkpoint. */
  readonly witness?: string;
  /** Its key in one line, or a file that holds it. */
  readonly witnessKey?: string;
}

/** Signs what is committed, then writes everything up to there. */
export async function exportCommand(terminal: Terminal, options: ExportOptions): Promise<ExitCode> {
  await requireNamed(terminal, options);
  const out = path.resolve(terminal.directory, options.out);
  const witness = await witnessOf(terminal, options);
  using log = await openSigned(terminal, options, witness);
  const asked = witness === undefined ? undefined : log.asked.at(-1);
  const refusal = asked === undefined ? undefined : refusalOf(asked);
  // Whoever asks for a cosignature gets one or nothing.
  if (refusal !== undefined) return refuse(terminal, options, refusal);
  const unique = toHex(systemWorld.random(8));
  const written = write(out, { ...log, unique });
  const cosigned = log.asked.flatMap(({ witness: by, answer }) => (answer.kind === 'cosigned' ? [by] : []));
  if (options.json) {
    writeLine(
      terminal.output,
      inertJson({ ok: true, directory: out, ...written, key: log.key, cosigned: cosigned.map(nameOf) }),
    );
    return EXIT.ok;
  }
  const { entries, added } = written;
  const news = added === 1 ? '1 new entry' : `${added} new entries`;
  writeLine(terminal.output, `${news}, ${entries} in all, in ${inert(options.out)}`);
  writeLine(terminal.output, `  verify it anywhere with: interlock verify ${inert(options.out)}`);
  for (const by of cosigned) {
    const trust = by.key === undefined ? ', whose key was not given: that is its word' : '';
    writeLine(terminal.output, `  cosigned by ${inert(nameOf(by))}${trust}`);
  }
  return EXIT.ok;
}

async function witnessOf(terminal: Terminal, options: ExportOptions): Promise<Witness | undefined> {
  const { witness: url, witnessKey: key } = options;
  if (url !== undefined) {
    const named = key === undefined ? { url } : { url, key };
    return namedWitness(terminal, named, await configuredWitnesses(terminal, options));
  }
  if (key !== undefined) throw new CliError('usage', '`--witness-key` is the key of a `--witness`, and none is named');
  return undefined;
}

function refuse(terminal: Terminal, { json }: ExportOptions, refusal: string): ExitCode {
  const message = `${refusal}; nothing was written`;
  if (json) writeLine(terminal.output, inertJson({ ok: false, code: 'not-cosigned', message }));
  else writeLine(terminal.errors, 'interlock: nothing was written');
  return EXIT.wrong;
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
