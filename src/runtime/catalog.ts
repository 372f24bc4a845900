/** Programs over the tools of a policy: compiled with the programs that they call, and what all of them may use. */

import type { Policy } from '../policy/compile.ts';
import type { PolicyTool } from '../policy/policy.ts';
import { isModelTool } from '../policy/tool/model.ts';
import { ASK, isOwn } from '../policy/tool/own.ts';
import { couldAllow } from '../policy/tool/visible.ts';
import { type Catalog, modelToolName } from '../program/catalog.ts';
import { compileProgram } from '../program/compile.ts';
import { actionsOf } from '../program/graph.ts';
import type { Program } from '../program/program.ts';
import { unprovedOf } from '../program/prove/prove.ts';
import { type Issue, type Parsed, issueAt } from '../value/issue.ts';

/** The text of a program, and the name that its problems are told with. */
export interface ProgramSource {
  readonly file: string;
  readonly text: string;
}

/** The programs that others may call, by name. */
export type Programs = (name: string) => ProgramSource | undefined;

export interface Linked {
  readonly program: Program;
  /** By name, the programs that it calls, and those that these call. */
  readonly children: ReadonlyMap<string, Program>;
}

/** How deep programs may call each other. */
const PROGRAM_DEPTH_MAX = 8;
const START = { line: 1, column: 1 };

/** Programs as they were linked last, and the texts that they were made of. */
interface Remembered {
  readonly parsed: Parsed<Linked>;
  readonly texts: ReadonlyMap<string, string | undefined>;
}

const REMEMBERED_MAX = 256;
const memory = new WeakMap<Policy, Map<string, Remembered>>();

/** As `linkSource`, of a program that may have been linked before: nothing is read twice while its texts are the same. */
export function linkedSource(
  policy: Policy,
  principal: string,
  source: ProgramSource,
  programs: Programs,
): Parsed<Linked> {
  const known = memory.get(policy) ?? new Map<string, Remembered>();
  memory.set(policy, known);
  const key = JSON.stringify([principal, source.file, source.text]);
  const before = known.get(key);
  if (before !== undefined && [...before.texts].every(([name, text]) => programs(name)?.text === text))
    return before.parsed;
  const texts = new Map<string, string | undefined>();
  const parsed = linkSource(policy, principal, source, (name) => {
    const found = programs(name);
    texts.set(name, found?.text);
    return found;
  });
  const [oldest] = known.size >= REMEMBERED_MAX ? known.keys() : [];
  if (oldest !== undefined) known.delete(oldest);
  known.set(key, { parsed, texts });
  return parsed;
}

/**
 * The program of `source` over the tools that `policy` knows, for `principal`. A program that calls itself, however
 * indirectly, or too deep is refused. Linear in the programs. `compile` is `linkContent` of what was checked when it started.
 */
export function linkSource(
  policy: Policy,
  principal: string,
  source: ProgramSource,
  programs: Programs,
  compile: typeof compileProgram = compileProgram,
): Parsed<Linked> {
  const children = new Map<string, Program>();
  const issues: Issue[] = [];
  const linked = (of: ProgramSource, above: readonly string[]): Program | undefined => {
    const catalog = catalogOf(policy, principal, (name) => child(name, above, of.file));
    const parsed = compile(of.text, of.file, catalog);
    issues.push(...parsed.issues);
    return parsed.ok ? parsed.value : undefined;
  };
  const child = (name: string, above: readonly string[], caller: string): Program | undefined => {
    const known = children.get(name);
    const found = programs(name);
    if (known !== undefined || found === undefined) return known;
    if (above.includes(name) || above.length >= PROGRAM_DEPTH_MAX) {
      const way = [...above, name].join(' → ');
      const message = above.includes(name)
        ? `programs call each other in a circle: ${way}`
        : `programs call each other too deep: ${way}`;
      issues.push(issueAt(caller, 'error', START, 'program-depth', message));
      return undefined;
    }
    const compiled = linked(found, [...above, name]);
    if (compiled !== undefined) children.set(name, compiled);
    return compiled;
  };
  const program = linked(source, []);
  const isBad = program === undefined || issues.some(({ severity }) => severity === 'error');
  return isBad ? { ok: false, issues } : { ok: true, value: { program, children }, issues };
}

/**
 * The tools of a policy, as programs of `principal` see them: models are asked by `llm` steps, and Interlock's own tools
 * are for hosts.
 */
export function catalogOf(
  policy: Policy,
  principal: string,
  program: (name: string) => Program | undefined = () => undefined,
): Catalog {
  const { models } = policy.configuration;
  return {
    tools: [...policy.tools.values()].filter(isStep).map(({ name }) => name),
    tool: (name) => {
      const tool = policy.tools.get(name);
      if (tool === undefined || !isStep(tool)) return undefined;
      const { inputSchema, outputSchema } = tool.definition;
      return { inputSchema, effect: tool.effect, ...(outputSchema === undefined ? {} : { outputSchema }) };
    },
    denied: (name) => {
      const tool = policy.tools.get(name);
      if (tool === undefined || couldAllow(policy, principal, name)) return undefined;
      return tool.invalid ?? 'no rule allows it';
    },
    hasModel: (name) => models.has(name),
    hasPrice: (name) => models.get(name)?.price !== undefined,
    program,
  };
}

function isStep(tool: PolicyTool): boolean {
  return !isModelTool(tool) && !isOwn(tool);
}

const proofs = new WeakMap<Linked, readonly string[]>();

/** Properties that are not proved, of the program and of those that it calls. Proved once. */
export function unprovedIn(linked: Linked): readonly string[] {
  const known = proofs.get(linked) ?? [linked.program, ...linked.children.values()].flatMap(unprovedOf);
  proofs.set(linked, known);
  return known;
}

/** All tools that a run of the program may call, those of the programs that it calls included. */
export function toolsOf({ program, children }: Linked): ReadonlySet<string> {
  const tools = new Set<string>();
  for (const { steps } of [program, ...children.values()]) {
    for (const step of steps.values()) {
      if (step.kind === 'ask') tools.add(ASK.name);
      for (const [, action] of actionsOf(step)) {
        if (action.kind === 'tool') tools.add(action.tool);
        if (action.kind === 'tool' && action.undo !== undefined) tools.add(action.undo.tool);
        if (action.kind === 'llm') for (const model of action.models) tools.add(modelToolName(model));
      }
    }
  }
  return tools;
}
