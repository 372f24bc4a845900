/** The standing rule that `interlock approve --standing` derives: its options, its difference, and the file it goes to. */

import { differences } from '../audit/differences.ts';
import type { Asked } from '../authority/asked.ts';
import { openReader } from '../ledger/sqlite/reader.ts';
import { type Configuration, parseConfiguration } from '../policy/document/configuration.ts';
import { needs } from '../policy/decide/decide.ts';
import type { Request } from '../policy/decide/decision.ts';
import { type Scope, type Standing, deriveStanding } from '../policy/approval/standing.ts';
import type { Parsed } from '../value/issue.ts';
import { isJsonObject } from '../value/json.ts';
import { formatInstant, parseDuration } from '../value/time.ts';
import { systemWorld } from '../world/system.ts';
import type { Usable } from './configuration.ts';
import { CliError } from './exit.ts';
import { counted, showIssues } from './issues.ts';
import { openRecordedLog } from './recorded-log.ts';
import { rewriteFile } from './rewrite.ts';
import { typePolicy } from './schemas.ts';
import { type Terminal, inert, writeLine } from './terminal.ts';

/** As they were written. */
export interface StandingOptions {
  readonly standing?: string;
  readonly for?: string;
  readonly by: readonly string[];
  readonly write: boolean;
}

export interface StandingOrder {
  readonly scope: Scope;
  readonly lastingMs: number;
  readonly write: boolean;
}

/** A standing rule that is looked at again every year is still one that somebody knows of. */
const DAY_MS = 86_400_000;
const LASTING_MS_MAX = 366 * DAY_MS;
/** How far back one looks for what the rule would have let through. */
const SEEN_DAYS = 30;

/** What was ordered, if anything was. Throws a `CliError` for what makes no sense. */
export function standingOrder(options: StandingOptions): StandingOrder | undefined {
  const { standing, by, write } = options;
  if (standing === undefined) {
    if (options.for === undefined && by.length === 0 && !write) return undefined;
    throw wrong('`--for`, `--by` and `--write` belong to `--standing`');
  }
  const lastingMs = options.for === undefined ? undefined : parseDuration(options.for);
  if (options.for === undefined) throw wrong('a standing rule must end: it needs `--for`');
  if (lastingMs === undefined || lastingMs === 0 || lastingMs > LASTING_MS_MAX) {
    throw wrong(`expected \`--for\` to be a duration of at most 366d, got \`${options.for}\``);
  }
  return { scope: scopeOf(standing, by), lastingMs, write };
}

function scopeOf(standing: string, by: readonly string[]): Scope {
  if (standing === 'recipient') {
    if (by.length > 0) return { kind: 'recipient', by };
    throw wrong('`--standing recipient` needs `--by`, the arguments that name the recipient');
  }
  if (standing !== 'call' && standing !== 'tool') {
    throw wrong(`expected \`--standing\` to be call, recipient or tool, got \`${standing}\``);
  }
  if (by.length > 0) throw wrong('`--by` belongs to `--standing recipient`');
  return { kind: standing };
}

function wrong(message: string): CliError {
  return new CliError('usage', message, {
    hint: '--standing call|recipient|tool --for 30d [--by ARGUMENT]… [--write]',
  });
}

/** A standing rule that can be had, before the call is approved. */
export interface Derived {
  readonly standing: Standing & { readonly ok: true };
  readonly before: string;
  readonly until: number;
  readonly file: string;
  readonly shown: string;
  readonly write: boolean;
  readonly seen: Seen;
}

/** What the rule would have let through of the calls that were asked about lately. */
interface Seen {
  readonly days: number;
  readonly calls: number;
  /** The first of them. */
  readonly entries: readonly number[];
}

/** Derives the rule from what was asked, under the policy as it would load now. Throws a `CliError` when there is none. */
export async function derive(
  terminal: Terminal,
  loaded: Usable,
  { asked, data, order }: { readonly asked: Asked; readonly data: string; readonly order: StandingOrder },
): Promise<Derived> {
  const { policy, issues } = await typePolicy(terminal, loaded, { offline: false });
  const before = loaded.source;
  if (policy === undefined || before === undefined) {
    showIssues(terminal, issues, loaded.shown, before);
    throw new CliError('usage', 'no standing rule can be derived: the policy does not load');
  }
  if (asked.hasSecrets) {
    const hint = 'write a rule that does not name it';
    throw new CliError('usage', 'no standing rule can be derived: the call holds a secret', { hint });
  }
  const now = systemWorld.now();
  const request = requestOf(asked, now);
  using reader = openReader(data);
  const facts = reader.values(needs(policy, request), now);
  const parse = (text: string) => parseConfiguration(text, { file: loaded.shown, environment: terminal.environment });
  const until = now + order.lastingMs;
  const standing = deriveStanding(policy, { text: before, parse }, { request, facts, scope: order.scope, until });
  if (!standing.ok) throw new CliError('usage', `no standing rule can be derived: ${standing.message}`);
  const seen = seenOf(terminal, data, loaded.configuration, parse(standing.text), now);
  return { standing, before, until, file: loaded.file, shown: loaded.shown, write: order.write, seen };
}

/** Decides what was recorded lately under both policies, as `diff --replay` does. */
function seenOf(
  terminal: Terminal,
  data: string,
  before: Configuration,
  after: Parsed<Configuration>,
  now: number,
): Seen {
  if (!after.ok) return { days: SEEN_DAYS, calls: 0, entries: [] };
  using log = openRecordedLog(terminal, data);
  const { changes } = differences(log.recording(), before, after.value, now - SEEN_DAYS * DAY_MS);
  const lifted = changes.filter(({ before: then, after: since }) => then.effect === 'ask' && since.effect === 'allow');
  const calls = lifted.reduce((sum, change) => sum + change.calls, 0);
  return { days: SEEN_DAYS, calls, entries: lifted.flatMap(({ entries }) => entries).toSorted((a, b) => a - b) };
}

function requestOf({ row, args }: Asked, now: number): Request {
  const { principal, tool, id } = row;
  return {
    principal,
    tool,
    args: isJsonObject(args) ? args : {},
    call: { id, attempt: 1, key: '' },
    run: { id: '', depth: 0 },
    now,
  };
}

/** What changes, line by line: `-` before and `+` after, under the line's number. */
function differenceOf({ standing, before, shown }: Derived): string[] {
  return standing.edits.flatMap(({ start, end, text }) => {
    const from = before.lastIndexOf('\n', start - 1) + 1;
    const next = before.indexOf('\n', end);
    const to = next === -1 ? before.length : next;
    const old = before.slice(from, to);
    const changed = `${before.slice(from, start)}${text}${before.slice(end, to)}`;
    const line = before.slice(0, from).split('\n').length;
    return [`@@ ${shown}:${line}`, ...marked('-', old), ...marked('+', changed)];
  });
}

function marked(sign: string, text: string): string[] {
  return text.split('\n').map((line) => `${sign}${line.replace(/\r$/u, '')}`);
}

function seenText({ days, calls, entries }: Seen): string {
  const which = calls === 0 ? '' : `, such as ${entries.length === 1 ? 'entry' : 'entries'} ${entries.join(', ')}`;
  return `of the last ${days} days it would have let through ${counted(calls, 'call')} that ${calls === 1 ? 'was' : 'were'} asked about${which}`;
}

/** For `--json`. */
export function toldStanding(derived: Derived, written: boolean): Record<string, unknown> {
  const { standing, until, shown, seen } = derived;
  return {
    file: shown,
    until: formatInstant(until),
    rules: standing.rules,
    difference: differenceOf(derived),
    seen,
    written,
  };
}

/** Shows the change and, where that was ordered, makes it; false when it could not be made. */
export function carryOut(terminal: Terminal, derived: Derived, json: boolean): boolean {
  const { standing, before, file, shown, until, write } = derived;
  const ids = standing.rules.map(({ id }) => inert(id)).join(', ');
  if (!json) {
    const { colour } = terminal;
    for (const line of differenceOf(derived)) {
      const paint = line.startsWith('-') ? colour.red : line.startsWith('+') ? colour.green : colour.dim;
      writeLine(terminal.output, paint(inert(line)));
    }
    writeLine(terminal.output, seenText(derived.seen));
  }
  if (!write) {
    if (!json)
      writeLine(terminal.output, `${ids} would not ask until ${formatInstant(until)}: --write changes ${shown}`);
    return true;
  }
  const problem = rewriteFile(file, before, standing.text, systemWorld);
  if (problem !== undefined) {
    writeLine(terminal.errors, `interlock: the call is approved, but \`${inert(shown)}\` was not changed: ${problem}`);
  } else if (!json)
    writeLine(terminal.output, `${ids} does not ask until ${formatInstant(until)}: ${shown} is changed`);
  return problem === undefined;
}
