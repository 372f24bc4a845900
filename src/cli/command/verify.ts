/** `interlock verify`: the structural check of a data directory, with nothing but a public key. */

import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { verifyEd25519 } from '../../ledger/ed25519.ts';
import { type Reader, openReader } from '../../ledger/sqlite/reader.ts';
import type { VerifyReport } from '../../ledger/verify/report.ts';
import { type LogCheckpoint, verifyLog } from '../../ledger/verify/verify.ts';
import { type VerifierKey, parseVerifierKey } from '../../tlog/note.ts';
import { type CommonOptions, dataDirectory } from '../configuration.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { type Terminal, inert, writeLine } from '../terminal.ts';

export interface VerifyCommandOptions extends CommonOptions {
  readonly path?: string;
  readonly deep: boolean;
  readonly key?: string;
  readonly checkpoint?: string;
}

export async function verifyCommand(terminal: Terminal, options: VerifyCommandOptions): Promise<ExitCode> {
  if (options.deep) throw new CliError('not-available-yet', '`verify --deep` is not available yet');
  const key = options.key === undefined ? undefined : await readKey(terminal, options.key);
  const outside = options.checkpoint === undefined ? [] : [await readText(terminal, options.checkpoint)];
  using reader = openReader(await location(terminal, options));
  const report = await verifyLog(
    {
      entries: reader.leaves(),
      checkpoints: checkpointsOf(reader),
    },
    { checkSignature: verifyEd25519, outside, ...(key === undefined ? {} : { key }) },
  );
  if (options.json) writeLine(terminal.output, JSON.stringify(report));
  else show(terminal, report);
  return report.verdict === 'ok' ? EXIT.ok : EXIT.wrong;
}

function* checkpointsOf(reader: Reader): Generator<LogCheckpoint> {
  for (const { frontier, note } of reader.checkpoints()) yield { size: frontier.size, note };
}

/** The data directory that PATH names: the directory itself, or the one of a configuration beside it. */
async function location(terminal: Terminal, options: VerifyCommandOptions): Promise<string> {
  if (options.path === undefined) return dataDirectory(terminal, options);
  const given = path.resolve(terminal.directory, options.path);
  const found = await stat(given).catch(() => undefined);
  if (found === undefined) throw new CliError('unreadable', `\`${options.path}\` does not exist`);
  if (found.isDirectory() && (await stat(path.join(given, 'ledger.db')).catch(() => undefined)) !== undefined) return given;
  throw new CliError('not-available-yet', `\`${options.path}\` is no data directory; exports, bundles and receipts are not available yet`, {
    hint: 'a data directory holds ledger.db',
  });
}

async function readText(terminal: Terminal, file: string): Promise<string> {
  try {
    return await readFile(path.resolve(terminal.directory, file), 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'error';
    throw new CliError('unreadable', `\`${file}\` cannot be read (${code})`, { cause: error });
  }
}

async function readKey(terminal: Terminal, file: string): Promise<VerifierKey> {
  const key = parseVerifierKey((await readText(terminal, file)).trim());
  if (key !== undefined) return key;
  throw new CliError('unreadable', `\`${file}\` is no verifier key`, { hint: 'expected NAME+HASH+KEY, as in a signed note' });
}

function show(terminal: Terminal, report: VerifyReport): void {
  const { colour } = terminal;
  const verdict = report.verdict === 'ok' ? colour.green('ok') : colour.red('bad');
  writeLine(terminal.output, `${verdict}: ${report.entries} entries, ${report.checkpoints} valid checkpoints, root ${report.root}`);
  if (report.unsigned > 0) {
    writeLine(terminal.output, `  ${report.unsigned} entries at the end are not covered by a signature yet`);
  }
  if (report.key?.trusted === 'on-first-sight') {
    writeLine(terminal.output, `  key taken on trust from the log itself: ${report.key.vkey}`);
    writeLine(terminal.output, '  keep it elsewhere and pass it with --key to notice a log rewritten under another one');
  }
  for (const { entry, code, message } of report.problems) {
    writeLine(terminal.output, `  ${entry === undefined ? 'log' : `entry ${entry}`}: ${inert(message)} [${code}]`);
  }
  if (report.omitted > 0) writeLine(terminal.output, `  and ${report.omitted} further problems`);
}
