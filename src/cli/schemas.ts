/** Where a command gets the schemas of tools: written in the configuration, else in the lock, else asked of the servers. */

import { inspectServers } from '../gateway/inspect.ts';
import { compilePolicy } from '../policy/compile.ts';
import type { Policy } from '../policy/compile.ts';
import { lockedWhole } from '../policy/pin/pin.ts';
import type { ServerConfiguration } from '../policy/document/server.ts';
import type { ToolDefinition } from '../policy/tool/tool.ts';
import type { Issue } from '../value/issue.ts';
import { type ProgramSource, linkSource } from '../runtime/catalog.ts';
import { systemWorld } from '../world/system.ts';
import { type CommonOptions, type Loaded, type Usable, dataDirectory } from './configuration.ts';
import { startable } from './installed-package.ts';
import { firstError, forbidUse } from './issues.ts';
import { type LoadedPrograms, programIssue, withPrograms } from './program-file.ts';
import { typeShadow } from './shadow.ts';
import { type Terminal, inert, writeLine } from './terminal.ts';
import { VERSION } from './version.ts';
import { writableRoots } from './writable-root.ts';

export interface Typed {
  /** Absent when an issue is an error: then it does not load. */
  readonly policy: Policy | undefined;
  /** Of the file and of the policy. */
  readonly issues: readonly Issue[];
  /** Of the shadow, where the file names one; they never keep the policy from being used. */
  readonly shadowIssues: readonly Issue[];
}

type Offered = ReadonlyMap<string, readonly ToolDefinition[]>;
type Servers = ReadonlyMap<string, ServerConfiguration>;

/**
 * Compiles the policy against what is pinned, and what the servers offer of which the lock does not hold every tool; with
 * `offline` none is started and unknown tools are warnings.
 */
export async function typePolicy(
  terminal: Terminal,
  loaded: Loaded,
  options: Pick<CommonOptions, 'config' | 'data'> & { readonly offline: boolean },
): Promise<Typed> {
  const { configuration } = loaded;
  if (configuration === undefined) return { policy: undefined, issues: loaded.issues, shadowIssues: [] };
  const { lock } = loaded;
  const whole = lockedWhole(configuration, lock);
  const asked = options.offline ? [] : [...configuration.servers].filter(([id]) => !whole.has(id));
  const usable = { ...loaded, configuration };
  const data = dataDirectory(terminal, options);
  const served = await ask(terminal, usable, new Map(asked), data);
  const offered = withPrograms(served, loaded.programs);
  const tools = new Map([...offered.values()].flat().map((tool) => [tool.name, tool]));
  const pins = lock === undefined ? {} : { lock };
  const { policy, issues } = compilePolicy(configuration, tools, { complete: new Set(offered.keys()), pins });
  const silent = silentServers(
    usable,
    asked.map(([, server]) => server).filter(({ id }) => !served.has(id)),
  );
  const isWhole = [...configuration.servers.keys()].every((id) => served.has(id) || whole.has(id));
  const unusable = policy === undefined ? [] : programIssues(policy, loaded.programs, isWhole);
  const all = [...loaded.issues, ...silent, ...issues, ...unusable, ...writableRoots(usable, data)];
  const sorted = all.toSorted((a, b) => a.line - b.line || a.column - b.column);
  const { shadow } = loaded;
  const shadowIssues = shadow === undefined ? [] : typeShadow(configuration, shadow, offered, pins).issues;
  return { policy: forbidUse(all) ? undefined : policy, issues: sorted, shadowIssues };
}

/** What each of `servers` offers, of those that answer; why one does not is told on standard error. */
export function ask(
  terminal: Terminal,
  { directory, lock }: Pick<Loaded, 'directory' | 'lock'>,
  servers: Servers,
  data: string,
): Promise<Offered> {
  const log = (line: string): void => writeLine(terminal.errors, inert(line));
  return inspectServers(startable(servers, lock, data, log), {
    directory,
    environment: terminal.environment,
    world: systemWorld,
    version: VERSION,
    log,
  });
}

/** The programs that cannot be run under the policy; where tools are not known, that may be all that is wrong. */
function programIssues(policy: Policy, loaded: LoadedPrograms | undefined, isWhole: boolean): Issue[] {
  const { configuration } = policy;
  const sourceOf = (name: string): ProgramSource | undefined => loaded?.programs.get(name)?.source;
  return [...(loaded?.programs.values() ?? [])].flatMap(({ name, source }) => {
    const linked = linkSource(policy, configuration.principal, source, sourceOf);
    if (linked.ok) return [];
    return [programIssue(configuration, name, isWhole ? 'error' : 'warning', firstError(linked.issues, source.file))];
  });
}

/** A policy whose tools could not be looked at is not checked, and must not look as if it were. */
function silentServers({ shown }: Usable, servers: readonly ServerConfiguration[]): Issue[] {
  return servers.map(({ id, place }) => ({
    code: 'server-unavailable',
    severity: 'warning',
    message: `server \`${id}\` did not say what tools it has, so what the policy says of them is not checked`,
    file: shown,
    line: place.line,
    column: place.column,
    hint: 'the lines above say why; --offline does not start it',
  }));
}
