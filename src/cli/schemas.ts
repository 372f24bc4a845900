/** Where a command gets the schemas of tools: written in the configuration, else asked of the servers. */

import { inspectServers } from '../gateway/inspect.ts';
import { compilePolicy } from '../policy/compile.ts';
import type { Policy } from '../policy/compile.ts';
import type { ToolDefinition } from '../policy/tool.ts';
import type { Issue } from '../value/issue.ts';
import { systemWorld } from '../world/system.ts';
import type { Loaded, Usable } from './configuration.ts';
import { forbidUse } from './issues.ts';
import { typeShadow } from './shadow.ts';
import { type Terminal, inert, writeLine } from './terminal.ts';
import { VERSION } from './version.ts';

export interface Typed {
  /** Absent when an issue is an error: then it does not load. */
  readonly policy: Policy | undefined;
  /** Of the file and of the policy. */
  readonly issues: readonly Issue[];
  /** Of the shadow, where the file names one; they never keep the policy from being used. */
  readonly shadowIssues: readonly Issue[];
}

type Offered = ReadonlyMap<string, readonly ToolDefinition[]>;

/** Compiles the policy against what the servers offer; with `offline` none is started and unknown tools are warnings. */
export async function typePolicy(
  terminal: Terminal,
  loaded: Loaded,
  options: { readonly offline: boolean },
): Promise<Typed> {
  const { configuration } = loaded;
  if (configuration === undefined) return { policy: undefined, issues: loaded.issues, shadowIssues: [] };
  const usable = { ...loaded, configuration };
  const offered: Offered = options.offline ? new Map() : await ask(terminal, usable);
  const tools = new Map([...offered.values()].flat().map((tool) => [tool.name, tool]));
  const { policy, issues } = compilePolicy(configuration, tools, { complete: new Set(offered.keys()) });
  const silent = options.offline ? [] : silentServers(usable, offered);
  const all = [...loaded.issues, ...silent, ...issues];
  const sorted = all.toSorted((a, b) => a.line - b.line || a.column - b.column);
  const { shadow } = loaded;
  const shadowIssues = shadow === undefined ? [] : typeShadow(configuration, shadow, offered).issues;
  return { policy: forbidUse(all) ? undefined : policy, issues: sorted, shadowIssues };
}

function ask(terminal: Terminal, { configuration, directory }: Usable): Promise<Offered> {
  return inspectServers(configuration.servers, {
    directory,
    environment: terminal.environment,
    world: systemWorld,
    version: VERSION,
    log: (line) => writeLine(terminal.errors, inert(line)),
  });
}

/** A policy whose tools could not be looked at is not checked, and must not look as if it were. */
function silentServers({ configuration, shown }: Usable, offered: Offered): Issue[] {
  return [...configuration.servers.values()]
    .filter(({ id }) => !offered.has(id))
    .map(({ id, place }) => ({
      code: 'server-unavailable',
      severity: 'warning',
      message: `server \`${id}\` did not say what tools it has, so what the policy says of them is not checked`,
      file: shown,
      line: place.line,
      column: place.column,
      hint: 'the lines above say why; --offline does not start it',
    }));
}
