/** Servers without a host: asked what they offer, and called by programs. */

import type { Reach } from '../authority/proposal.ts';
import type { ServerConfiguration } from '../policy/document/server.ts';
import type { ToolDefinition } from '../policy/tool/tool.ts';
import type { World } from '../world/world.ts';
import { agreeRevision } from './handshake.ts';
import { performed } from './relay.ts';
import { hasFailed } from './tools.ts';
import { Upstream } from './upstream.ts';

export interface InspectOptions {
  /** The configuration's directory, absolute. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly world: World;
  readonly log: (line: string) => void;
  readonly version: string;
}

/** Servers that run. */
export interface Servers extends AsyncDisposable {
  /** The tools of each server that answered within its `startTimeoutMs`, by server id. */
  readonly tools: ReadonlyMap<string, readonly ToolDefinition[]>;
  /** Nothing while the tool's server cannot be reached. */
  readonly reach: Reach;
}

/** Starts all servers at once; they run until they are disposed of. What they ask is refused: nobody is there to answer. */
export async function openServers(
  servers: ReadonlyMap<string, ServerConfiguration>,
  options: InspectOptions,
): Promise<Servers> {
  const { version, ...around } = options;
  const refused = { error: { code: -32_601, message: 'nobody is here to answer' } };
  const upstreams = [...servers.values()].map(
    (server) =>
      new Upstream(server, {
        ...around,
        clientInfo: { name: 'interlock', title: 'Interlock', version },
        events: { changed: () => {}, request: () => Promise.resolve(refused), notification: () => {} },
      }),
  );
  const found = await Promise.all(
    upstreams.map(async (upstream) => {
      upstream.start({ revision: agreeRevision(undefined), capabilities: {} });
      await upstream.settled();
      return upstream.state === 'ready' ? [[upstream.id, upstream.tools] as const] : [];
    }),
  );
  return {
    tools: new Map(found.flat()),
    reach: (tool) => reachOn(upstreams, tool),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(upstreams.map((upstream) => upstream.stop()));
    },
  };
}

function reachOn(upstreams: readonly Upstream[], tool: string): ReturnType<Reach> {
  for (const upstream of upstreams) {
    const definition = upstream.state === 'ready' ? upstream.tools.find(({ name }) => name === tool) : undefined;
    if (definition === undefined) continue;
    const name = definition.upstreamName;
    return {
      timeoutMs: upstream.server.timeoutMs,
      perform: async (args, meta) => {
        const sent = { name, arguments: args, ...(meta === undefined ? {} : { _meta: meta }) };
        return performed(await upstream.request('tools/call', sent), hasFailed);
      },
    };
  }
  return undefined;
}

/** As `openServers`, of servers that are only asked: none runs any more when the promise resolves. */
export async function inspectServers(
  servers: ReadonlyMap<string, ServerConfiguration>,
  options: InspectOptions,
): Promise<ReadonlyMap<string, readonly ToolDefinition[]>> {
  await using opened = await openServers(servers, options);
  return opened.tools;
}
