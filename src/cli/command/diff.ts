/** `interlock diff`: what a changed policy may allow more, and with `--replay` what it would have changed. */

import { type Change, type Differences, differences } from '../../audit/differences.ts';
import { wideningsOf } from '../../policy/approval/widening.ts';
import type { CommonOptions, Loaded } from '../configuration.ts';
import { dataDirectory, loadConfiguration } from '../configuration.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { counted, showIssues } from '../issues.ts';
import { openRecordedLog, policyFile } from '../recorded-log.ts';
import { typePolicy } from '../schemas.ts';
import { type Terminal, inert, inertJson, writeLine } from '../terminal.ts';
import { said } from '../replay-step.ts';

export interface DiffOptions extends CommonOptions {
  readonly before: string;
  readonly after: string;
  readonly replay: boolean;
  readonly offline: boolean;
}

export async function diffCommand(terminal: Terminal, options: DiffOptions): Promise<ExitCode> {
  return options.replay ? replayed(terminal, options) : compared(terminal, options);
}

/** What follows from the two texts alone: all that cannot be proved to narrow. */
async function compared(terminal: Terminal, options: DiffOptions): Promise<ExitCode> {
  const [before, after] = [
    await typed(terminal, options, options.before),
    await typed(terminal, options, options.after),
  ];
  const widens = wideningsOf(before.policy, after.policy).map(({ message, place, of }) => {
    return { message, file: of === 'now' ? after.shown : before.shown, line: place.line, column: place.column };
  });
  const ok = widens.length === 0;
  if (options.json) {
    const digests = { before: before.policy.digest, after: after.policy.digest };
    writeLine(terminal.output, inertJson({ ok, ...digests, widens }));
  } else {
    for (const { message, file, line, column } of widens) {
      writeLine(terminal.output, `${inert(file)}:${line}:${column}: ${inert(message)}`);
    }
    const { colour } = terminal;
    const found = ok
      ? colour.green('nothing is allowed or asked that was not before')
      : colour.yellow(mayWiden(widens));
    writeLine(terminal.output, found);
  }
  return ok ? EXIT.ok : EXIT.wrong;
}

function mayWiden(widens: readonly unknown[]): string {
  return `${counted(widens.length, 'change')} may allow more: --replay tells of recorded calls`;
}

async function typed(terminal: Terminal, options: DiffOptions, config: string) {
  const loaded: Loaded = await loadConfiguration(terminal, { ...options, config });
  const { policy, issues } = await typePolicy(terminal, loaded, options);
  if (policy !== undefined) return { policy, shown: loaded.shown };
  showIssues(terminal, issues, loaded.shown, loaded.source);
  throw new CliError('usage', `the policy \`${loaded.shown}\` does not load`);
}

/** What recorded calls would have got: the only part that says how much a change matters. */
async function replayed(terminal: Terminal, options: DiffOptions): Promise<ExitCode> {
  const before = await policyFile(terminal, options, options.before);
  const after = await policyFile(terminal, options, options.after);
  using log = openRecordedLog(terminal, dataDirectory(terminal, options));
  const found = differences(log.recording(), before.configuration, after.configuration);
  const ok = found.allowed === 0;
  if (options.json) {
    const digests = { before: before.configuration.digest, after: after.configuration.digest };
    writeLine(terminal.output, inertJson({ ok, ...digests, ...found }));
  } else show(terminal, found);
  return ok ? EXIT.ok : EXIT.wrong;
}

const RANK: Readonly<Record<string, number>> = { deny: 0, ask: 1, allow: 2 };

function show({ output, colour }: Terminal, { decided, passed, changes, allowed }: Differences): void {
  for (const change of changes) {
    const { tool, calls, entries, before, after } = change;
    const paint = isWider(change) ? colour.red : colour.yellow;
    writeLine(output, `${counted(calls, 'call')} of ${inert(tool)}, such as ${examples(entries)}`);
    writeLine(output, paint(`  - ${inert(said(before))}`));
    writeLine(output, paint(`  + ${inert(said(after))}`));
  }
  const changed = changes.reduce((sum, { calls }) => sum + calls, 0);
  const rest = passed === 0 ? '' : `, ${passed} no policy decides, whose arguments are gone or that were only counted`;
  writeLine(output, `${changed} of ${counted(decided, 'recorded call')} would be decided otherwise${rest}`);
  if (allowed > 0) writeLine(output, colour.red(`${counted(allowed, 'denial')} would become an allowance`));
}

function isWider({ before, after }: Change): boolean {
  return (RANK[after.effect] ?? 0) > (RANK[before.effect] ?? 0);
}

function examples(entries: readonly number[]): string {
  return entries.length === 1 ? `entry ${entries[0]}` : `entries ${entries.join(', ')}`;
}
