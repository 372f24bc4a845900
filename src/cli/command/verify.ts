/** `interlock verify`: the structural check of a data directory, with nothing but a public key. */

import { stat } from 'node:fs/promises';
import path from 'node:path';
import { dataFiles } from '../../ledger/directory.ts';
import { verifyEd25519 } from '../../ledger/ed25519.ts';
import { LedgerError } from '../../ledger/ledger.ts';
import { openReader } from '../../ledger/sqlite/reader.ts';
import type { Problem, VerifyReport } from '../../ledger/verify/report.ts';
import { type LogCheckpoint, type VerifyOptions, verifyLog } from '../../ledger/verify/verify.ts';
import { type VerifierKey, parseVerifierKey } from '../../tlog/note.ts';
import { fromUtf8 } from '../../value/encoding.ts';
import { systemWorld } from '../../world/system.ts';
import { type CommonOptions, dataDirectory, requireNamed } from '../configuration.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { readNamed } from '../file.ts';
import { counted } from '../issues.ts';
import { withProgress } from '../progress.ts';
import { type Terminal, inert, inertJson, writeLine } from '../terminal.ts';

export interface VerifyCommandOptions extends CommonOptions {
  readonly path?: string;
  readonly deep: boolean;
  readonly key?: string;
  readonly checkpoint?: string;
}

/** What a file of keys or signatures can hold. */
const NOTE_BYTES_MAX = 1024 * 1024;

/** Beside the problems of a log, one of the database that holds it: the rest of it cannot be read. */
type FoundProblem = Omit<Problem, 'code'> & { readonly code: Problem['code'] | 'database-damaged' };

interface Findings extends Omit<VerifyReport, 'problems'> {
  readonly problems: readonly FoundProblem[];
  /** The last signed note of the log, to be kept elsewhere and passed with `--checkpoint`; only when all is well. */
  readonly checkpoint?: string;
}

export async function verifyCommand(terminal: Terminal, options: VerifyCommandOptions): Promise<ExitCode> {
  if (options.deep) throw new CliError('not-available-yet', '`verify --deep` is not available yet');
  await requireNamed(terminal, options);
  const key = options.key === undefined ? undefined : await readKey(terminal, options.key);
  const outside =
    options.checkpoint === undefined ? [] : [await readNamed(terminal, options.checkpoint, NOTE_BYTES_MAX)];
  const directory = await location(terminal, options);
  const checked = { checkSignature: verifyEd25519, outside, ...(key === undefined ? {} : { key }) };
  const found = await examine(terminal, directory, checked);
  if (options.json) writeLine(terminal.output, inertJson(found));
  else show(terminal, found);
  return found.verdict === 'ok' ? EXIT.ok : EXIT.wrong;
}

/** Reads the log once. What its database cannot give any more is a finding, and the rest is still judged. */
async function examine(terminal: Terminal, directory: string, options: VerifyOptions): Promise<Findings> {
  let damage: string | undefined;
  let last: string | undefined;
  const readable = function* <T>(rows: () => Iterable<T>): Generator<T, void> {
    try {
      yield* rows();
    } catch (error) {
      damage ??= damageOf(error);
    }
  };
  const [opened] = readable(() => [openReader(directory)]);
  using reader = opened;
  const [head] = readable(() => (reader === undefined ? [] : [reader.head()]));
  const leaves = readable(() => reader?.leaves() ?? []);
  const checkpoints = function* (): Generator<LogCheckpoint, void> {
    for (const { frontier, note } of readable(() => reader?.checkpoints() ?? [])) {
      last = note;
      yield { size: frontier.size, note };
    }
  };
  const entries = withProgress(leaves, head?.frontier.size, terminal, systemWorld);
  const report = await verifyLog({ entries, checkpoints: checkpoints() }, options);
  if (damage !== undefined) {
    const problem = { code: 'database-damaged', message: damage, entry: report.entries } as const;
    return { ...report, verdict: 'bad', problems: [...report.problems, problem] };
  }
  return report.verdict === 'ok' && last !== undefined ? { ...report, checkpoint: last } : report;
}

/** What is wrong with the database; anything else that went wrong is thrown on. */
function damageOf(error: unknown): string {
  if (error instanceof LedgerError && error.code === 'tampered') return error.message;
  throw error;
}

/** The data directory: PATH, else the one of the options. */
async function location(terminal: Terminal, options: VerifyCommandOptions): Promise<string> {
  if (options.path === undefined) return dataDirectory(terminal, options);
  const given = path.resolve(terminal.directory, options.path);
  if (!(await exists(given))) throw new CliError('unreadable', `\`${options.path}\` does not exist`);
  if (await exists(dataFiles(given).ledger)) return given;
  const later = 'exports, bundles and receipts are not available yet';
  throw new CliError('not-available-yet', `\`${options.path}\` is no data directory, and ${later}`, {
    hint: 'a data directory holds ledger.db',
  });
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined)) !== undefined;
}

async function readKey(terminal: Terminal, file: string): Promise<VerifierKey> {
  const text = fromUtf8(await readNamed(terminal, file, NOTE_BYTES_MAX));
  const key = text === undefined ? undefined : parseVerifierKey(text.trim());
  if (key !== undefined) return key;
  throw new CliError('unreadable', `\`${file}\` is no verifier key`, {
    hint: 'expected one line NAME+HASH+KEY, as `verify` prints it for the key it takes on trust',
  });
}

function show(terminal: Terminal, found: Findings): void {
  const { colour, output } = terminal;
  const verdict = found.verdict === 'ok' ? colour.green('ok') : colour.red('bad');
  const entries = `${found.entries} ${found.entries === 1 ? 'entry' : 'entries'}`;
  writeLine(output, `${verdict}: ${entries}, ${counted(found.checkpoints, 'valid checkpoint')}, root ${found.root}`);
  if (found.unsigned > 0) {
    const covered = found.unsigned === 1 ? '1 entry at the end is' : `${found.unsigned} entries at the end are`;
    writeLine(output, `  ${covered} not covered by a signature yet`);
  }
  if (found.key?.trusted === 'on-first-sight') {
    writeLine(output, `  key taken on trust from the log itself: ${inert(found.key.vkey)}`);
    writeLine(output, '  keep it elsewhere and pass it with --key to notice a log rewritten under another one');
  }
  for (const { entry, code, message } of found.problems) {
    writeLine(output, `  ${entry === undefined ? 'log' : `entry ${entry}`}: ${inert(message)} [${code}]`);
  }
  if (found.omitted > 0) writeLine(output, `  and ${counted(found.omitted, 'further problem')}`);
}
