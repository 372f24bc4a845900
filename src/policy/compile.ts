/** A configuration and the tools it speaks of, checked against each other and made ready to decide. */

import type { Compiled, Expression } from '../expression/compile.ts';
import { typeText } from '../expression/type.ts';
import type { Issue } from '../value/issue.ts';
import { budgetsIn } from './meter/budget-reading.ts';
import type { Budget } from './meter/budget.ts';
import type { Purpose } from './condition/condition.ts';
import type { Configuration } from './document/configuration.ts';
import { isAmountType } from './meter/cost.ts';
import type { Charge } from './meter/cost.ts';
import type { Declared } from './document/declaration.ts';
import type { ToolEffect } from './decide/decision.ts';
import type { Problem } from './condition/fault-log.ts';
import { checkMatches } from './check-matches.ts';
import { compileSubjectCheck } from './compile-subject-check.ts';
import { issueList } from '../document/issue-list.ts';
import { lint } from './lint.ts';
import { keyArgumentFault, withoutKeyArgument } from './tool/downstream-key.ts';
import { isSecretExpression, secretsDeclared } from './tool/secret.ts';
import { mergeDeclarations } from './document/merge.ts';
import { undeclaredEffect } from './tool/model.ts';
import { OWN_KEY, OWN_SERVER } from './tool/own-definition.ts';
import { PROGRAM_TOOLS } from './tool/own-programs.ts';
import { ALWAYS, ownRules } from './tool/own.ts';
import { serverOf } from './tool/pattern.ts';
import type { Policy, PolicyTool, RuleTable, TypedCharge, TypedProbe, TypedRule } from './policy.ts';
import type { LocatedPattern } from './document/rule.ts';
import { schemaFault } from '../schema/schema.ts';
import type { Pins } from './pin/pin.ts';
import { gather } from './tool/served.ts';
import type { Located } from '../document/source.ts';
import type { ToolDefinition } from './tool/tool.ts';
import { toolValue } from './condition/vocabulary.ts';
import { type Work, workOn } from './work.ts';

export type { Policy } from './policy.ts';

/**
 * The policy, with every problem found. `tools` are the definitions known so far, by policy name; `complete` names the
 * servers whose lists those are: only there, and where the lock of `pins` holds a whole server, is a pattern that matches
 * nothing an error. A tool that is pinned is typed and judged by its pin, whatever its server says now.
 *
 * No policy comes out when a problem is there whatever the tools are: an expression that no tool could satisfy, a
 * server that is not configured. A problem of some tools makes those `invalid`: each of their calls is denied
 * `policy-invalid`, and the others go on. Where a `deny`, an `ask` or an entry of `tools:` matches nothing, that is
 * every tool it may have meant: all of the server's.
 */
export function compilePolicy(
  configuration: Configuration,
  tools: ReadonlyMap<string, ToolDefinition>,
  options: { readonly complete?: ReadonlySet<string>; readonly pins?: Pins } = {},
): { readonly policy: Policy | undefined; readonly issues: readonly Issue[] } {
  const { complete = new Set(), pins = {} } = options;
  const served = gather(configuration, tools, complete, pins);
  const work = workOn(configuration, served);
  const sound = checkExpressions(work) && checkMatches(work);
  if (!sound) return { policy: undefined, issues: issueList([...work.issues, ...work.faults.issues()]) };
  const compiled = new Map([...served.tools.values()].map((tool) => [tool.name, compileTool(work, tool)]));
  for (const own of ALWAYS) compiled.set(own.name, compileOwn(work, own, 'read'));
  for (const { definition, effect } of PROGRAM_TOOLS) {
    compiled.set(definition.name, compileOwn(work, definition, effect));
  }
  const lock = pins.lock === undefined ? {} : { lock: pins.lock.digest };
  const policy = Object.freeze({
    digest: configuration.digest,
    ...lock,
    configuration,
    catalog: served.catalog,
    tools: compiled,
  });
  return { policy, issues: issueList([...work.issues, ...work.faults.issues(), ...lint(policy)]) };
}

/** Every expression of the file, with what it is for. */
function* expressionsOf(configuration: Configuration): Generator<[what: string, text: Located, purpose: Purpose]> {
  for (const { id, when } of configuration.rules) if (when !== undefined) yield [`\`when\` of ${id}`, when, 'bool'];
  for (const { pattern, declared } of configuration.tools) {
    yield* declaredExpressions(pattern.text, declared);
  }
}

function* declaredExpressions(name: string, declared: Declared): Generator<[string, Located, Purpose]> {
  const { key, subject, personal = [], secrets, cost = [], actualCost = [], probe } = declared;
  if (key !== undefined) yield [`\`key\` of \`${name}\``, key, 'any'];
  if (subject !== undefined) yield [`\`subject\` of \`${name}\``, subject, 'any'];
  for (const text of personal) yield [`\`personal\` of \`${name}\``, text, 'any'];
  for (const text of secrets?.expressions ?? []) yield [`\`secrets\` of \`${name}\``, text, 'outcome'];
  for (const { amount } of cost) yield [`\`cost\` of \`${name}\``, amount, 'any'];
  for (const { amount } of actualCost) yield [`\`actualCost\` of \`${name}\``, amount, 'outcome'];
  if (probe === undefined) return;
  for (const argument of probe.args) yield [`\`probe\` of \`${name}\``, argument.value, 'any'];
  yield [`\`probe\` of \`${name}\``, probe.executed, 'probe'];
}

/** Whether every expression is one that some tool could satisfy. */
function checkExpressions({ configuration, types, faults }: Work): boolean {
  let sound = true;
  for (const [what, text, purpose] of expressionsOf(configuration)) {
    for (const issue of types.faults(text.text, purpose)) {
      faults.add(what, text, issue);
      sound = false;
    }
  }
  return sound;
}

function compileTool(work: Work, served: ToolDefinition): PolicyTool {
  const { configuration, types, doubtful, issues } = work;
  const merged = mergeDeclarations(served.name, work.declarations.find(served.name), configuration.file);
  const { downstreamKey } = merged.declared;
  const tool = downstreamKey?.in === 'arg' ? withoutKey(served, downstreamKey.name.text) : served;
  const reasons: string[] = [];
  const doubt = doubtful.get(tool.server);
  if (doubt !== undefined) reasons.push(doubt);
  for (const issue of merged.issues) {
    issues.push(issue);
    reasons.push(issue.message);
  }
  const { effect = undeclaredEffect(tool), labels = [], guard, failed, effectTimeout } = merged.declared;
  const { name, server } = tool;
  const rules = compileRules(work, tool, reasons);
  const expressions = compileDeclared(work, tool, merged.declared, reasons);
  checkReserved(work, tool, merged.declared, reasons);
  checkKeyArgument(work, served, downstreamKey, reasons);
  const probe = compileProbe(work, tool, merged.declared, reasons);
  const subjectCheck = compileSubjectCheck(work, tool, merged.declared, reasons);
  const unusable = schemaFault(tool.inputSchema);
  if (unusable !== undefined) issues.push(schemaIssue(work, tool, unusable));
  return Object.freeze({
    name,
    server,
    definition: tool,
    pin: work.served.pins.get(name) ?? {},
    effect,
    labels,
    rules,
    ...expressions,
    ...(guard === undefined ? {} : { guard }),
    ...(downstreamKey === undefined ? {} : { downstreamKey: { in: downstreamKey.in, name: downstreamKey.name.text } }),
    ...ownKey(tool, effect),
    ...(probe === undefined ? {} : { probe }),
    ...(subjectCheck === undefined ? {} : { subjectCheck }),
    failedHasNoEffect: failed === 'no-effect',
    ...(effectTimeout === undefined ? {} : { effectTimeoutMs: effectTimeout }),
    limits: work.limits.find(name),
    budgetsRead: budgetsReadBy(rules, configuration.budgets),
    argsType: types.argsType(tool),
    outputType: types.outputType(tool),
    value: toolValue({ name, server, effect, labels }),
    ...(reasons[0] === undefined ? {} : { invalid: reasons[0] }),
  });
}

/** What the file declares speaks of the tools of servers; its rules and limits of these as well. */
function compileOwn(work: Work, tool: ToolDefinition, effect: ToolEffect): PolicyTool {
  const { types, limits } = work;
  const { name, server } = tool;
  const reasons: string[] = [];
  const written = compileRules(work, tool, reasons);
  const isAlways = ALWAYS.includes(tool);
  const rules = isAlways ? { ...ownRules(tool, work.configuration.rules.length), deny: written.deny } : written;
  return Object.freeze({
    name,
    server,
    definition: tool,
    effect,
    labels: [],
    pin: {},
    rules,
    cost: [],
    actualCost: [],
    personal: [],
    secrets: [],
    secretOutputs: [],
    neverStores: false,
    failedHasNoEffect: false,
    ...ownKey(tool, effect),
    limits: limits.find(name),
    budgetsRead: budgetsReadBy(rules, work.configuration.budgets),
    argsType: types.argsType(tool),
    outputType: types.outputType(tool),
    value: toolValue({ name, server, effect, labels: [] }),
    ...(reasons[0] === undefined ? {} : { invalid: reasons[0] }),
  });
}

/** What is done by Interlock itself is known again: a call that is made once more does it once. */
function ownKey({ server }: ToolDefinition, effect: ToolEffect): Pick<PolicyTool, 'downstreamKey'> {
  return server === OWN_SERVER && effect !== 'read' ? { downstreamKey: { in: 'meta', name: OWN_KEY } } : {};
}

function compileRules(work: Work, tool: ToolDefinition, reasons: string[]): RuleTable {
  const table = { allow: [] as TypedRule[], ask: [] as TypedRule[], deny: [] as TypedRule[] };
  // A rule that leaves the server open is written for the tools of servers: what our own take does not make it wrong.
  const untyped = { ...tool, inputSchema: { type: 'object' } };
  for (const [order, rule] of work.rules.find(tool.name)) {
    const isOpen = tool.server === OWN_SERVER && serverOf(rule.pattern) === undefined;
    if (rule.when === undefined) {
      table[rule.effect].push({ rule, order });
      continue;
    }
    const result = work.types.type(rule.when.text, 'bool', isOpen ? untyped : tool);
    const what = `\`when\` of ${rule.id}`;
    const condition = noteProblems(work, result, what, rule.when, { tool, pattern: rule.pattern, reasons });
    if (condition !== undefined) table[rule.effect].push({ rule, order, condition });
    // A missing argument makes an `allow` not match, which may surprise; a `deny` or `ask` then matches, which is safe.
    if (result.ok && rule.effect === 'allow') {
      for (const warning of result.warnings) work.faults.add(what, rule.when, warning, toolShown(tool, rule.pattern));
    }
  }
  return table;
}

function compileDeclared(
  work: Work,
  tool: ToolDefinition,
  declared: Declared,
  reasons: string[],
): Pick<PolicyTool, 'key' | 'subject' | 'personal' | 'cost' | 'actualCost' | SecretKeys> {
  const expressionOf = (text: Located, what: string, purpose: Purpose = 'any'): Expression | undefined => {
    const on = { tool, pattern: undefined, reasons };
    const result = work.types.type(text.text, purpose, tool);
    const typed =
      what === '`cost`' || what === '`actualCost`'
        ? amountOnly(result)
        : what === '`secrets`'
          ? secretOnly(result)
          : result;
    return noteProblems(work, typed, `${what} of \`${tool.name}\``, text, on);
  };
  const charging = (charges: readonly Charge[], what: string, purpose: Purpose): readonly TypedCharge[] =>
    charges.flatMap(({ budget: { text }, amount }): readonly TypedCharge[] => {
      const budget = work.configuration.budgets.get(text);
      const expression = expressionOf(amount, what, purpose);
      return budget === undefined || expression === undefined ? [] : [{ budget, amount: expression }];
    });
  const key = declared.key === undefined ? undefined : expressionOf(declared.key, '`key`');
  const subject = declared.subject === undefined ? undefined : expressionOf(declared.subject, '`subject`');
  const personal = (declared.personal ?? []).map((text) => expressionOf(text, '`personal`'));
  const secrets = (declared.secrets?.expressions ?? []).map((text) => expressionOf(text, '`secrets`', 'outcome'));
  return {
    ...(key === undefined ? {} : { key }),
    ...(subject === undefined ? {} : { subject }),
    personal: personal.filter((expression) => expression !== undefined),
    ...secretsDeclared(secrets.filter((expression) => expression !== undefined)),
    neverStores: declared.secrets?.neverStored === true,
    cost: charging(declared.cost ?? [], '`cost`', 'any'),
    actualCost: charging(declared.actualCost ?? [], '`actualCost`', 'outcome'),
  };
}

type Typed = Compiled | { readonly ok: false; readonly issues: readonly Problem[] };

type SecretKeys = 'secrets' | 'secretOutputs' | 'neverStores';

/** An expression that is known before the call, or a plain path into what it answers. */
function secretOnly(result: Compiled): Typed {
  if (!result.ok || isSecretExpression(result.expression)) return result;
  const message = 'expected an expression over `args`, or a plain path such as `output.token`';
  return { ok: false, issues: [{ code: 'not-a-secret', severity: 'error', message, offset: 0 }] };
}

/** An expression of an amount, or why it can never be one. */
function amountOnly(result: Compiled): Typed {
  if (!result.ok || isAmountType(result.expression.type)) return result;
  const message = `expected a whole number, got ${typeText(result.expression.type)}`;
  return { ok: false, issues: [{ code: 'not-an-amount', severity: 'error', message, offset: 0 }] };
}

/**
 * What is settled must have been reserved before: a budget that is charged only afterwards would let every call
 * through that comes before the first outcome.
 */
function checkReserved(work: Work, tool: ToolDefinition, declared: Declared, reasons: string[]): void {
  const reserved = new Set(declared.cost?.map(({ budget }) => budget.text));
  for (const { budget } of declared.actualCost ?? []) {
    if (reserved.has(budget.text)) continue;
    const message = `charges \`${budget.text}\`, which no \`cost\` reserves`;
    const hint = `write under \`cost\` the most that a call can take of \`${budget.text}\``;
    const problem = { code: 'cost-not-reserved', severity: 'error', message, hint, offset: 0 } as const;
    work.faults.add('`actualCost`', budget, problem, tool.name);
    reasons.push(`its \`actualCost\` ${message}`);
  }
}

function withoutKey(tool: ToolDefinition, name: string): ToolDefinition {
  return Object.freeze({ ...tool, inputSchema: withoutKeyArgument(tool.inputSchema, name) });
}

/** A key that the tool does not take would protect nothing. */
function checkKeyArgument(work: Work, tool: ToolDefinition, key: Declared['downstreamKey'], reasons: string[]): void {
  const fault = key?.in === 'arg' ? keyArgumentFault(tool.inputSchema, key.name.text) : undefined;
  if (key === undefined || fault === undefined) return;
  const hint = 'name an argument of the tool that takes an idempotency key';
  const problem = { code: 'downstream-key-unknown', severity: 'error', message: fault, hint, offset: 0 } as const;
  work.faults.add('`downstreamKey`', key.name, problem, tool.name);
  reasons.push(`it ${fault}`);
}

/** The probe, typed over the output of the tool that it asks; none while that tool is not listed yet. */
function compileProbe(
  work: Work,
  tool: ToolDefinition,
  { probe, effectTimeout }: Declared,
  reasons: string[],
): TypedProbe | undefined {
  if (probe === undefined) return undefined;
  const { served, declarations, configuration, types, faults } = work;
  const what = `\`probe\` of \`${tool.name}\``;
  const problem = (severity: 'error' | 'warning', code: string, message: string, hint: string): undefined => {
    faults.add('`probe`', probe.tool, { code, severity, message, hint, offset: 0 }, tool.name);
    if (severity === 'error') reasons.push(`its \`probe\` ${message}`);
  };
  const name = probe.tool.text;
  const { effect } = mergeDeclarations(name, declarations.find(name), configuration.file).declared;
  if (effect !== 'read') {
    return problem('error', 'probe-not-read', `asks \`${name}\`, which is not declared \`effect: read\``, 'declare it');
  }
  const asked = served.tools.get(name);
  if (asked === undefined) {
    const isAwaited = served.servers.has(name.split('.')[0] ?? '') && !served.complete.has(name.split('.')[0] ?? '');
    return isAwaited
      ? undefined
      : problem('error', 'probe-unknown', `asks \`${name}\`, which nobody serves`, 'name a tool');
  }
  if (effectTimeout === undefined) {
    const hint = 'write `effectTimeout`: how long after an unknown outcome the tool may still be at work';
    problem('warning', 'probe-settles-executed-only', 'can only find that a call was executed', hint);
  }
  const on = { tool, pattern: undefined, reasons };
  const args = probe.args.map(({ name: { text }, value }) => {
    const expression = noteProblems(work, types.type(value.text, 'any', tool), what, value, on);
    return expression === undefined ? undefined : ([text, expression] as const);
  });
  const { outputSchema: _, ...own } = tool;
  const seen = asked.outputSchema === undefined ? own : { ...own, outputSchema: asked.outputSchema };
  const executed = noteProblems(work, types.type(probe.executed.text, 'probe', seen), what, probe.executed, on);
  if (executed === undefined || !args.every((argument) => argument !== undefined)) return undefined;
  return { tool: name, args, executed, outputType: types.outputType(seen) };
}

function budgetsReadBy({ allow, ask, deny }: RuleTable, budgets: ReadonlyMap<string, Budget>): readonly Budget[] {
  if (budgets.size === 0) return [];
  const sources = new Set([...allow, ...ask, ...deny].map(({ condition }) => condition?.source ?? ''));
  const read = new Set([...sources].flatMap((source) => budgetsIn(source, budgets)));
  return [...read];
}

/** The expression; or nothing, its problems noted and the tool's reasons to be invalid grown. */
function noteProblems(
  work: Work,
  result: Typed,
  what: string,
  text: Located,
  on: { readonly tool: ToolDefinition; readonly pattern: LocatedPattern | undefined; readonly reasons: string[] },
): Expression | undefined {
  if (result.ok) return result.expression;
  const first = result.issues[0];
  for (const issue of result.issues) work.faults.add(what, text, issue, toolShown(on.tool, on.pattern));
  on.reasons.push(`${what} does not fit it: ${first?.message ?? 'it does not type'}`);
  return undefined;
}

/** A tool is named only where the pattern does not name it already. */
function toolShown(tool: ToolDefinition, pattern: LocatedPattern | undefined): string | undefined {
  return pattern !== undefined && pattern.runs.length > 1 ? tool.name : undefined;
}

function schemaIssue({ configuration, declarations }: Work, tool: ToolDefinition, message: string): Issue {
  const place = declarations.find(tool.name)[0]?.pattern.place ?? { line: 1, column: 1 };
  const text = `the schema of \`${tool.name}\` is unusable, so every call of it is denied: ${message}`;
  const { line, column } = place;
  return { code: 'schema-unusable', severity: 'warning', message: text, file: configuration.file, line, column };
}
