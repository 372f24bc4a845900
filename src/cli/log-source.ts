/** Where `verify` reads a log from: a data directory or an export, each with what else can be wrong with it. */

import { type ExportProblem, openExport } from '../ledger/export/read.ts';
import { LedgerError } from '../ledger/ledger.ts';
import { openReader } from '../ledger/sqlite/reader.ts';
import type { Problem, VerifyReport } from '../ledger/verify/report.ts';
import type { LogCheckpoint, LogEntry } from '../ledger/verify/verify.ts';

/** Beside the problems of a log, those of what it is kept in. */
export type SourceProblem = Omit<Problem, 'code'> & {
  readonly code: Problem['code'] | ExportProblem['code'] | 'database-damaged';
};

/** A log to be read once. */
export interface OpenLog extends Disposable {
  /** How many entries there should be, as far as is known. */
  readonly total: number | undefined;
  readonly entries: Iterable<LogEntry>;
  readonly checkpoints: Iterable<LogCheckpoint>;
  /** What else is wrong, once everything is read and `report` says what of it. */
  readonly problems: (report: VerifyReport) => readonly SourceProblem[];
}

/** The ledger of a data directory. What its database cannot give any more is a problem, and the rest is still read. */
export function openDataLog(directory: string): OpenLog {
  let damage: string | undefined;
  const readable = function* <T>(rows: () => Iterable<T>): Generator<T, void> {
    try {
      yield* rows();
    } catch (error) {
      damage ??= damageOf(error);
    }
  };
  const [reader] = readable(() => [openReader(directory)]);
  const [head] = readable(() => (reader === undefined ? [] : [reader.head()]));
  const checkpoints = function* (): Generator<LogCheckpoint, void> {
    for (const { frontier, note } of readable(() => reader?.checkpoints() ?? [])) yield { size: frontier.size, note };
  };
  return {
    total: head?.frontier.size,
    entries: readable(() => reader?.leaves() ?? []),
    checkpoints: checkpoints(),
    problems: ({ entries }) =>
      damage === undefined ? [] : [{ code: 'database-damaged', message: damage, entry: entries }],
    [Symbol.dispose]: () => reader?.[Symbol.dispose](),
  };
}

/** An export; nothing when the directory is none. */
export function openExportLog(directory: string): OpenLog | undefined {
  const reading = openExport(directory);
  if (reading === undefined) return undefined;
  return {
    total: reading.size,
    entries: reading.entries(),
    checkpoints: reading.checkpoints,
    problems: ({ key }) => {
      const isOther = reading.key !== undefined && key !== undefined && reading.key !== key.vkey;
      const message = 'expected the key that the log was created with beside the log, got another';
      return isOther ? [...reading.problems(), { code: 'export-key', message }] : reading.problems();
    },
    [Symbol.dispose]: () => {},
  };
}

/** What is wrong with the database; anything else that went wrong is thrown on. */
function damageOf(error: unknown): string {
  if (error instanceof LedgerError && error.code === 'tampered') return error.message;
  throw error;
}
