/** `interlock program plan TEXT`: a model drafts a program from the tools the policy allows. Nothing of it is run. */

import { realpathSync } from 'node:fs';
import path from 'node:path';
import { Authority } from '../../authority/authority.ts';
import { newId } from '../../authority/draft.ts';
import type { Policy } from '../../policy/compile.ts';
import { isModelTool } from '../../policy/tool/model.ts';
import { isMethodName } from '../../policy/tool/method.ts';
import { couldAllow } from '../../policy/tool/visible.ts';
import { modelToolName } from '../../program/catalog.ts';
import { compileProgram } from '../../program/compile.ts';
import { linesOf } from '../../program/draw.ts';
import type { Offer } from '../../program/plan.ts';
import type { Program } from '../../program/program.ts';
import { pathLines } from '../../program/prove/path.ts';
import { proveProgram } from '../../program/prove/prove.ts';
import { catalogOf } from '../../runtime/catalog.ts';
import { openModels } from '../../runtime/model/models.ts';
import { type ModelAnswer, type Plan, planProgram } from '../../runtime/model/plan.ts';
import { type Issue, issueAt } from '../../value/issue.ts';
import { type CommonOptions, type Usable, dataDirectory, protectedPaths } from '../configuration.ts';
import { openData } from '../data.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { writeNamed } from '../file.ts';
import { counted, showIssues, toldIssues } from '../issues.ts';
import { type Terminal, inert, inertJson, writeLine } from '../terminal.ts';
import { usablePolicy } from '../usable-policy.ts';

export interface PlanOptions extends CommonOptions {
  /** What the program is to do. */
  readonly path: string;
  readonly offline: boolean;
  /** Absent: the only model that there is. */
  readonly model?: string;
  readonly out?: string;
}

/** How long a model may think about a draft, milliseconds. */
const TIMEOUT_MS = 300_000;
const DRAFT = '<draft>';

export async function planCommand(terminal: Terminal, options: PlanOptions): Promise<ExitCode> {
  const intent = options.path.trim();
  if (intent === '') throw new CliError('usage', 'expected what the program is to do, got nothing');
  const { policy, loaded } = await usablePolicy(terminal, options);
  const tool = modelToolName(chosen(policy, options.model));
  const file = options.out ?? DRAFT;
  const catalog = catalogOf(policy, policy.configuration.principal);
  const plan = await asking(terminal, options, { policy, loaded, tool }, (ask) =>
    planProgram(intent, {
      offer: offerOf(policy),
      file,
      ask,
      compile: (text) => compileProgram(text, file, catalog),
      prove: unproved,
    }),
  );
  return tell(terminal, options, plan, file);
}

/** The model that was named, or the only one; a rule must allow it. Throws `usage`. */
function chosen(policy: Policy, named: string | undefined): string {
  const { models, principal } = policy.configuration;
  const names = [...models.keys()];
  const name = named ?? (names.length === 1 ? names[0] : undefined);
  if (name === undefined) {
    const hint = names.length === 0 ? 'declare one under `models`' : `there are ${names.join(', ')}`;
    throw new CliError('usage', 'expected `--model` to say who drafts the program', { hint });
  }
  if (!models.has(name)) {
    const hint = names.length === 0 ? 'declare it under `models`' : `there are ${names.join(', ')}`;
    throw new CliError('usage', `there is no model \`${name}\``, { hint });
  }
  const tool = modelToolName(name);
  if (couldAllow(policy, principal, tool)) return name;
  throw new CliError('usage', `no rule allows \`${principal}\` to ask \`${tool}\``, {
    hint: `add \`- allow: ${tool}\``,
  });
}

/** The tools that some rule may allow, and the models. */
function offerOf(policy: Policy): Offer {
  const { principal } = policy.configuration;
  const allowed = [...policy.tools.values()].filter(({ name }) => couldAllow(policy, principal, name));
  const models = allowed.filter(isModelTool).map(({ definition }) => definition.upstreamName);
  const others = allowed.filter((tool) => !isModelTool(tool) && tool.server !== OWN);
  const tools = others.flatMap(({ name, effect, definition }) => {
    const { description, inputSchema, outputSchema, upstreamName } = definition;
    if (isMethodName(upstreamName)) return [];
    const known = {
      ...(description === undefined ? {} : { description }),
      ...(outputSchema === undefined ? {} : { outputSchema }),
    };
    return [{ name, effect, inputSchema, ...known }];
  });
  return { tools, models };
}

const OWN = 'interlock';

/** The properties of a draft that are not proved, each with how it may be broken. */
function unproved(program: Program, file: string): readonly Issue[] {
  return proveProgram(program).flatMap((proof) => {
    if (proof.proved) return [];
    const path = pathLines(proof.counterexample ?? []).map((line) => line.trim());
    const hint = path.length === 0 ? 'there are too many ways to look at all of them' : `so: ${path.join('; ')}`;
    return [issueAt(file, 'error', proof.place, 'property-unproved', `\`${proof.sentence}\` is not proved`, hint)];
  });
}

interface Asking {
  readonly policy: Policy;
  readonly loaded: Usable;
  readonly tool: string;
}

/** Lets `plan` ask the model through the authority: decided, recorded and charged like any call. */
async function asking(
  terminal: Terminal,
  options: PlanOptions,
  { policy, loaded, tool }: Asking,
  plan: (ask: (prompt: string) => Promise<ModelAnswer>) => Promise<Plan>,
): Promise<Plan> {
  await using data = await openData(terminal, options, { create: true, loaded });
  const { ledger, vault, world } = data;
  const authority = new Authority(ledger, {
    vault,
    world,
    resolveRoot: (within) => path.resolve(loaded.directory, within),
    protectedPaths: protectedPaths(loaded, realpathSync(dataDirectory(terminal, options))),
  });
  await authority.load(policy);
  const { environment } = terminal;
  const { models, principal } = policy.configuration;
  const reached = openModels(models, { world, environment, directory: loaded.directory })(tool, TIMEOUT_MS);
  if (reached === undefined) throw new CliError('usage', `\`${tool}\` is no model`);
  const session = newId(world);
  const { signal } = new AbortController();
  return await plan(async (prompt) => {
    const proposal = { principal, session, tool, args: { prompt }, available: true, signal, ...reached };
    const { state, sentence, output } = await authority.call(proposal);
    const { text } = (output?.['structuredContent'] ?? {}) as { readonly text?: unknown };
    if (state === 'succeeded' && typeof text === 'string') return { ok: true, text };
    const [said] = (output?.['content'] ?? []) as readonly { readonly text?: unknown }[];
    const reason = typeof said?.text === 'string' ? said.text : `its call is ${state}`;
    return { ok: false, reason: sentence ?? reason };
  });
}

function tell(terminal: Terminal, options: PlanOptions, plan: Plan, file: string): ExitCode {
  if ('unanswered' in plan) {
    if (options.json)
      writeLine(terminal.output, inertJson({ ok: false, attempts: plan.attempts, reason: plan.unanswered }));
    else writeLine(terminal.errors, inert(`interlock: the model did not answer: ${plan.unanswered}`));
    return EXIT.wrong;
  }
  const { ok, text, issues, attempts } = plan;
  if (ok && options.out !== undefined) writeNamed(terminal, options.out, text);
  if (options.json) {
    const { name = null, digest = null } = ok ? plan.program : {};
    const told = { ok, program: name, digest, attempts, text, issues: toldIssues(issues, file) };
    writeLine(terminal.output, inertJson(told));
    return ok ? EXIT.ok : EXIT.wrong;
  }
  showIssues(terminal, issues, file, text);
  if (!ok) {
    writeLine(terminal.errors, `interlock: no draft of ${counted(attempts, 'draft')} can be used; this was the last:`);
    for (const line of text.trimEnd().split('\n')) writeLine(terminal.errors, inert(line));
    return EXIT.wrong;
  }
  for (const line of linesOf(plan.program)) writeLine(terminal.output, inert(line));
  writeLine(terminal.output, '');
  if (options.out === undefined) for (const line of text.trimEnd().split('\n')) writeLine(terminal.output, inert(line));
  const where = options.out === undefined ? 'not written to a file' : `written to ${inert(options.out)}`;
  writeLine(
    terminal.errors,
    `interlock: drafted in ${counted(attempts, 'attempt')}, ${where}, and not run: read it first`,
  );
  return EXIT.ok;
}
