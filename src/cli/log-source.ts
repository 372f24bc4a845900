/** Where `verify` reads a log from: a data directory or an export, each with what else can be wrong with it. */

import type { BodySource } from '../audit/bodies.ts';
import { compareTables, type FoldedLog } from '../audit/stored-tables.ts';
import type { DeepProblem } from '../audit/problem.ts';
import { type ExportProblem, openExport } from '../ledger/export/read.ts';
import { LedgerError } from '../ledger/ledger.ts';
import { type Reader, openReader } from '../ledger/sqlite/reader.ts';
import { readVault } from '../ledger/vault.ts';
import { systemWorld } from '../world/system.ts';
import type { Problem, VerifyReport } from '../ledger/verify/report.ts';
import type { LogCheckpoint, LogEntry } from '../ledger/verify/verify.ts';

/** Beside the problems of a log, those of what it is kept in. */
export type SourceProblem = Omit<Problem, 'code'> & {
  readonly code:
    | Problem['code']
    | ExportProblem['code']
    | DeepProblem['code']
    | 'database-damaged'
    | 'report-log'
    | 'report-page';
};

/** A log to be read once. */
export interface OpenLog extends Disposable {
  /** How many entries there should be, as far as is known. */
  readonly total: number | undefined;
  readonly entries: Iterable<LogEntry>;
  readonly checkpoints: Iterable<LogCheckpoint>;
  /** What else is wrong, once everything is read and `report` says what of it. */
  readonly problems: (report: VerifyReport) => readonly SourceProblem[];
  /** What stands beside the entries, where anything does: for a deep verification. */
  readonly beside?: {
    /** Absent where the key of the vault is not there to open anything. */
    readonly bodies?: BodySource;
    /** How the tables differ from what all entries fold to. */
    readonly tables: (log: FoldedLog) => readonly DeepProblem[];
  };
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
    ...(reader === undefined ? {} : { beside: besideOf(directory, reader, readable) }),
    [Symbol.dispose]: () => reader?.[Symbol.dispose](),
  };
}

type Readable = <T>(rows: () => Iterable<T>) => Generator<T, void>;

function besideOf(directory: string, reader: Reader, readable: Readable): NonNullable<OpenLog['beside']> {
  const tables = (log: FoldedLog): readonly DeepProblem[] => [...readable(() => compareTables(reader, log))];
  try {
    const vault = readVault(directory, systemWorld);
    const body: BodySource['body'] = (...of) => reader.bodyAt(...of);
    return { tables, bodies: { body, vault, salt: (call) => reader.call(call)?.salt } };
  } catch (error) {
    if (error instanceof LedgerError && error.code === 'cannot-open') return { tables };
    throw error;
  }
}

/** An export; nothing when the directory is none. */
export function openExportLog(directory: string): OpenLog | undefined {
  const reading = openExport(directory);
  if (reading === undefined) return undefined;
  return {
    total: reading.size,
    entries: reading.entries(),
    checkpoints: reading.checkpoints,
    problems: ({ signers }) => {
      const { keys } = reading;
      const isOther = keys !== undefined && signers.length > 0 && keys.join(' ') !== signers.map(vkeyOf).join(' ');
      const message = 'expected the keys that the log brings beside it, got others';
      return isOther ? [...reading.problems(), { code: 'export-key', message }] : reading.problems();
    },
    [Symbol.dispose]: () => {},
  };
}

function vkeyOf({ vkey }: VerifyReport['signers'][number]): string {
  return vkey;
}

/** What is wrong with the database; anything else that went wrong is thrown on. */
function damageOf(error: unknown): string {
  if (error instanceof LedgerError && error.code === 'tampered') return error.message;
  throw error;
}
