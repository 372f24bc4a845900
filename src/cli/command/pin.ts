/** `interlock pin`: looks at what the servers offer beside the lock, shows what changed, and takes what is new or accepted. */

import { existsSync } from 'node:fs';
import { trustedPin } from '../../authority/pin.ts';
import { dataFiles } from '../../ledger/directory.ts';
import { parseEntry } from '../../ledger/entry.ts';
import { openReader } from '../../ledger/sqlite/reader.ts';
import { alike } from '../../document/alike.ts';
import type { Configuration } from '../../policy/document/configuration.ts';
import type { Lock } from '../../policy/pin/lock.ts';
import type { LockedPackage } from '../../policy/tool/package.ts';
import type { TrustedPin } from '../../policy/pin/pin.ts';
import { systemWorld } from '../../world/system.ts';
import { type CommonOptions, type Loaded, type Usable, dataDirectory, loadConfiguration } from '../configuration.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { counted, showIssues } from '../issues.ts';
import { loadLock, lockFileOf, writeLock } from '../lock-file.ts';
import { type Beside, type PinChange, pinChanges, withChanges, withPackages } from '../pin-change.ts';
import { ask } from '../schemas.ts';
import { type Terminal, inert, inertJson, writeLine } from '../terminal.ts';

export interface PinOptions extends CommonOptions {
  /** `SERVER` or `SERVER.TOOL`; absent means all servers. */
  readonly target?: string;
  /** Show, and write nothing. */
  readonly diff: boolean;
  /** Take what changed as well. */
  readonly accept: boolean;
}

/** What was looked at, and what became of it. */
export interface Pinned {
  readonly changes: readonly PinChange[];
  /** Of the changes those that the lock has now. */
  readonly taken: ReadonlySet<PinChange>;
  readonly written: boolean;
}

export async function pinCommand(terminal: Terminal, options: PinOptions): Promise<ExitCode> {
  if (options.diff && options.accept) throw new CliError('usage', '`--diff` writes nothing, so it excludes `--accept`');
  const loaded = await loadConfiguration(terminal, options);
  const { configuration } = loaded;
  if (configuration === undefined) {
    showIssues(terminal, loaded.issues, loaded.shown, loaded.source);
    return EXIT.usage;
  }
  const pinned = await pinServers(terminal, options, { ...loaded, configuration });
  if (pinned === undefined) return EXIT.usage;
  tellPinned(terminal, options, loaded, pinned);
  return pinned.changes.every((change) => pinned.taken.has(change)) ? EXIT.ok : EXIT.wrong;
}

/**
 * Asks the servers and writes the lock, unless `diff`. Nothing, with the reason told, when the lock there is cannot be
 * used and is not to be replaced. `packages` are those that were installed just now, by server. Throws a `CliError` for a target that is none and for servers that do not answer.
 */
export async function pinServers(
  terminal: Terminal,
  options: PinOptions,
  loaded: Usable,
  packages: ReadonlyMap<string, LockedPackage> = new Map(),
): Promise<Pinned | undefined> {
  const { server, tool } = targetOf(options.target, loaded.configuration);
  const { lock, issues } = await loadLock(loaded.file, loaded.shown);
  if (issues.length > 0 && !(options.accept && server === undefined)) {
    showIssues(terminal, issues, loaded.shown);
    return undefined;
  }
  const servers = new Map([...loaded.configuration.servers].filter(([id]) => server === undefined || id === server));
  const held = withPackages(lock, packages);
  const installed = held === undefined ? loaded : { ...loaded, lock: held };
  const offered = await ask(terminal, installed, servers, dataDirectory(terminal, options));
  const silent = [...servers.keys()].filter((id) => !offered.has(id));
  if (silent.length > 0) {
    const message = `${counted(silent.length, 'server')} did not say what they offer: ${silent.join(', ')}`;
    throw new CliError('unreadable', message, { hint: 'the lines above say why; nothing was written' });
  }
  const beside: Beside = { offered, lock: held, trusted: trustedIn(dataDirectory(terminal, options)) };
  const changes = pinChanges(beside, tool);
  if (tool !== undefined && changes.length === 0 && !isPinned(lock, tool)) {
    throw new CliError('usage', `server \`${server ?? ''}\` offers no tool \`${tool}\`, and none is pinned`);
  }
  const taken = options.diff ? [] : changes.filter(({ kind }) => options.accept || kind === 'added');
  const next = withChanges(beside, taken, tool);
  const written = !options.diff && next.digest !== lock?.digest;
  if (written) await replace(loaded, lock, next);
  return { changes, taken: new Set(taken), written };
}

/** A lock that somebody else wrote meanwhile is left alone: what was compared was another one. */
async function replace({ file, shown }: Loaded, before: Lock | undefined, next: Lock): Promise<void> {
  const now = await loadLock(file, shown);
  if (now.lock?.digest !== before?.digest) {
    throw new CliError('unreadable', 'the lock was changed meanwhile, so it was not written', { hint: 'run it again' });
  }
  await writeLock(file, next, systemWorld);
}

function targetOf(
  target: string | undefined,
  { servers }: Configuration,
): { readonly server?: string; readonly tool?: string } {
  if (target === undefined) return {};
  const dot = target.indexOf('.');
  const server = dot === -1 ? target : target.slice(0, dot);
  if (servers.has(server)) return dot === -1 ? { server } : { server, tool: target };
  const near = alike(server, servers.keys());
  const hint = near === undefined ? 'write it under `servers:` first' : `did you mean \`${near}\`?`;
  throw new CliError('usage', `no server \`${server}\` is configured`, { hint });
}

function isPinned(lock: Lock | undefined, tool: string): boolean {
  const dot = tool.indexOf('.');
  return lock?.servers.get(tool.slice(0, dot))?.tools.has(tool.slice(dot + 1)) === true;
}

/** What was trusted so far by first use; nothing where no ledger is yet. */
function trustedIn(directory: string): ReadonlyMap<string, TrustedPin> {
  if (!existsSync(dataFiles(directory).ledger)) return new Map();
  using reader = openReader(directory);
  return new Map(
    reader.trusted().map(({ tool, digest, position }) => {
      const leaf = reader.leaf(position);
      const entry = leaf === undefined ? undefined : parseEntry(leaf);
      return [tool, trustedPin(tool, digest, entry?.ok === true ? entry.value['definition'] : undefined)];
    }),
  );
}

/** What was looked at and written, for people or as JSON. */
export function tellPinned(
  terminal: Terminal,
  options: Pick<PinOptions, 'json' | 'diff'>,
  loaded: Pick<Loaded, 'shown'>,
  { changes, taken, written }: Pinned,
): void {
  const left = changes.filter((change) => !taken.has(change));
  if (options.json) {
    const told = changes.map((change) => {
      const { tool, kind, what, before = null, after = null, values } = change;
      return { tool, kind, what, before, after, taken: taken.has(change), values };
    });
    const answer = { ok: left.length === 0, file: lockFileOf(loaded.shown), written, changes: told };
    writeLine(terminal.output, inertJson(answer));
    return;
  }
  for (const change of changes) tellChange(terminal, change, options.diff || change.kind === 'changed');
  const file = inert(lockFileOf(loaded.shown));
  if (changes.length === 0) writeLine(terminal.output, `${file}: nothing changed${written ? ', written' : ''}`);
  else if (written) writeLine(terminal.output, `${file}: written, ${counted(taken.size, 'tool')} pinned anew`);
  if (left.length > 0 && !options.diff) {
    const text = `${counted(left.length, 'tool')} changed and stay denied; take them with --accept once they are reviewed`;
    writeLine(terminal.errors, `interlock: ${text}`);
  }
}

function tellChange({ output, colour }: Terminal, { tool, kind, what, values }: PinChange, whole: boolean): void {
  const paint = { added: colour.green, changed: colour.yellow, removed: colour.red }[kind];
  const why = what.length === 0 ? '' : `: ${what.map(inert).join(', ')}`;
  writeLine(output, `${inert(tool)} ${paint(kind)}${why}`);
  if (!whole) return;
  for (const { path, before, after } of values) {
    writeLine(output, `  ${inert(path)}`);
    if (before !== undefined) writeLine(output, colour.red(`    - ${inertJson(before)}`));
    if (after !== undefined) writeLine(output, colour.green(`    + ${inertJson(after)}`));
  }
}
