/** A call that is proposed on the command line, to be decided and not run: the file it is in, and what it is decided on. */

import { exceptedAt, exceptionEntries } from '../authority/exception.ts';
import type { Policy } from '../policy/compile.ts';
import { type FactValues, needs } from '../policy/decide/decide.ts';
import type { Decision, Request } from '../policy/decide/decision.ts';
import { fromUtf8 } from '../value/encoding.ts';
import type { Issue } from '../value/issue.ts';
import { type JsonObject, type JsonValue, isJsonObject, parseJson } from '../value/json.ts';
import { JSON_LIMITS } from '../value/limits.ts';
import { parseInstant } from '../value/time.ts';
import { systemWorld } from '../world/system.ts';
import { type CommonOptions, dataDirectory } from './configuration.ts';
import { readData } from './data.ts';
import { CliError, EXIT } from './exit.ts';
import { readNamed } from './file.ts';
import { firstError, showIssues } from './issues.ts';
import { type Terminal, inert, writeLine } from './terminal.ts';

export interface CallOptions extends CommonOptions {
  /** A file, or `-` for standard input. */
  readonly call: string;
  readonly offline: boolean;
}

const MEMBERS: ReadonlySet<string> = new Set(['tool', 'args', 'principal', 'now']);
const LOCAL = 'local';
export const EXIT_OF: Readonly<Record<Decision['effect'], 0 | 3 | 4>> = {
  allow: EXIT.ok,
  deny: EXIT.deny,
  ask: EXIT.ask,
};

/** The call of the options as a request. Throws a `CliError` for what is none. */
export async function readRequest(terminal: Terminal, options: CallOptions): Promise<Request> {
  const { tool, args, principal, now = systemWorld.now() } = await readCall(terminal, options.call);
  return { tool, args, principal, now, call: { id: '', attempt: 1, key: '' }, run: { id: '', depth: 0 } };
}

/**
 * What a decision would be made on: the counters, the kill switches and the exceptions of the data directory that was
 * named; without `--data` nothing has happened yet.
 */
export async function circumstances(
  terminal: Terminal,
  options: CallOptions,
  loaded: Policy,
  request: Request,
): Promise<{ readonly policy: Policy; readonly facts: FactValues }> {
  if (options.data === undefined) return { policy: loaded, facts: new Map() };
  using data = readData(dataDirectory(terminal, options));
  const standing = { version: 0, entries: await exceptionEntries(data) };
  const among = { standing, signers: loaded.configuration, log: data.log };
  const { policy } = exceptedAt(loaded, among, request.now);
  return { policy, facts: data.values(needs(policy, request), request.now) };
}

/** The decision on every call when the policy does not load. */
export function withoutPolicy(issues: readonly Issue[], file: string): Decision {
  const explanation = `no policy is in force: ${firstError(issues, file)}`;
  return { effect: 'deny', code: 'policy-invalid', rules: [], explanation, retryable: false };
}

/** What `--json` tells of a decision. */
export function toldDecision({ effect, code, rules, explanation, retryable, nearest }: Decision): JsonObject {
  return { effect, code, rules, explanation, retryable, ...(nearest === undefined ? {} : { nearest: { ...nearest } }) };
}

/** What was decided, by which rules and why, for people. */
export function showDecision(terminal: Terminal, { effect, code, rules, explanation, nearest }: Decision): void {
  const { colour } = terminal;
  const paint = { allow: colour.green, ask: colour.yellow, deny: colour.red }[effect];
  const by = rules.length === 0 ? '' : ` by ${rules.map(inert).join(', ')}`;
  writeLine(terminal.output, `${paint(effect)} (${code})${by}\n  ${inert(explanation)}`);
  if (nearest !== undefined) writeLine(terminal.output, `  ${inert(nearest.text)}`);
}

interface ProposedCall {
  readonly tool: string;
  readonly args: JsonObject;
  readonly principal: string;
  readonly now?: number;
}

async function readCall(terminal: Terminal, file: string): Promise<ProposedCall> {
  const bytes = await readNamed(terminal, file, JSON_LIMITS.bytesMax);
  const shown = file === '-' ? '<stdin>' : file;
  const parsed = parseJson(bytes);
  if (parsed.ok) return checkCall(parsed.value);
  showIssues(terminal, parsed.issues, shown, fromUtf8(bytes));
  throw new CliError('unreadable', `\`${shown}\` is not JSON that can be decided on`);
}

function checkCall(value: JsonValue): ProposedCall {
  if (!isJsonObject(value)) throw wrong('expected the call to be an object');
  for (const name of Object.keys(value)) if (!MEMBERS.has(name)) throw wrong(`a call has no member \`${name}\``);
  const { tool, args = {}, principal = LOCAL, now } = value;
  if (typeof tool !== 'string' || tool === '') throw wrong('expected `tool` to be the policy name of a tool');
  if (!isJsonObject(args)) throw wrong('expected `args` to be an object');
  if (typeof principal !== 'string') throw wrong('expected `principal` to be text');
  const instant = typeof now === 'string' ? parseInstant(now) : undefined;
  if (now !== undefined && instant === undefined) throw wrong('expected `now` to be an RFC 3339 time');
  return { tool, args, principal, ...(instant === undefined ? {} : { now: instant }) };
}

function wrong(message: string): CliError {
  const hint = 'a call is {"tool": "server.tool", "args": {…}, "principal"?: …, "now"?: …}';
  return new CliError('usage', message, { hint });
}
