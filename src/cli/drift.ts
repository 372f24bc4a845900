/** `interlock replay SESSION --baseline`: how a recorded session departs from earlier ones. */

import { type Departure, departures, sentenceOf } from '../audit/drift.ts';
import { type Profile, SHAPES_MAX, beginningOf, profiles, sessionsBefore } from '../audit/profile.ts';
import { type CommonOptions, dataDirectory } from './configuration.ts';
import { CliError, EXIT, type ExitCode } from './exit.ts';
import { counted } from './issues.ts';
import { type RecordedLog, openRecordedLog } from './recorded-log.ts';
import { type Terminal, inert, inertJson, writeLine } from './terminal.ts';

export interface DriftOptions extends CommonOptions {
  readonly of: string;
  /** Sessions, or a number: so many of the same principal before. */
  readonly baseline: readonly string[];
}

/** Sessions that one is compared with at most. */
const SESSIONS_MAX = 1_000;
const DEPARTURES_MAX = 1_000;

export function driftCommand(terminal: Terminal, options: DriftOptions): ExitCode {
  const { of, json } = options;
  using log = openRecordedLog(terminal, dataDirectory(terminal, options));
  const before = baselineOf(log, options);
  const read = profiles(log.recording().entries, new Set([of, ...before]));
  if (!read.ok) {
    const what = `more than ${SHAPES_MAX} different names and types of arguments`;
    throw new CliError('usage', `the session \`${read.tooVaried}\` cannot be compared: it has ${what}`);
  }
  const session = profileOf(read.bySession, of);
  const [first, ...rest] = before.map((id) => profileOf(read.bySession, id));
  if (first === undefined) throw new CliError('usage', `no session of the same principal is recorded before \`${of}\``);
  const found = departures(session, [first, ...rest]);
  const shown = found.slice(0, DEPARTURES_MAX);
  const omitted = found.length - shown.length;
  if (json) {
    const told = shown.map((departure) => ({ ...departure, message: sentenceOf(departure) }));
    const { calls, denied } = session;
    const about = { of, baseline: [...before], calls, denied };
    writeLine(terminal.output, inertJson({ ok: found.length === 0, ...about, departures: told, omitted }));
  } else show(terminal, shown, found.length, before.length);
  return found.length === 0 ? EXIT.ok : EXIT.wrong;
}

/** Without the session itself, each once. */
function baselineOf(log: RecordedLog, { of, baseline }: DriftOptions): readonly string[] {
  const [one = '', ...more] = baseline;
  if (more.length === 0 && /^\d{1,9}$/u.test(one)) {
    const count = Number(one);
    if (count < 1 || count > SESSIONS_MAX) {
      throw new CliError('usage', `expected \`--baseline\` to be 1 to ${SESSIONS_MAX} sessions, got \`${one}\``);
    }
    const beginning = beginningOf(log.recording().entries, of);
    if (beginning === undefined) throw unknown(of);
    return sessionsBefore(log.recording().entries, beginning, count);
  }
  const named = [...new Set(baseline)];
  if (named.includes(of)) throw new CliError('usage', `\`${of}\` cannot be compared with itself`);
  if (named.length > SESSIONS_MAX) throw new CliError('usage', `expected at most ${SESSIONS_MAX} sessions`);
  return named;
}

function profileOf(found: ReadonlyMap<string, Profile>, session: string): Profile {
  const profile = found.get(session);
  if (profile === undefined) throw unknown(session);
  return profile;
}

function unknown(session: string): CliError {
  const hint = '`interlock log --json` shows sessions as `run.id`';
  return new CliError('usage', `no session \`${session}\` is recorded here`, { hint });
}

function show({ output, colour }: Terminal, found: readonly Departure[], all: number, sessions: number): void {
  for (const departure of found) {
    const where = 'entry' in departure ? `entry ${departure.entry}` : '';
    writeLine(output, `  ${where.padEnd(12)}  ${inert(sentenceOf(departure))}`);
  }
  if (all > found.length) writeLine(output, `  and ${all - found.length} more`);
  const before = counted(sessions, 'earlier session');
  if (all === 0) writeLine(output, colour.green(`nothing that ${before} did not show`));
  else writeLine(output, colour.yellow(`${counted(all, 'departure')} from ${before}`));
}
