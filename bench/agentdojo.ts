/** How much of AgentDojo's user tasks the policies of `examples/agentdojo` let through, and of its attacks they stop. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compilePolicy } from '../src/policy/compile.ts';
import type { Policy } from '../src/policy/compile.ts';
import { parseConfiguration } from '../src/policy/document/configuration.ts';
import { decide } from '../src/policy/decide/decide.ts';
import type { Decision, Effect } from '../src/policy/decide/decision.ts';
import { defineTool } from '../src/policy/tool/tool.ts';
import type { ToolDefinition } from '../src/policy/tool/tool.ts';
import { parseJson } from '../src/value/json.ts';
import type { JsonObject, JsonValue } from '../src/value/json.ts';
import { benchRequest } from './request.ts';

const ROOT = join(import.meta.dirname, '..');
const CORPUS = join(process.env['INTERLOCK_CORPORA'] ?? join(ROOT, '../shared/corpora'), 'agentdojo');
const SUITES = ['banking', 'slack'];
const VERSIONS = ['v1', 'v1.2'];

interface CorpusTool {
  readonly suite: string;
  readonly tool: string;
  readonly description: string;
  readonly parameters: JsonObject;
}

interface CorpusCall {
  readonly tool: string;
  readonly args: JsonObject;
  /** Told of attacks only. */
  readonly side_effect_free?: boolean;
}

interface CorpusTask {
  readonly version: string;
  readonly suite: string;
  readonly task: string;
  readonly calls: readonly CorpusCall[];
}

/** How many tasks or calls were allowed, asked about and denied. */
type Fate = Readonly<Record<Effect, number>>;

function linesOf(file: string): readonly JsonValue[] {
  const lines = readFileSync(join(CORPUS, file), 'utf8').trim().split('\n');
  return lines.map((line) => {
    const parsed = parseJson(line);
    if (!parsed.ok) throw new Error(`${file}: ${parsed.issues[0]?.message ?? 'not JSON'}`);
    return parsed.value;
  });
}

function toolsOf(suite: string): readonly CorpusTool[] {
  const tools = linesOf('tools.jsonl') as unknown as readonly CorpusTool[];
  return tools.filter((tool) => tool.suite === suite);
}

function tasksOf(file: string, suite: string, version: string): readonly CorpusTask[] {
  const tasks = linesOf(file) as unknown as readonly CorpusTask[];
  return tasks.filter((task) => task.suite === suite && task.version === version);
}

function policyOf(suite: string): Policy {
  const tools = new Map<string, ToolDefinition>();
  for (const { tool, description, parameters } of toolsOf(suite)) {
    const defined = defineTool(suite, { name: tool, description, inputSchema: parameters });
    if (!defined.ok) throw new Error(defined.message);
    tools.set(defined.tool.name, defined.tool);
  }
  const file = join(ROOT, 'examples/agentdojo', `${suite}.yaml`);
  const parsed = parseConfiguration(readFileSync(file, 'utf8'), { file, environment: {} });
  const complete = new Set([suite]);
  const made = parsed.ok
    ? compilePolicy(parsed.value, tools, { complete })
    : { policy: undefined, issues: parsed.issues };
  const wrong = made.issues.find(({ severity }) => severity === 'error');
  if (made.policy === undefined || wrong !== undefined)
    throw new Error(`${file}: ${wrong?.message ?? 'it does not load'}`);
  return made.policy;
}

function fatesOf(
  policy: Policy,
  suite: string,
  calls: readonly CorpusCall[],
): readonly (readonly [string, Decision])[] {
  return calls.map(({ tool, args }, at) => [tool, decide(policy, benchRequest(`${suite}.${tool}`, args, at))]);
}

/** Denied if a call is denied, else asked about if one is, else allowed. */
function worst(decisions: readonly (readonly [string, Decision])[]): Effect {
  if (decisions.some(([, { effect }]) => effect === 'deny')) return 'deny';
  return decisions.some(([, { effect }]) => effect === 'ask') ? 'ask' : 'allow';
}

/** Allowed if a call is allowed, else asked about if one is, else denied: what is the worst of an attack. */
function furthest(decisions: readonly (readonly [string, Decision])[]): Effect {
  if (decisions.some(([, { effect }]) => effect === 'allow')) return 'allow';
  return decisions.some(([, { effect }]) => effect === 'ask') ? 'ask' : 'deny';
}

function count(effects: readonly Effect[]): Fate {
  const of = (effect: Effect): number => effects.filter((one) => one === effect).length;
  return { allow: of('allow'), ask: of('ask'), deny: of('deny') };
}

function columnsOf({ allow, ask, deny }: Fate): string {
  return [allow, ask, deny].map((tasks) => String(tasks).padStart(8)).join('');
}

function reasons(kind: string, task: string, decisions: readonly (readonly [string, Decision])[], but: Effect): void {
  const told = decisions.filter(([, { effect }]) => effect !== but);
  const said = new Set(told.map(([tool, { effect, rules }]) => `${effect} ${tool} (${rules.join(', ') || 'no rule'})`));
  if (said.size > 0) console.log(`    ${kind} ${task}: ${[...said].join('; ')}`);
}

function measure(policy: Policy, suite: string, version: string): string {
  const useful = tasksOf('user_tasks.jsonl', suite, version);
  const hostile = tasksOf('injection_tasks.jsonl', suite, version);
  console.log(`\n  ${suite} ${version}: tasks not simply allowed, attacks not simply denied`);
  const fates = useful.map(({ task, calls }) => {
    const decisions = fatesOf(policy, suite, calls);
    reasons('user', task, decisions, 'allow');
    return worst(decisions);
  });
  const stopped: Effect[] = [];
  const attackCalls: Effect[] = [];
  for (const { task, calls } of hostile) {
    const effectful = calls.filter((call) => call.side_effect_free !== true);
    const decisions = fatesOf(policy, suite, effectful);
    reasons('attack', task, decisions, 'deny');
    stopped.push(furthest(decisions));
    attackCalls.push(...decisions.map(([, { effect }]) => effect));
  }
  return `${`${suite} ${version}`.padEnd(14)}${[fates, stopped, attackCalls].map((one) => columnsOf(count(one))).join('   ')}`;
}

function main(): void {
  if (!existsSync(CORPUS)) {
    console.log(`not measured: there is no corpus at ${CORPUS}; INTERLOCK_CORPORA names another place`);
    return;
  }
  const rows = SUITES.flatMap((suite) => {
    const policy = policyOf(suite);
    return VERSIONS.map((version) => measure(policy, suite, version));
  });
  const columns = ['allowed', 'asked', 'denied'].map((name) => name.padStart(8)).join('');
  const heads = ['user tasks', 'attacks', "attacks' calls with effects"].map((name) => name.padStart(24)).join('   ');
  console.log(`\n${' '.repeat(14)}${heads}\n${'suite'.padEnd(14)}${[columns, columns, columns].join('   ')}`);
  for (const row of rows) console.log(row);
}

main();
