/**
 * `interlock verify`: a data directory, an export or a bundle, with nothing but a public key; with `--deep` every decision
 * again.
 */

import { stat } from 'node:fs/promises';
import path from 'node:path';
import { DeepVerifier, type DeepReport } from '../../audit/deep.ts';
import { BUNDLE_LIMITS } from '../../ledger/bundle/format.ts';
import { dataFiles } from '../../ledger/directory.ts';
import { verifyEd25519 } from '../../ledger/ed25519.ts';
import { LedgerError } from '../../ledger/ledger.ts';
import { outsideFile, readOutside } from '../../ledger/outside.ts';
import { openReader } from '../../ledger/sqlite/reader.ts';
import { verifyBundle } from '../../ledger/verify/bundle.ts';
import type { VerifyReport } from '../../ledger/verify/report.ts';
import type { Entry } from '../../ledger/entry.ts';
import { type LogCheckpoint, type VerifyOptions, verifyLog } from '../../ledger/verify/verify.ts';
import { readReport } from '../../report/read.ts';
import { parseWitnessKey } from '../../tlog/cosignature.ts';
import { parseVerifierKey } from '../../tlog/note.ts';
import { fromUtf8 } from '../../value/encoding.ts';
import { systemWorld } from '../../world/system.ts';
import { type CommonOptions, dataDirectory, requireNamed } from '../configuration.ts';
import { outsidePlace } from '../data.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { readNamed } from '../file.ts';
import { counted } from '../issues.ts';
import { type OpenLog, type SourceProblem, openDataLog, openExportLog } from '../log-source.ts';
import { withProgress } from '../progress.ts';
import { type Terminal, inert, inertJson, writeLine } from '../terminal.ts';
import { VERSION } from '../version.ts';
import { configuredWitnesses } from '../witnesses.ts';

export interface VerifyCommandOptions extends CommonOptions {
  readonly path?: string;
  readonly deep: boolean;
  readonly key?: string;
  readonly checkpoint?: string;
}

/** What a file of keys or signatures can hold. */
const NOTE_BYTES_MAX = 1024 * 1024;

interface Findings extends Omit<VerifyReport, 'problems' | 'attested' | 'erased'> {
  readonly problems: readonly SourceProblem[];
  readonly attested: number;
  readonly erased: number;
  /** With `--deep`: decisions that were made again, and the first of those that were taken as they are recorded. */
  readonly decided?: number;
  readonly attestations?: DeepReport['attestations'];
  /** The last signed note of the log, to be kept elsewhere and passed with `--checkpoint`; only when all is well. */
  readonly checkpoint?: string;
}

export async function verifyCommand(terminal: Terminal, options: VerifyCommandOptions): Promise<ExitCode> {
  await requireNamed(terminal, options);
  const keys = await readKeys(terminal, options);
  const given = options.checkpoint === undefined ? [] : [await readNamed(terminal, options.checkpoint, NOTE_BYTES_MAX)];
  const bundle = await readBundle(terminal, options);
  const how = { checkSignature: verifyEd25519, ...keys };
  if (bundle !== undefined && options.deep) {
    throw new CliError('usage', '`--deep` decides again from a whole log, and a receipt is a part of one');
  }
  if (bundle !== undefined) return tell(terminal, options, checkFile(terminal, bundle, { ...how, outside: given }));
  using log = await openLog(terminal, options);
  const kept = options.path === undefined ? await keptOutside(terminal, options) : [];
  const trusted = { ...how, outside: [...kept, ...given] };
  return tell(terminal, options, await examine(terminal, log, trusted, options.deep));
}

/** A bundle, or a report with one inside: then also whether it shows what the bundle says. */
function checkFile(terminal: Terminal, bytes: Uint8Array, options: VerifyOptions): Findings {
  const text = fromUtf8(bytes);
  const report = text === undefined ? undefined : readReport(text, VERSION);
  if (report === undefined) return verifyBundle(bytes, options);
  const found = verifyBundle(report.bundle, options);
  const problems: SourceProblem[] = [...found.problems];
  if (report.page === 'differs') {
    problems.push({ code: 'report-page', message: 'expected the page that its bundle makes, got another' });
  }
  if (report.page === 'other-version') {
    writeLine(
      terminal.errors,
      'interlock: another version wrote this page: its bundle is checked, what it shows is not',
    );
  }
  if (report.log === 'bad') {
    problems.push({ code: 'report-log', message: 'the log that the page is of did not verify when it was written' });
  }
  return { ...found, verdict: problems.length === 0 ? 'ok' : 'bad', problems };
}

function tell(terminal: Terminal, { json }: VerifyCommandOptions, found: Findings): ExitCode {
  if (json) writeLine(terminal.output, inertJson(found));
  else show(terminal, found);
  return found.verdict === 'ok' ? EXIT.ok : EXIT.wrong;
}

/** The bytes of PATH when it is a file: a bundle, or what claims to be one. */
async function readBundle(terminal: Terminal, { path: given }: VerifyCommandOptions): Promise<Uint8Array | undefined> {
  if (given === undefined) return undefined;
  const found = await stat(path.resolve(terminal.directory, given)).catch(() => undefined);
  return found?.isFile() === true ? readNamed(terminal, given, BUNDLE_LIMITS.bytesMax) : undefined;
}

/** Reads the log once, and says what is wrong with it and with what it is kept in. */
async function examine(terminal: Terminal, log: OpenLog, options: VerifyOptions, isDeep: boolean): Promise<Findings> {
  let last: LogCheckpoint['note'] | undefined;
  const checkpoints = function* (): Generator<LogCheckpoint, void> {
    for (const checkpoint of log.checkpoints) {
      last = checkpoint.note;
      yield checkpoint;
    }
  };
  const bodies = log.beside?.bodies;
  const deep = isDeep ? new DeepVerifier(bodies === undefined ? {} : { bodies }) : undefined;
  const entries = withProgress(log.entries, log.total, terminal, systemWorld);
  const visit = deep === undefined ? {} : { visit: visiting(deep) };
  const structural = await verifyLog({ entries, checkpoints: checkpoints() }, { ...options, ...visit });
  const again = deep?.report(log.beside?.tables(deep));
  const report = again === undefined ? structural : deepened(structural, again);
  const problems = [...report.problems, ...log.problems(structural)];
  if (problems.length > 0) return { ...report, verdict: 'bad', problems };
  const checkpoint = typeof last === 'string' ? last : fromUtf8(last ?? new Uint8Array());
  return checkpoint === undefined || checkpoint === '' ? report : { ...report, checkpoint };
}

/** The checkpoint that this user's ledgers keep outside of the data directory; none for one that is not there. */
export async function keptOutside(terminal: Terminal, options: CommonOptions): Promise<Uint8Array[]> {
  const place = await outsidePlace(terminal, options);
  try {
    using reader = openReader(dataDirectory(terminal, options));
    const found = readOutside(outsideFile(place, reader.log, reader.outside));
    return found === undefined ? [] : [found.bytes];
  } catch (error) {
    // What is wrong with the database is found again, and reported, when it is examined.
    if (error instanceof LedgerError && error.code === 'tampered') return [];
    throw error;
  }
}

/** The structural verifier has looked at all that an entry has in common with others. */
function visiting(deep: DeepVerifier): NonNullable<VerifyOptions['visit']> {
  return ({ fields }, position) => deep.take(fields as Entry, position);
}

function deepened(report: VerifyReport, { problems, omitted, ...counted }: DeepReport): Findings {
  return {
    ...report,
    ...counted,
    problems: [...report.problems, ...problems],
    omitted: report.omitted + omitted,
  };
}

/** What PATH names, else the data directory of the options. */
async function openLog(terminal: Terminal, options: VerifyCommandOptions): Promise<OpenLog> {
  if (options.path === undefined) return openDataLog(dataDirectory(terminal, options));
  const given = path.resolve(terminal.directory, options.path);
  const found = await stat(given).catch(() => undefined);
  if (found === undefined) throw new CliError('unreadable', `\`${options.path}\` does not exist`);
  if (await exists(dataFiles(given).ledger)) return openDataLog(given);
  const exported = found.isDirectory() ? openExportLog(given) : undefined;
  if (exported !== undefined) return exported;
  throw new CliError('unreadable', `\`${options.path}\` is no data directory, no export and no bundle`, {
    hint: 'a data directory holds ledger.db, an export holds checkpoint and tile/, a bundle is a file',
  });
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined)) !== undefined;
}

/** What to trust: the file that was given, and the witnesses of the configuration where one is read. */
async function readKeys(
  terminal: Terminal,
  options: VerifyCommandOptions,
): Promise<Pick<VerifyOptions, 'key' | 'witnesses'>> {
  const isRead = options.path === undefined || options.config !== undefined;
  const configured = isRead ? await configuredWitnesses(terminal, options) : [];
  const known = configured.flatMap(({ key }) => key ?? []);
  if (options.key === undefined) return { witnesses: known };
  const text = fromUtf8(await readNamed(terminal, options.key, NOTE_BYTES_MAX)) ?? '';
  const lines = text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
  const [key, ...more] = lines.flatMap((line) => parseVerifierKey(line) ?? []);
  const given = lines.flatMap((line) => parseWitnessKey(line) ?? []);
  if (lines.length === 0 || more.length > 0 || lines.length > given.length + (key === undefined ? 0 : 1)) {
    throw new CliError('unreadable', `\`${options.key}\` is no verifier key`, {
      hint: 'expected one line NAME+HASH+KEY, as `verify` prints it for the key it takes on trust, and witnesses’ keys',
    });
  }
  const witnesses = [...given, ...known.filter((one) => !given.some(({ keyId }) => keyId === one.keyId))];
  return key === undefined ? { witnesses } : { key, witnesses };
}

function show(terminal: Terminal, found: Findings): void {
  const { colour, output } = terminal;
  const verdict = found.verdict === 'ok' ? colour.green('ok') : colour.red('bad');
  const entries = `${found.entries} ${found.entries === 1 ? 'entry' : 'entries'}`;
  const root = found.root === '' ? '' : `, root ${found.root}`;
  writeLine(output, `${verdict}: ${entries}, ${counted(found.checkpoints, 'valid checkpoint')}${root}`);
  if (found.unsigned > 0) {
    const covered = found.unsigned === 1 ? '1 entry at the end is' : `${found.unsigned} entries at the end are`;
    writeLine(output, `  ${covered} not covered by a signature yet`);
  }
  if (found.decided !== undefined) showDeep(terminal, found, found.decided);
  else if (found.erased > 0) {
    writeLine(output, `  ${counted(found.erased, 'sealed value')} were erased: their proofs stand`);
  }
  for (const { witness, keyId, known, size, at } of found.cosigners) {
    const name = `${inert(witness)}+${keyId}`;
    const told = known
      ? `cosigned by ${name}: ${size} entries, seen ${at}`
      : `also signed by ${name}, a key unknown here`;
    writeLine(output, `  ${told}`);
  }
  for (const { entry, pointer, value } of found.disclosed ?? []) {
    writeLine(output, `  entry ${entry} had at ${inert(pointer)}: ${inertJson(value)}`);
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

/** Of very many the reasons alone are told. */
const ATTESTATIONS_SHOWN = 10;

function showDeep({ output }: Terminal, { attested, erased, attestations = [] }: Findings, decided: number): void {
  const taken = attested === 0 ? '' : `, ${attested} taken as recorded`;
  writeLine(output, `  ${counted(decided, 'decision')} made again${taken}`);
  for (const { entry, why } of attestations.slice(0, ATTESTATIONS_SHOWN)) {
    writeLine(output, `    entry ${entry}: ${inert(why)}`);
  }
  if (attested > ATTESTATIONS_SHOWN)
    writeLine(output, `    and ${attested - ATTESTATIONS_SHOWN} more: --json lists them`);
  if (erased > 0) writeLine(output, `  ${counted(erased, 'sealed value')} gone`);
}
