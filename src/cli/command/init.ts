/** `interlock init`: asks servers what they offer and writes a first policy that allows none of it, and the lock. */

import { existsSync } from 'node:fs';
import path from 'node:path';
import { compilePolicy } from '../../policy/compile.ts';
import { parseConfiguration } from '../../policy/document/configuration.ts';
import type { LockedPackage } from '../../policy/tool/package.ts';
import { systemWorld } from '../../world/system.ts';
import {
  type CommonOptions,
  type Loaded,
  type Usable,
  configurationFile,
  dataDirectory,
  loadConfiguration,
} from '../configuration.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { type NamedServer, printFirstPolicy, printServers } from '../first-policy.ts';
import { installPackage } from '../installed-package.ts';
import { forbidUse, showIssues } from '../issues.ts';
import { createFile, loadLock, lockFileOf } from '../lock-file.ts';
import { type Named, namedServers } from '../named-server.ts';
import { type Terminal, inert, inertJson, writeLine } from '../terminal.ts';
import { type Pinned, pinServers, tellPinned } from './pin.ts';

export type InitOptions = CommonOptions & Named;

const PINNING = { diff: false, accept: false } as const;

/** With a configuration there: installs and pins what it names. Without: writes one for the servers that are named. */
export async function initCommand(terminal: Terminal, options: InitOptions): Promise<ExitCode> {
  const servers = namedServers(options);
  const file = configurationFile(terminal, options);
  if (!existsSync(file)) return writeFirst(terminal, options, servers);
  const loaded = await loadConfiguration(terminal, options);
  const { configuration } = loaded;
  if (servers.length > 0) {
    const hint = 'write the servers into it, then run `interlock init` without naming any';
    throw new CliError('usage', `\`${loaded.shown}\` is there already, and is never overwritten`, { hint });
  }
  if (configuration === undefined) {
    showIssues(terminal, loaded.issues, loaded.shown, loaded.source);
    return EXIT.usage;
  }
  if (configuration.servers.size === 0) {
    throw new CliError('usage', `\`${loaded.shown}\` has no servers to ask`, { hint: 'write one under `servers:`' });
  }
  const pinned = await installAndPin(terminal, options, { ...loaded, configuration });
  if (pinned === undefined) return EXIT.usage;
  tellPinned(terminal, { json: options.json, diff: false }, loaded, pinned);
  return pinned.changes.every((change) => pinned.taken.has(change)) ? EXIT.ok : EXIT.wrong;
}

async function writeFirst(
  terminal: Terminal,
  options: InitOptions,
  servers: readonly NamedServer[],
): Promise<ExitCode> {
  const file = configurationFile(terminal, options);
  const shown = options.config ?? path.basename(file);
  if (servers.length === 0) {
    const hint = 'name a server: interlock init -- COMMAND ARGS, --server ID=COMMAND, or --package ID=NAME@VERSION';
    throw new CliError('usage', `there is no \`${shown}\`, and no server to write one for`, { hint });
  }
  const first = usable(terminal, { file, shown }, printServers(servers));
  const pinned = await installAndPin(terminal, options, first);
  if (pinned === undefined) return EXIT.usage;
  const { lock } = await loadLock(file, shown);
  const tools = [...(lock?.servers ?? [])]
    .filter(([id]) => servers.some((server) => server.id === id))
    .flatMap(([, server]) => [...server.tools.values()]);
  const text = printFirstPolicy(servers, tools);
  // What was written must be usable as it is: checked before anybody finds it.
  const { configuration } = usable(terminal, { file, shown }, text);
  const compiled = compilePolicy(configuration, new Map(), { pins: lock === undefined ? {} : { lock } });
  if (compiled.policy === undefined || forbidUse(compiled.issues)) {
    showIssues(terminal, compiled.issues, shown, text);
    throw new CliError('unreadable', 'the policy that these servers need is not usable, so none was written');
  }
  // The lock is there already: a crash before this leaves it alone, and the next run uses it.
  await createFile(file, text, systemWorld);
  const isTaken = pinned.changes.every((change) => pinned.taken.has(change));
  if (!(isTaken || options.json)) tellPinned(terminal, { json: false, diff: false }, { shown }, pinned);
  const code = isTaken ? EXIT.ok : EXIT.wrong;
  if (options.json) {
    const answer = { ok: isTaken, file: shown, lock: lockFileOf(shown), tools: tools.map(({ name }) => name) };
    writeLine(terminal.output, inertJson(answer));
    return code;
  }
  writeLine(terminal.output, `${inert(shown)}: written, ${tools.length} tools named and none allowed`);
  writeLine(terminal.output, `${inert(lockFileOf(shown))}: written, their definitions are pinned`);
  writeLine(
    terminal.output,
    `next: say in ${inert(shown)} what each tool does and which you allow; then interlock check`,
  );
  return code;
}

/** The configuration that `text` writes, as if it stood in `file`. */
function usable(terminal: Terminal, { file, shown }: Pick<Loaded, 'file' | 'shown'>, text: string): Usable {
  const parsed = parseConfiguration(text, { file: shown, environment: terminal.environment });
  if (!parsed.ok) {
    throw new CliError('usage', `these servers cannot be written down: ${parsed.issues[0]?.message ?? 'no reason'}`);
  }
  const found = { file, shown, directory: path.dirname(file), identity: '', source: text };
  return { ...found, configuration: parsed.value, issues: parsed.issues };
}

async function installAndPin(terminal: Terminal, options: InitOptions, loaded: Usable): Promise<Pinned | undefined> {
  const { lock, issues } = await loadLock(loaded.file, loaded.shown);
  if (issues.length > 0) {
    showIssues(terminal, issues, loaded.shown);
    return undefined;
  }
  const packages = new Map<string, LockedPackage>();
  for (const [id, server] of loaded.configuration.servers) {
    if (server.package === undefined) continue;
    const installed = await installPackage(server.package, lock?.servers.get(id)?.package, {
      data: dataDirectory(terminal, options),
      environment: terminal.environment,
      world: systemWorld,
      log: (line) => writeLine(terminal.errors, `interlock: ${inert(line)}`),
    });
    packages.set(id, installed);
  }
  return pinServers(terminal, { ...options, ...PINNING }, loaded, packages);
}
