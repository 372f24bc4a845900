/** Servers as a command line names them: `ID=COMMAND`, `ID=NAME@VERSION`, or just a command. */

import path from 'node:path';
import { parsePackage } from '../policy/tool/package.ts';
import { RESERVED_SERVERS, SERVER_ID } from '../policy/document/server.ts';
import { CliError } from './exit.ts';
import type { NamedServer } from './first-policy.ts';
import { wordsOf } from './words.ts';

const SCRIPT = /\.(?:[cm]?[jt]s|py)$/u;

export interface Named {
  /** `ID=COMMAND ARGS`. */
  readonly servers: readonly string[];
  /** `ID=NAME@VERSION ARGS`. */
  readonly packages: readonly string[];
  /** A command and its arguments, of a server without a name. */
  readonly command: readonly string[];
}

/** The servers that are named, each once. Throws a `CliError` for what names none. */
export function namedServers({ servers, packages, command }: Named): readonly NamedServer[] {
  const named = [
    ...servers.map((text) => commandServer(text)),
    ...packages.map((text) => packageServer(text)),
    ...(command.length === 0 ? [] : [unnamedServer(command)]),
  ];
  const seen = new Set<string>();
  for (const { id } of named) {
    if (seen.has(id)) throw new CliError('usage', `two servers are named \`${id}\``);
    seen.add(id);
  }
  return named;
}

function commandServer(text: string): NamedServer {
  const { id, words } = split(text, '--server', 'COMMAND');
  const [command = '', ...args] = words;
  return { id, command, args };
}

function packageServer(text: string): NamedServer {
  const { id, words } = split(text, '--package', 'NAME@VERSION');
  const [named = '', ...args] = words;
  const found = parsePackage(named);
  if (found !== undefined) return { id, package: found, args };
  const hint = 'write one exact version, such as `files=@modelcontextprotocol/server-filesystem@2026.8.31 .`';
  throw new CliError('usage', `expected NAME@VERSION of an npm package, got \`${named}\``, { hint });
}

function split(text: string, option: string, what: string): { readonly id: string; readonly words: readonly string[] } {
  const equals = text.indexOf('=');
  const id = text.slice(0, Math.max(0, equals));
  if (equals === -1) throw new CliError('usage', `expected \`${option}\` to be ID=${what}, got \`${text}\``);
  if (!SERVER_ID.test(id) || RESERVED_SERVERS.includes(id)) {
    const hint = 'a lower-case letter, then at most 31 lower-case letters, digits and `-`';
    throw new CliError('usage', `\`${id}\` cannot name a server`, { hint });
  }
  const words = wordsOf(text.slice(equals + 1));
  if (words === undefined) throw new CliError('usage', `a quote in \`${text}\` is not closed`);
  if ((words[0] ?? '') === '') throw new CliError('usage', `expected \`${option}\` to be ID=${what}, got \`${text}\``);
  return { id, words };
}

/** Named after the script it runs, else after the program. */
function unnamedServer([command = '', ...args]: readonly string[]): NamedServer {
  if (command === '') throw new CliError('usage', 'the command is empty');
  const script = [command, ...args].find((word) => SCRIPT.test(word));
  const name = path.basename(script ?? command).replace(/\.[^.]*$/u, '');
  const id = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/gu, '-')
    .replace(/^[^a-z]+/u, '')
    .slice(0, 32);
  return { id: SERVER_ID.test(id) && !RESERVED_SERVERS.includes(id) ? id : 'server', command, args };
}
