/** `interlock report`: one page about a session, a call or the whole log, with its evidence inside. */

import { verifyEd25519 } from '../../ledger/ed25519.ts';
import { LedgerError } from '../../ledger/ledger.ts';
import { openReader } from '../../ledger/sqlite/reader.ts';
import type { LogCheckpoint } from '../../ledger/verify/verify.ts';
import { type Gathered, gatherReport } from '../../report/gather.ts';
import { type Figures, figuresOf } from '../../report/page/figures.ts';
import { storyOf } from '../../report/page/story.ts';
import { reportPage } from '../../report/write.ts';
import { formatInstant } from '../../value/time.ts';
import { systemWorld } from '../../world/system.ts';
import { type CommonOptions, dataDirectory, requireNamed } from '../configuration.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { writeNamed } from '../file.ts';
import { counted } from '../issues.ts';
import { openDataLog } from '../log-source.ts';
import { withProgress } from '../progress.ts';
import { openRecordedLog } from '../recorded-log.ts';
import { signLog } from '../signed-log.ts';
import { type Terminal, inert, inertJson, writeLine } from '../terminal.ts';
import { VERSION } from '../version.ts';
import { keptOutside } from './verify.ts';

export interface ReportOptions extends CommonOptions {
  /** The id of a session, a run or a call; absent for the whole log. */
  readonly of?: string;
  readonly out: string;
}

export async function reportCommand(terminal: Terminal, options: ReportOptions): Promise<ExitCode> {
  await requireNamed(terminal, options);
  const isSigned = await signIfPossible(terminal, options);
  const gathered = await gather(terminal, options, isSigned);
  if (gathered === undefined) {
    const hint = '`interlock log --json` shows sessions as `run.id` and calls as `call`';
    throw new CliError('usage', `no session and no call \`${options.of ?? ''}\` is recorded here`, { hint });
  }
  // A crash in between leaves a file that does not verify, and the same command writes it again.
  writeNamed(terminal, options.out, reportPage(gathered.bundle, gathered.told));
  tell(terminal, options, gathered);
  return gathered.told.log.verdict === 'ok' ? EXIT.ok : EXIT.wrong;
}

/** A log that cannot be signed any more, or not by this user, is reported all the same. */
async function signIfPossible(terminal: Terminal, options: CommonOptions): Promise<boolean> {
  try {
    await signLog(terminal, options);
    return true;
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    writeLine(terminal.errors, `interlock: the end of the log is not signed: ${inert(error.message)} [${error.code}]`);
    return false;
  }
}

async function gather(terminal: Terminal, options: ReportOptions, isSigned: boolean): Promise<Gathered | undefined> {
  const directory = dataDirectory(terminal, options);
  using reader = openReader(directory);
  using log = openDataLog(directory);
  using recorded = openRecordedLog(terminal, directory);
  const outside = await keptOutside(terminal, options);
  // What a gateway writes meanwhile has no signature yet, and is for the next report.
  const end = isSigned ? signedSize(reader.checkpoints()) : Number.POSITIVE_INFINITY;
  const leaves = function* (): Generator<Uint8Array, void> {
    for (const { leaf } of withProgress(before(end, reader.leaves()), log.total, terminal, systemWorld)) yield leaf;
  };
  const entries = withProgress(before(end, log.entries), log.total, terminal, systemWorld);
  const checkpoints = function* (): Generator<LogCheckpoint, void> {
    for (const checkpoint of log.checkpoints) if (checkpoint.size <= end) yield checkpoint;
  };
  return await gatherReport(
    {
      log: { entries, checkpoints: checkpoints() },
      problems: (report) => log.problems(report),
      leaves,
      recording: () => {
        const recording = recorded.recording();
        return { ...recording, entries: before(end, recording.entries) };
      },
    },
    {
      ...(options.of === undefined ? {} : { of: options.of }),
      version: VERSION,
      at: formatInstant(systemWorld.now()),
      verify: { checkSignature: verifyEd25519, outside },
    },
  );
}

function signedSize(checkpoints: Iterable<{ readonly frontier: { readonly size: number } }>): number {
  let size = 0;
  for (const { frontier } of checkpoints) size = frontier.size;
  return size;
}

/** The entries up to the position `end`, without it. */
function* before<T extends { readonly position: number }>(end: number, entries: Iterable<T>): Generator<T, void> {
  for (const entry of entries) {
    if (entry.position >= end) return;
    yield entry;
  }
}

function tell(terminal: Terminal, { json, out, of }: ReportOptions, { bundle, told }: Gathered): void {
  const { colour, output } = terminal;
  const figures = figuresOf(storyOf(bundle.entries));
  const { from, to, ...counts } = figures;
  const { verdict, problems, omitted } = told.log;
  if (json) {
    const { left } = told;
    const named = of === undefined ? {} : { of };
    const found = { verdict, problems, omitted };
    return writeLine(
      output,
      inertJson({
        ok: verdict === 'ok',
        file: out,
        ...named,
        key: bundle.key,
        ...found,
        figures: { from: formatInstant(from), to: formatInstant(to), ...counts },
        left,
      }),
    );
  }
  writeLine(output, `${counted(figures.calls, 'call')}, ${entriesText(figures)} with their proofs, in ${inert(out)}`);
  const left = Object.values(told.left.decisions).reduce((sum, n) => sum + n, 0);
  if (left > 0)
    writeLine(output, `  the last ones only: ${counted(left, 'earlier decision')} had no place on the page`);
  writeLine(output, `  open it in a browser, or check it anywhere with: interlock verify ${inert(out)} --key FILE`);
  writeLine(output, `  the key to trust: ${inert(bundle.key)}`);
  if (verdict === 'ok') return;
  writeLine(output, colour.red('the log does not verify, and the page says so: run interlock verify'));
}

function entriesText({ entries }: Figures): string {
  return entries === 1 ? '1 entry' : `${entries} entries`;
}
