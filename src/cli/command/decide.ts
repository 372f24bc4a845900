/** `interlock decide`: one decision by the policy, with nothing recorded and nothing done. */

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { decide } from '../../policy/decide.ts';
import type { Decision, Request } from '../../policy/decision.ts';
import { fromUtf8 } from '../../value/encoding.ts';
import { type Issue, renderIssue } from '../../value/issue.ts';
import { type JsonObject, type JsonValue, isJsonObject, parseJson } from '../../value/json.ts';
import { JSON_LIMITS } from '../../value/limits.ts';
import { parseInstant } from '../../value/time.ts';
import { systemWorld } from '../../world/system.ts';
import { type CommonOptions, firstError, loadConfiguration, showIssues } from '../configuration.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { typePolicy } from '../schemas.ts';
import { type Terminal, inert, readAll, writeLine } from '../terminal.ts';

export interface DecideOptions extends CommonOptions {
  /** A file, or `-` for standard input. */
  readonly call: string;
  readonly offline: boolean;
}

interface ProposedCall {
  readonly tool: string;
  readonly args: JsonObject;
  readonly principal: string | undefined;
  readonly now: number | undefined;
}

const MEMBERS: ReadonlySet<string> = new Set(['tool', 'args', 'principal', 'now']);
const EXIT_OF = { allow: EXIT.ok, deny: EXIT.deny, ask: EXIT.ask } as const;

export async function decideCommand(terminal: Terminal, options: DecideOptions): Promise<ExitCode> {
  const call = await readCall(terminal, options.call);
  const loaded = await loadConfiguration(terminal, options);
  const { configuration } = loaded;
  const typed = configuration === undefined ? undefined : await typePolicy(terminal, { ...loaded, configuration }, options);
  const issues = [...loaded.issues, ...(typed?.issues ?? [])];
  if (typed?.policy === undefined) return answerInvalid(terminal, options, issues, loaded.source);
  const request: Request = {
    ...{ tool: call.tool, args: call.args, principal: call.principal ?? typed.policy.configuration.principal },
    ...{ call: { id: '', attempt: 1, key: '' }, run: { id: '', depth: 0 } },
    now: call.now ?? systemWorld.now(),
  };
  const decision = decide(typed.policy, request);
  answer(terminal, options, decision, issues);
  return EXIT_OF[decision.effect];
}

function answerInvalid(terminal: Terminal, options: DecideOptions, issues: readonly Issue[], source: string): ExitCode {
  const explanation = `no policy is in force: ${firstError(issues)}`;
  if (!options.json) showIssues(terminal, issues, source);
  answer(terminal, options, { effect: 'deny', code: 'policy-invalid', rules: [], explanation, retryable: false }, issues);
  return EXIT.usage;
}

function answer(terminal: Terminal, options: DecideOptions, decision: Decision, issues: readonly Issue[]): void {
  const { effect, code, rules, explanation, retryable } = decision;
  if (options.json) {
    const told = { effect, code, rules, explanation, retryable, ...(issues.length === 0 ? {} : { issues }) };
    writeLine(terminal.output, JSON.stringify(told));
    return;
  }
  const { colour } = terminal;
  const paint = { allow: colour.green, ask: colour.yellow, deny: colour.red }[effect];
  const by = rules.length === 0 ? '' : ` by ${rules.map(inert).join(', ')}`;
  writeLine(terminal.output, `${paint(effect)} (${code})${by}\n  ${inert(explanation)}`);
}

async function readCall(terminal: Terminal, file: string): Promise<ProposedCall> {
  const bytes = await readInput(terminal, file);
  if (bytes === undefined) throw new CliError('unreadable', `the call is larger than ${JSON_LIMITS.bytesMax} bytes`);
  const shown = file === '-' ? '<stdin>' : file;
  const parsed = parseJson(bytes);
  if (!parsed.ok) {
    for (const issue of parsed.issues) writeLine(terminal.errors, renderIssue({ ...issue, file: shown }, fromUtf8(bytes)));
    throw new CliError('unreadable', `\`${shown}\` is not JSON that can be decided on`);
  }
  return checkCall(parsed.value);
}

function checkCall(value: JsonValue): ProposedCall {
  const wrong = (message: string): CliError =>
    new CliError('usage', message, { hint: 'a call is {"tool": "server.tool", "args": {…}, "principal"?: …, "now"?: …}' });
  if (!isJsonObject(value)) throw wrong('expected the call to be an object');
  const call = new Map(Object.entries(value));
  for (const name of call.keys()) if (!MEMBERS.has(name)) throw wrong(`a call has no member \`${inert(name)}\``);
  const tool = call.get('tool');
  const args = call.get('args') ?? {};
  const principal = call.get('principal');
  const now = call.get('now');
  if (typeof tool !== 'string' || tool === '') throw wrong('expected `tool` to be the policy name of a tool');
  if (!isJsonObject(args)) throw wrong('expected `args` to be an object');
  if (principal !== undefined && typeof principal !== 'string') throw wrong('expected `principal` to be text');
  const instant = typeof now === 'string' ? parseInstant(now) : undefined;
  if (now !== undefined && instant === undefined) throw wrong('expected `now` to be an RFC 3339 time');
  return { tool, args, principal, now: instant };
}

async function readInput(terminal: Terminal, file: string): Promise<Uint8Array | undefined> {
  if (file === '-') return readAll(terminal.input, JSON_LIMITS.bytesMax);
  try {
    return await readFile(path.resolve(terminal.directory, file));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'error';
    throw new CliError('unreadable', `\`${file}\` cannot be read (${code})`, { cause: error });
  }
}
