/** `interlock program check|graph|prove FILE`: a program checked against the tools there are, drawn, and proved. */

import { compileProgram } from '../../program/compile.ts';
import type { Catalog } from '../../program/catalog.ts';
import { linesOf, mermaidOf } from '../../program/draw.ts';
import type { Program } from '../../program/program.ts';
import { pathLines } from '../../program/prove/path.ts';
import { type PropertyProof, proveProgram } from '../../program/prove/prove.ts';
import type { Policy } from '../../policy/compile.ts';
import { couldAllow } from '../../policy/tool/visible.ts';
import { fromUtf8 } from '../../value/encoding.ts';
import type { Parsed } from '../../value/issue.ts';
import { type CommonOptions, loadConfiguration } from '../configuration.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { readNamed } from '../file.ts';
import { counted, firstError, forbidUse, showIssues, toldIssues } from '../issues.ts';
import { typePolicy } from '../schemas.ts';
import { type Terminal, inert, inertJson, writeLine } from '../terminal.ts';

export interface ProgramOptions extends CommonOptions {
  readonly action: string;
  readonly path: string;
  readonly offline: boolean;
  /** For `graph`: the flowchart of Mermaid, where a terminal would be shown lines. */
  readonly mermaid: boolean;
}

/** Bytes of a program's file; the characters that it may have are fewer. */
const FILE_BYTES_MAX = 32 * 1024 * 1024;

export async function programCommand(terminal: Terminal, options: ProgramOptions): Promise<ExitCode> {
  switch (options.action) {
    case 'check':
      return check(terminal, options);
    case 'graph':
      return graph(terminal, options);
    case 'prove':
      return prove(terminal, options);
    case 'plan':
      throw new CliError('not-available-yet', `\`program ${options.action}\` is not available yet`);
    default:
      throw new CliError('usage', `expected \`check\`, \`graph\` or \`prove\`, got \`${options.action}\``);
  }
}

interface Compiled {
  readonly source: string;
  readonly parsed: Parsed<Program>;
}

async function compile(terminal: Terminal, options: ProgramOptions): Promise<Compiled> {
  const bytes = await readNamed(terminal, options.path, FILE_BYTES_MAX);
  const source = fromUtf8(bytes);
  if (source === undefined) throw new CliError('unreadable', `\`${options.path}\` is not UTF-8`);
  const loaded = await loadConfiguration(terminal, options);
  const { policy, issues } = await typePolicy(terminal, loaded, options);
  if (policy === undefined || forbidUse(issues)) {
    throw new CliError('unreadable', `the policy cannot be used: ${firstError(issues, loaded.shown)}`, {
      hint: 'a program is checked against the tools of the policy: `interlock check` says more',
    });
  }
  return { source, parsed: compileProgram(source, options.path, catalogOf(policy)) };
}

/** The tools of a policy, for whoever it runs as. */
function catalogOf(policy: Policy): Catalog {
  const { principal } = policy.configuration;
  return {
    tools: [...policy.tools.keys()],
    tool: (name) => {
      const tool = policy.tools.get(name);
      if (tool === undefined) return undefined;
      const { inputSchema, outputSchema } = tool.definition;
      return { inputSchema, effect: tool.effect, ...(outputSchema === undefined ? {} : { outputSchema }) };
    },
    denied: (name) => {
      const tool = policy.tools.get(name);
      if (tool === undefined || couldAllow(policy, principal, name)) return undefined;
      return tool.invalid ?? 'no rule allows it';
    },
    hasModel: () => undefined,
    program: () => undefined,
  };
}

async function check(terminal: Terminal, options: ProgramOptions): Promise<ExitCode> {
  const { source, parsed } = await compile(terminal, options);
  const { issues } = parsed;
  const errors = issues.filter(({ severity }) => severity === 'error').length;
  if (options.json) {
    const { name = null, digest = null } = parsed.ok ? parsed.value : {};
    const steps = parsed.ok ? parsed.value.steps.size : null;
    const told = { ok: parsed.ok, program: name, digest, steps, issues: toldIssues(issues, options.path) };
    writeLine(terminal.output, inertJson(told));
    return parsed.ok ? EXIT.ok : EXIT.usage;
  }
  showIssues(terminal, issues, options.path, source);
  const { colour } = terminal;
  const verdict = parsed.ok ? colour.green('ok') : colour.red('not usable');
  const size = parsed.ok ? [counted(parsed.value.steps.size, 'step')] : [];
  const said = [verdict, ...size, counted(errors, 'error'), counted(issues.length - errors, 'warning')];
  const digest = parsed.ok ? [parsed.value.digest] : [];
  writeLine(terminal.output, `${inert(options.path)}: ${[...said, ...digest].join(', ')}`);
  return parsed.ok ? EXIT.ok : EXIT.usage;
}

async function graph(terminal: Terminal, options: ProgramOptions): Promise<ExitCode> {
  const { source, parsed } = await compile(terminal, options);
  if (!parsed.ok) {
    showIssues(terminal, parsed.issues, options.path, source);
    return EXIT.usage;
  }
  const program = parsed.value;
  if (options.json) {
    const told = { ok: true, program: program.name, digest: program.digest, mermaid: mermaidOf(program) };
    writeLine(terminal.output, inertJson(told));
  } else if (options.mermaid) terminal.output.write(mermaidOf(program));
  else for (const line of linesOf(program)) writeLine(terminal.output, inert(line));
  return EXIT.ok;
}

/** A program that cannot be used proves nothing: its problems are told instead. */
async function prove(terminal: Terminal, options: ProgramOptions): Promise<ExitCode> {
  const { source, parsed } = await compile(terminal, options);
  const proofs = parsed.ok ? proveProgram(parsed.value) : [];
  const isProved = parsed.ok && proofs.every(({ proved }) => proved);
  if (options.json) {
    const told = {
      ok: isProved,
      digest: parsed.ok ? parsed.value.digest : null,
      properties: proofs.map(toldProof),
      issues: toldIssues(parsed.issues, options.path),
    };
    writeLine(terminal.output, inertJson(told));
    return isProved ? EXIT.ok : EXIT.usage;
  }
  if (!parsed.ok) {
    showIssues(terminal, parsed.issues, options.path, source);
    return EXIT.usage;
  }
  for (const proof of proofs) for (const line of proofLines(terminal, proof)) writeLine(terminal.output, line);
  const count = proofs.filter(({ proved }) => proved).length;
  const said = `${count} of ${counted(proofs.length, 'property', 'properties')} proved`;
  writeLine(terminal.output, `${inert(options.path)}: ${said}, ${parsed.value.digest}`);
  return isProved ? EXIT.ok : EXIT.usage;
}

function toldProof(proof: PropertyProof) {
  const { sentence, place, proved } = proof;
  const told = { property: sentence, proved, line: place.line, column: place.column };
  return proved ? told : { ...told, counterexample: proof.counterexample ?? null };
}

/** The verdict, and how the property may be broken. */
function proofLines({ colour }: Terminal, proof: PropertyProof): readonly string[] {
  const { sentence, proved } = proof;
  const verdict = proved ? colour.green('proved') : colour.red('not proved');
  const line = `${verdict}: ${inert(sentence)}`;
  if (proved) return [line];
  const path = proof.counterexample;
  if (path === undefined) return [line, '  there are too many ways to look at all of them'];
  return [line, ...pathLines(path).map((each) => `  ${inert(each)}`)];
}
