/** `interlock program check|graph|prove FILE`: a program checked against the tools there are, drawn, proved; `plan`: one drafted. */

import { linesOf, mermaidOf } from '../../program/draw.ts';
import type { Program } from '../../program/program.ts';
import { pathLines } from '../../program/prove/path.ts';
import { type PropertyProof, proveProgram } from '../../program/prove/prove.ts';
import { linkSource } from '../../runtime/catalog.ts';
import type { Parsed } from '../../value/issue.ts';
import type { CommonOptions } from '../configuration.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { counted, showIssues, toldIssues } from '../issues.ts';
import { readProgramFile } from '../program-file.ts';
import { type Terminal, inert, inertJson, writeLine } from '../terminal.ts';
import { usablePolicy } from '../usable-policy.ts';

export interface ProgramOptions extends CommonOptions {
  readonly action: string;
  /** The file; for `plan` what the program is to do. */
  readonly path: string;
  readonly offline: boolean;
  /** For `graph`: the flowchart of Mermaid, where a terminal would be shown lines. */
  readonly mermaid: boolean;
  /** For `plan`: who drafts it, and where it is written. */
  readonly model?: string;
  readonly out?: string;
}

export async function programCommand(terminal: Terminal, options: ProgramOptions): Promise<ExitCode> {
  switch (options.action) {
    case 'check':
      return check(terminal, options);
    case 'graph':
      return graph(terminal, options);
    case 'plan': {
      const { planCommand } = await import('./program-plan.ts');
      return planCommand(terminal, options);
    }
    case 'prove':
      return prove(terminal, options);
    default:
      throw new CliError('usage', `expected \`check\`, \`graph\`, \`prove\` or \`plan\`, got \`${options.action}\``);
  }
}

interface Compiled {
  readonly source: string;
  readonly parsed: Parsed<Program>;
}

async function compile(terminal: Terminal, options: ProgramOptions): Promise<Compiled> {
  const source = await readProgramFile(terminal, options.path);
  const { policy, loaded } = await usablePolicy(terminal, options);
  const programs = (name: string) => loaded.programs?.programs.get(name)?.source;
  const parsed = linkSource(policy, policy.configuration.principal, source, programs);
  return { source: source.text, parsed: parsed.ok ? { ...parsed, value: parsed.value.program } : parsed };
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
