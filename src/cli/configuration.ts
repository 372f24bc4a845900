/** Where a command finds its configuration and its data, and how its problems are shown. */

import { realpathSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type Configuration, parseConfiguration } from '../policy/configuration.ts';
import { fromUtf8 } from '../value/encoding.ts';
import { type Issue, renderIssue } from '../value/issue.ts';
import { CliError } from './exit.ts';
import { type Terminal, writeLine } from './terminal.ts';

/** Options every command takes. */
export interface CommonOptions {
  readonly config?: string;
  readonly data?: string;
  readonly json: boolean;
}

export const CONFIGURATION_NAME = 'interlock.yaml';
export const DATA_NAME = '.interlock';

/** A configuration file as found: `configuration` is absent when its issues forbid its use. */
export interface Loaded {
  /** Absolute. */
  readonly file: string;
  /** As the user named it; shown in messages. */
  readonly shown: string;
  /** What relative paths of the file are relative to. */
  readonly directory: string;
  readonly source: string;
  readonly configuration: Configuration | undefined;
  readonly issues: readonly Issue[];
}

export function configurationFile(terminal: Terminal, options: CommonOptions): string {
  return path.resolve(terminal.directory, options.config ?? CONFIGURATION_NAME);
}

/** The data directory: `--data`, else `.interlock` beside the configuration file. */
export function dataDirectory(terminal: Terminal, options: CommonOptions): string {
  if (options.data !== undefined) return path.resolve(terminal.directory, options.data);
  return path.join(path.dirname(configurationFile(terminal, options)), DATA_NAME);
}

/** Reads and parses the file; a file that cannot be read is an issue like any other. */
export async function loadConfiguration(terminal: Terminal, options: CommonOptions): Promise<Loaded> {
  const file = configurationFile(terminal, options);
  const shown = options.config ?? CONFIGURATION_NAME;
  const common = { file, shown, directory: path.dirname(file) };
  const unreadable = (message: string, hint: string): Loaded => ({
    ...common,
    source: '',
    configuration: undefined,
    issues: [{ code: 'configuration-unreadable', severity: 'error', message, file: shown, line: 1, column: 1, hint }],
  });
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'error';
    const reason = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`;
    return unreadable(reason, `name the file with -c FILE, or write ${CONFIGURATION_NAME} here`);
  }
  const source = fromUtf8(bytes);
  if (source === undefined) return unreadable('it is not UTF-8 text', 'save the file as UTF-8');
  const parsed = parseConfiguration(source, { file: shown, environment: terminal.environment });
  return { ...common, source, configuration: parsed.ok ? parsed.value : undefined, issues: parsed.issues };
}

/** Like `loadConfiguration`, for commands that cannot go on without one. */
export async function requireConfiguration(
  terminal: Terminal,
  options: CommonOptions,
): Promise<Loaded & { readonly configuration: Configuration }> {
  const loaded = await loadConfiguration(terminal, options);
  if (loaded.configuration !== undefined) return { ...loaded, configuration: loaded.configuration };
  showIssues(terminal, loaded.issues, loaded.source);
  throw new CliError('unreadable', `\`${loaded.shown}\` cannot be used`);
}

export function showIssues(terminal: Terminal, issues: readonly Issue[], source: string): void {
  for (const issue of issues) writeLine(terminal.errors, renderIssue(issue, source));
}

export function firstError(issues: readonly Issue[]): string {
  const error = issues.find((issue) => issue.severity === 'error');
  if (error === undefined) return 'no reason was given';
  return `${error.file ?? CONFIGURATION_NAME}:${error.line}:${error.column}: ${error.message}`;
}

/** What belongs to the authority itself and no guard lets through, as real paths. */
export function protectedPaths(loaded: Pick<Loaded, 'file' | 'directory'>, data: string): string[] {
  return [loaded.file, path.join(loaded.directory, 'interlock.lock'), data].map(real);
}

function real(target: string): string {
  try {
    return realpathSync(target);
  } catch {
    // It does not exist yet: its directory does, or nothing can be written there either.
    const parent = path.dirname(target);
    return parent === target ? target : path.join(real(parent), path.basename(target));
  }
}
