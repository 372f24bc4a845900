/** `interlock decide`: one decision by the policy, with nothing recorded and nothing done. */

import { decide } from '../../policy/decide.ts';
import type { Decision, Request } from '../../policy/decision.ts';
import { fromUtf8 } from '../../value/encoding.ts';
import type { Issue } from '../../value/issue.ts';
import { type JsonObject, type JsonValue, isJsonObject, parseJson } from '../../value/json.ts';
import { JSON_LIMITS } from '../../value/limits.ts';
import { parseInstant } from '../../value/time.ts';
import { systemWorld } from '../../world/system.ts';
import { type CommonOptions, loadConfiguration } from '../configuration.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { readNamed } from '../file.ts';
import { firstError, showIssues, toldIssues } from '../issues.ts';
import { typePolicy } from '../schemas.ts';
import { type Terminal, inert, inertJson, writeLine } from '../terminal.ts';

export interface DecideOptions extends CommonOptions {
  /** A file, or `-` for standard input. */
  readonly call: string;
  readonly offline: boolean;
}

interface ProposedCall {
  readonly tool: string;
  readonly args: JsonObject;
  readonly principal: string;
  readonly now: number | undefined;
}

const MEMBERS: ReadonlySet<string> = new Set(['tool', 'args', 'principal', 'now']);
const LOCAL = 'local';
const EXIT_OF = { allow: EXIT.ok, deny: EXIT.deny, ask: EXIT.ask } as const;

export async function decideCommand(terminal: Terminal, options: DecideOptions): Promise<ExitCode> {
  const call = await readCall(terminal, options.call);
  const loaded = await loadConfiguration(terminal, options);
  const { policy, issues } = await typePolicy(terminal, loaded, options);
  const tell = (decision: Decision): void => {
    const { effect, code, rules, explanation, retryable } = decision;
    if (options.json) {
      const told = { effect, code, rules, explanation, retryable };
      const found = issues.length === 0 ? {} : { issues: toldIssues(issues, loaded.shown) };
      writeLine(terminal.output, inertJson({ ...told, ...found }));
    } else show(terminal, decision);
  };
  if (policy === undefined) {
    if (!options.json) showIssues(terminal, issues, loaded.shown, loaded.source);
    tell(invalid(issues, loaded.shown));
    return EXIT.usage;
  }
  const { tool, args, principal } = call;
  const now = call.now ?? systemWorld.now();
  const request: Request = {
    tool,
    args,
    principal,
    now,
    call: { id: '', attempt: 1, key: '' },
    run: { id: '', depth: 0 },
  };
  const decision = decide(policy, request);
  tell(decision);
  return EXIT_OF[decision.effect];
}

function invalid(issues: readonly Issue[], file: string): Decision {
  const explanation = `no policy is in force: ${firstError(issues, file)}`;
  return { effect: 'deny', code: 'policy-invalid', rules: [], explanation, retryable: false };
}

function show(terminal: Terminal, { effect, code, rules, explanation }: Decision): void {
  const { colour } = terminal;
  const paint = { allow: colour.green, ask: colour.yellow, deny: colour.red }[effect];
  const by = rules.length === 0 ? '' : ` by ${rules.map(inert).join(', ')}`;
  writeLine(terminal.output, `${paint(effect)} (${code})${by}\n  ${inert(explanation)}`);
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
  return { tool, args, principal, now: instant };
}

function wrong(message: string): CliError {
  const hint = 'a call is {"tool": "server.tool", "args": {…}, "principal"?: …, "now"?: …}';
  return new CliError('usage', message, { hint });
}
