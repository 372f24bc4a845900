/** Where a command finds its configuration and its data directory, and how the configuration is read. */

import { realpathSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { errorCodeOf } from '../ledger/directory.ts';
import { type Configuration, parseConfiguration } from '../policy/document/configuration.ts';
import type { Lock } from '../policy/pin/lock.ts';
import { FILE_LENGTH_MAX } from '../document/document.ts';
import { fromUtf8 } from '../value/encoding.ts';
import { type Issue, type Place, placeAt } from '../value/issue.ts';
import { CliError } from './exit.ts';
import { readBounded } from './file.ts';
import { loadLock, lockFileOf } from './lock-file.ts';
import { type LoadedPrograms, loadPrograms } from './program-file.ts';
import type { Terminal } from './terminal.ts';

/** Options every command takes. */
export interface CommonOptions {
  readonly config?: string;
  readonly data?: string;
  readonly json: boolean;
}

const CONFIGURATION_NAME = 'interlock.yaml';
const DATA_NAME = '.interlock';
/** What that many characters can take in UTF-8. */
const FILE_BYTES_MAX = 4 * FILE_LENGTH_MAX;

/** A configuration file as found: `configuration` is absent when its issues forbid its use. */
export interface Loaded {
  /** Absolute. */
  readonly file: string;
  /** As the user named it; shown in messages. */
  readonly shown: string;
  /** What relative paths of the file are relative to. */
  readonly directory: string;
  /** What `identityOf` the file was just before it was read. */
  readonly identity: string;
  /** Absent when there was nothing to read. */
  readonly source: string | undefined;
  readonly configuration: Configuration | undefined;
  readonly issues: readonly Issue[];
  /** The lock beside it; absent when there is none, and when `issues` say why it cannot be used. */
  readonly lock?: Lock;
  /** The files that `programs:` names; absent when the configuration cannot be read. */
  readonly programs?: LoadedPrograms & { readonly identity: string };
  /** The file that `shadow:` names; absent when it names none. */
  readonly shadow?: LoadedShadow;
}

/** The file of a shadow, which never keeps the configuration that names it from being used. */
export interface LoadedShadow {
  /** Absolute. */
  readonly file: string;
  /** As the configuration names it. */
  readonly shown: string;
  /** As `Loaded.identity`. */
  readonly identity: string;
  readonly source: string | undefined;
  readonly configuration: Configuration | undefined;
  readonly issues: readonly Issue[];
}

/** A configuration that can be used. */
export type Usable = Loaded & { readonly configuration: Configuration };

/** The absolute path of the configuration file, whether it is there or not. */
export function configurationFile(terminal: Terminal, options: Pick<CommonOptions, 'config'>): string {
  return path.resolve(terminal.directory, options.config ?? CONFIGURATION_NAME);
}

/** The data directory: `--data`, else `.interlock` beside the configuration file, whether either is there or not. */
export function dataDirectory(terminal: Terminal, options: Pick<CommonOptions, 'config' | 'data'>): string {
  if (options.data !== undefined) return path.resolve(terminal.directory, options.data);
  return path.join(path.dirname(configurationFile(terminal, options)), DATA_NAME);
}

/** Makes sure that a configuration named with `-c` is there, for commands that do without its content. */
export async function requireNamed(terminal: Terminal, options: CommonOptions): Promise<void> {
  if (options.config === undefined) return;
  const found = await stat(configurationFile(terminal, options)).catch(() => undefined);
  if (found !== undefined && !found.isDirectory()) return;
  const problem = found === undefined ? 'does not exist' : 'is a directory';
  throw new CliError('unreadable', `the configuration \`${options.config}\` ${problem}`, {
    hint: 'name the file with -c FILE',
  });
}

/** Reads and parses the file and its lock; a file that cannot be read is an issue like any other. */
export async function loadConfiguration(terminal: Terminal, options: CommonOptions): Promise<Loaded> {
  const loaded = await loadFile(terminal, options);
  const { lock, issues } = await loadLock(loaded.file, loaded.shown);
  return { ...loaded, issues: [...loaded.issues, ...issues], ...(lock === undefined ? {} : { lock }) };
}

async function loadFile(terminal: Terminal, options: CommonOptions): Promise<Loaded> {
  const file = configurationFile(terminal, options);
  const shown = options.config ?? CONFIGURATION_NAME;
  const directory = path.dirname(file);
  const identity = await identityOf(file);
  const read = await readPolicyFile(terminal, file, shown);
  const named = read.configuration?.shadow?.text;
  const shadow = named === undefined ? {} : { shadow: await loadShadow(terminal, directory, named) };
  const programs = await programsOf(read.configuration, directory);
  const issues = [...read.issues, ...(programs?.issues ?? [])];
  return {
    file,
    shown,
    directory,
    identity,
    ...read,
    issues,
    ...shadow,
    ...(programs === undefined ? {} : { programs }),
  };
}

async function programsOf(configuration: Configuration | undefined, directory: string): Promise<Loaded['programs']> {
  if (configuration === undefined) return undefined;
  const files = [...configuration.programs.values()].map(({ file }) => path.resolve(directory, file.text));
  const identity = await identityOfAll(files);
  return { ...(await loadPrograms(configuration, directory)), identity };
}

type PolicyFile = Pick<Loaded, 'source' | 'configuration' | 'issues'>;

async function readPolicyFile(terminal: Terminal, file: string, shown: string): Promise<PolicyFile> {
  const unusable = (message: string, hint: string, place: Place, source: string | undefined): PolicyFile => {
    const issue = {
      code: 'configuration-unreadable',
      severity: 'error',
      message,
      file: shown,
      ...place,
      hint,
    } as const;
    return { source, configuration: undefined, issues: [issue] };
  };
  const read = await readBounded(file, FILE_BYTES_MAX);
  if (!read.ok) {
    const hint = `name the file with -c FILE, or write ${CONFIGURATION_NAME} here`;
    return unusable(`the configuration cannot be read: ${read.reason}`, hint, { line: 1, column: 1 }, undefined);
  }
  const source = fromUtf8(read.bytes);
  if (source === undefined) {
    const { text, place } = firstUndecodable(read.bytes);
    return unusable('expected UTF-8, got bytes that are not', 'save the file as UTF-8', place, text);
  }
  const parsed = parseConfiguration(source, { file: shown, environment: terminal.environment });
  return { source, configuration: parsed.ok ? parsed.value : undefined, issues: parsed.issues };
}

async function loadShadow(terminal: Terminal, directory: string, shown: string): Promise<LoadedShadow> {
  const file = path.resolve(directory, shown);
  const identity = await identityOf(file);
  return { file, shown, identity, ...(await readPolicyFile(terminal, file, shown)) };
}

/** What tells one state of a configuration and its lock from another; two that are equal are taken to be the same. */
export async function identityOf(file: string): Promise<string> {
  return `${await stateOf(file)}, ${await stateOf(lockFileOf(file))}`;
}

/** The same of files that stand alone. */
export async function identityOfAll(files: readonly string[]): Promise<string> {
  return (await Promise.all(files.map(stateOf))).join(', ');
}

async function stateOf(file: string): Promise<string> {
  try {
    const { mtimeNs, ctimeNs, size, ino } = await stat(file, { bigint: true });
    return `${mtimeNs} ${ctimeNs} ${size} ${ino}`;
  } catch (error) {
    return errorCodeOf(error) ?? 'error';
  }
}

/** Bytes that are not UTF-8 as text, with a replacement character at the place of the first bad ones. */
function firstUndecodable(bytes: Uint8Array): { readonly text: string; readonly place: Place } {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  let offset = 0;
  let at = 0;
  for (const character of text) {
    // Where the file itself holds a replacement character, its three bytes are there.
    if (character === '\u{fffd}' && bytes[at] !== 0xef) break;
    if (character === '\u{fffd}' && (bytes[at + 1] !== 0xbf || bytes[at + 2] !== 0xbd)) break;
    offset += character.length;
    at += Buffer.byteLength(character);
  }
  return { text, place: placeAt(text, offset) };
}

/** What belongs to the authority itself and no guard lets through, as real paths. */
export function protectedPaths({ file, shadow, programs }: Loaded, data: string): string[] {
  const own = [file, lockFileOf(file), data, ...(programs?.files ?? [])];
  return (shadow === undefined ? own : [...own, shadow.file]).map(realPath);
}

/** Where `target` leads, as far as it is there. */
export function realPath(target: string): string {
  try {
    return realpathSync(target);
  } catch {
    // It does not exist yet: its directory does, or nothing can be written there either.
    const parent = path.dirname(target);
    return parent === target ? target : path.join(realPath(parent), path.basename(target));
  }
}
