/** Where a command gets the schemas of tools: written in the configuration, else asked of the servers. */

import { inspectServers } from '../gateway/inspect.ts';
import { compilePolicy } from '../policy/compile.ts';
import type { Policy } from '../policy/compile.ts';
import type { Configuration } from '../policy/configuration.ts';
import type { Issue } from '../value/issue.ts';
import { systemWorld } from '../world/system.ts';
import type { Loaded } from './configuration.ts';
import { type Terminal, writeLine } from './terminal.ts';
import { VERSION } from './version.ts';

export interface Typed {
  readonly policy: Policy | undefined;
  readonly issues: readonly Issue[];
}

/** Compiles the policy against what the servers offer; with `offline` none is started and unknown tools are warnings. */
export async function typePolicy(
  terminal: Terminal,
  loaded: Loaded & { readonly configuration: Configuration },
  options: { readonly offline: boolean },
): Promise<Typed> {
  const { configuration, directory } = loaded;
  const offered = options.offline
    ? new Map()
    : await inspectServers(configuration.servers, {
        ...{ directory, environment: terminal.environment, world: systemWorld, version: VERSION },
        log: (line) => writeLine(terminal.errors, line),
      });
  const tools = new Map([...offered.values()].flat().map((tool) => [tool.name, tool]));
  return compilePolicy(configuration, tools, { complete: new Set(offered.keys()) });
}
