/** The peers of `bench/decide.ts`, each deciding the same rules in the fast way that its own documentation shows. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { celText, PAY } from './decide-rules.ts';
import type { BenchCall, BenchRule, Payment, Term } from './decide-rules.ts';
import type { Contestant } from './race.ts';

const FOLDER = join(import.meta.dirname, 'node_modules');

/** Why the peers cannot be measured; nothing when they can. */
export function peersAbsent(): string | undefined {
  if (existsSync(FOLDER)) return undefined;
  return 'the peers are not installed, so nothing is compared with them: `npm ci --prefix bench` installs them';
}

type Make = (rules: readonly BenchRule[], calls: readonly BenchCall[]) => Promise<Contestant['allows']>;

const PEERS: readonly (readonly [name: string, make: Make])[] = [
  ['@microsoft/agent-governance-sdk', microsoft],
  ['@cedar-policy/cedar-wasm', cedar],
  ['casbin', casbin],
  ['@marcbachmann/cel-js', celJs],
  ['@bufbuild/cel', bufbuild],
];

/** Every peer that loads and takes the rules; of the others, why not. */
export async function openPeers(
  rules: readonly BenchRule[],
  calls: readonly BenchCall[],
): Promise<{ readonly peers: readonly Contestant[]; readonly refused: readonly string[] }> {
  const peers: Contestant[] = [];
  const refused: string[] = [];
  for (const [name, make] of PEERS) {
    try {
      const allows = await make(rules, calls);
      peers.push({ name: `${name} ${versionOf(name)}`, allows });
    } catch (cause) {
      refused.push(`${name}: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
  }
  return { peers, refused };
}

function versionOf(name: string): string {
  const read = JSON.parse(readFileSync(join(FOLDER, name, 'package.json'), 'utf8')) as { readonly version: string };
  return read.version;
}

/** The name is a variable, so that types and lint need no peer to be installed. */
async function load<T>(name: string): Promise<T> {
  const loaded: unknown = await import(name);
  return loaded as T;
}

/** Denies first, so that the first deny that matches ends it: a peer that stops early is not made to go on. */
function deniesFirst(rules: readonly BenchRule[]): BenchRule[] {
  return rules.toSorted((left, right) => Number(left.effect === 'allow') - Number(right.effect === 'allow'));
}

function quoted(text: string): string {
  return `'${text}'`;
}

interface Microsoft {
  readonly PolicyEngine: new (
    rules: undefined,
    strategy: string,
  ) => {
    loadPolicy(policy: object): void;
    evaluatePolicy(agent: string, context: object): { readonly allowed: boolean };
  };
}

/** One policy document under `deny_overrides`. There is no way to compile conditions: each is read anew as text. */
async function microsoft(rules: readonly BenchRule[], calls: readonly BenchCall[]): Promise<Contestant['allows']> {
  const { PolicyEngine } = await load<Microsoft>('@microsoft/agent-governance-sdk');
  const engine = new PolicyEngine(undefined, 'deny_overrides');
  engine.loadPolicy({
    name: 'bench',
    default_action: 'deny',
    rules: rules.map(({ effect, terms }, at) => ({
      name: `rule${at}`,
      ruleAction: effect,
      condition: [`tool == ${quoted(PAY)}`, ...terms.map(microsoftText)].join(' and '),
    })),
  });
  return (call) => engine.evaluatePolicy('agent', calls[call] ?? {}).allowed;
}

function microsoftText(term: Term): string {
  if (term.op === 'in') return `args.${term.argument} in [${term.values.map(quoted).join(', ')}]`;
  return `args.${term.argument} ${term.op} ${typeof term.value === 'string' ? quoted(term.value) : term.value}`;
}

interface Cedar {
  preparsePolicySet(id: string, policies: object): { readonly type: string; readonly errors?: unknown };
  statefulIsAuthorized(call: object): {
    readonly type: string;
    readonly response?: { readonly decision: string; readonly diagnostics: { readonly errors: readonly unknown[] } };
  };
}

/** A policy set parsed once and kept inside the WebAssembly module, asked by its id. */
async function cedar(rules: readonly BenchRule[], calls: readonly BenchCall[]): Promise<Contestant['allows']> {
  const engine = await load<Cedar>('@cedar-policy/cedar-wasm/nodejs');
  const policies = rules.map(({ effect, terms }) => {
    const head = `${effect === 'allow' ? 'permit' : 'forbid'}(principal, action == Action::"${PAY}", resource)`;
    return `${head} when { ${terms.map(cedarText).join(' && ')} };`;
  });
  const parsed = engine.preparsePolicySet('bench', { staticPolicies: policies.join('\n') });
  if (parsed.type !== 'success') throw new Error(`the policies do not parse: ${JSON.stringify(parsed.errors)}`);
  const requests = calls.map(({ tool, args }) => ({
    principal: { type: 'User', id: 'local' },
    action: { type: 'Action', id: tool },
    resource: { type: 'Tool', id: tool },
    context: args,
    preparsedPolicySetId: 'bench',
    entities: [],
  }));
  return (call) => {
    const { response } = engine.statefulIsAuthorized(requests[call] ?? {});
    if (response === undefined || response.diagnostics.errors.length > 0) throw new Error('a policy failed');
    return response.decision === 'allow';
  };
}

function cedarText(term: Term): string {
  if (term.op === 'in') return `${JSON.stringify(term.values)}.contains(context.${term.argument})`;
  return `context.${term.argument} ${term.op} ${JSON.stringify(term.value)}`;
}

interface Casbin {
  newModelFromString(text: string): object;
  newEnforcer(model: object): Promise<{
    addPolicies(rules: readonly (readonly string[])[]): Promise<boolean>;
    enforceSync(tool: string, args: Payment): boolean;
  }>;
}

const CASBIN_MODEL = `
[request_definition]
r = tool, args
[policy_definition]
p = tool, rule, eft
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = r.tool == p.tool && eval(p.rule)
`;

/** The documented model of attribute-based rules, one enforcer, asked synchronously; it keeps what it compiled. */
async function casbin(rules: readonly BenchRule[], calls: readonly BenchCall[]): Promise<Contestant['allows']> {
  const engine = await load<Casbin>('casbin');
  const enforcer = await engine.newEnforcer(engine.newModelFromString(CASBIN_MODEL));
  const lines = deniesFirst(rules).map(({ effect, terms }) => [PAY, terms.map(casbinText).join(' && '), effect]);
  if (!(await enforcer.addPolicies(lines))) throw new Error('the policies were not taken');
  const requests = calls.map(({ tool, args }) => [tool, args] as const);
  return (call) => {
    const [tool, args] = requests[call] ?? raise();
    return enforcer.enforceSync(tool, args);
  };
}

function casbinText(term: Term): string {
  const name = `r.args.${term.argument}`;
  if (term.op === 'in') return `(${term.values.map((value) => `${name} == ${quoted(value)}`).join(' || ')})`;
  return `${name} ${term.op} ${typeof term.value === 'string' ? quoted(term.value) : term.value}`;
}

type Condition = (bindings: { readonly args: Payment }) => unknown;

/** How both CEL libraries are used: each condition made ready once, kept by tool, denies before allows. */
function celRules(
  rules: readonly BenchRule[],
  calls: readonly BenchCall[],
  ready: (rule: BenchRule) => Condition,
): Contestant['allows'] {
  const denies = rules.filter(({ effect }) => effect === 'deny').map(ready);
  const allows = rules.filter(({ effect }) => effect === 'allow').map(ready);
  const byTool = new Map([[PAY, { denies, allows }]]);
  return (call) => {
    const { tool, args } = calls[call] ?? raise();
    const found = byTool.get(tool);
    if (found === undefined) return false;
    const bindings = { args };
    for (const condition of found.denies) if (condition(bindings) !== false) return false;
    for (const condition of found.allows) if (condition(bindings) === true) return true;
    return false;
  };
}

interface CelJs {
  readonly Environment: new () => CelJsEnvironment;
}

interface CelJsEnvironment {
  registerVariable(name: string, type: string): CelJsEnvironment;
  parse(text: string): Condition;
}

async function celJs(rules: readonly BenchRule[], calls: readonly BenchCall[]): Promise<Contestant['allows']> {
  const { Environment } = await load<CelJs>('@marcbachmann/cel-js');
  const environment = new Environment().registerVariable('args', 'map');
  return celRules(rules, calls, (rule) => environment.parse(celText(rule)));
}

interface Bufbuild {
  readonly CelScalar: { readonly STRING: object; readonly DYN: object };
  mapType(key: object, value: object): object;
  celEnv(options: object): object;
  parse(text: string): object;
  plan(environment: object, parsed: object): Condition;
}

/** Numbers are written as doubles: a JavaScript number is one there, and mixing the two costs it time. */
async function bufbuild(rules: readonly BenchRule[], calls: readonly BenchCall[]): Promise<Contestant['allows']> {
  const cel = await load<Bufbuild>('@bufbuild/cel');
  const variables = { args: cel.mapType(cel.CelScalar.STRING, cel.CelScalar.DYN) };
  const environment = cel.celEnv({ variables });
  return celRules(rules, calls, (rule) => cel.plan(environment, cel.parse(celText(rule, 'double'))));
}

export function raise(): never {
  throw new Error('there is no such call');
}
