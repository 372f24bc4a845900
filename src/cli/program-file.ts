/** The files of programs: read for a command that names one, and with the configuration that names them. */

import path from 'node:path';
import type { Configuration } from '../policy/document/configuration.ts';
import { OWN_SERVER } from '../policy/tool/own-definition.ts';
import { isOwnTool } from '../policy/tool/own.ts';
import { programAsTool } from '../policy/tool/own-programs.ts';
import type { ToolDefinition } from '../policy/tool/tool.ts';
import type { ProgramSource } from '../runtime/catalog.ts';
import { type ConfiguredProgram, readConfigured } from '../runtime/configured.ts';
import { fromUtf8 } from '../value/encoding.ts';
import { type Issue, issueAt } from '../value/issue.ts';
import { CliError } from './exit.ts';
import { readBounded, readNamed } from './file.ts';
import { firstError } from './issues.ts';
import type { Terminal } from './terminal.ts';

/** Bytes of a program's file; the characters that it may have are fewer. */
const PROGRAM_BYTES_MAX = 32 * 1024 * 1024;

/** The programs of a configuration, as their files were when it was read. */
export interface LoadedPrograms {
  /** Absolute. */
  readonly files: readonly string[];
  /** By name; those whose files cannot be used are not there. */
  readonly programs: ReadonlyMap<string, ConfiguredProgram>;
  /** Each at the place that names the file. */
  readonly issues: readonly Issue[];
}

/** The text of a program's file. */
export async function readProgramFile(terminal: Terminal, file: string): Promise<ProgramSource> {
  const text = fromUtf8(await readNamed(terminal, file, PROGRAM_BYTES_MAX));
  if (text === undefined) throw new CliError('unreadable', `\`${file}\` is not UTF-8`);
  return { file, text };
}

export async function loadPrograms(configuration: Configuration, directory: string): Promise<LoadedPrograms> {
  const programs = new Map<string, ConfiguredProgram>();
  const issues: Issue[] = [];
  for (const declared of configuration.programs.values()) {
    const tool = `${OWN_SERVER}.${declared.name}`;
    if (declared.isTool && isOwnTool(tool)) {
      const why = `\`${tool}\` is a tool of Interlock's own`;
      issues.push(programIssue(configuration, declared.name, 'error', why, 'give it another name'));
    }
    const file = declared.file.text;
    const read = await readBounded(path.resolve(directory, file), PROGRAM_BYTES_MAX);
    const text = read.ok ? fromUtf8(read.bytes) : undefined;
    const problem = read.ok ? 'it is not UTF-8' : read.reason;
    const parsed = text === undefined ? undefined : readConfigured(declared, { file, text });
    if (parsed?.ok === true) programs.set(declared.name, parsed.value);
    else {
      const why = parsed === undefined ? `\`${file}\` cannot be read: ${problem}` : firstError(parsed.issues, file);
      issues.push(programIssue(configuration, declared.name, 'error', why));
    }
  }
  const files = [...configuration.programs.values()].map(({ file }) => path.resolve(directory, file.text));
  return { files, programs, issues };
}

/** What is wrong with a program, at the place that names its file. */
export function programIssue(
  { file, programs }: Configuration,
  name: string,
  severity: Issue['severity'],
  why: string,
  hint?: string,
): Issue {
  const declared = programs.get(name);
  const place = declared?.file.marks[0] ?? { line: 1, column: 1 };
  return issueAt(file, severity, place, 'program-unusable', `program \`${name}\`: ${why}`, hint);
}

/** `offered` with the programs that are tools, as tools of Interlock's own. */
export function withPrograms(
  offered: ReadonlyMap<string, readonly ToolDefinition[]>,
  loaded: LoadedPrograms | undefined,
): ReadonlyMap<string, readonly ToolDefinition[]> {
  const tools = [...(loaded?.programs.values() ?? [])].filter(({ isTool }) => isTool).map(programAsTool);
  return tools.length === 0 ? offered : new Map([...offered, [OWN_SERVER, tools]]);
}
