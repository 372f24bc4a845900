/** Asks servers what they offer, without a host: for the commands that check a policy against real tools. */

import type { ServerConfiguration } from '../policy/document/server.ts';
import type { ToolDefinition } from '../policy/tool/tool.ts';
import type { World } from '../world/world.ts';
import { agreeRevision } from './handshake.ts';
import { Upstream } from './upstream.ts';

export interface InspectOptions {
  /** The configuration's directory, absolute. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly world: World;
  readonly log: (line: string) => void;
  readonly version: string;
}

/**
 * The tools of each server that answered within its `startTimeoutMs`, by server id. All are started at once and none
 * runs any more when the promise resolves.
 */
export async function inspectServers(
  servers: ReadonlyMap<string, ServerConfiguration>,
  options: InspectOptions,
): Promise<ReadonlyMap<string, readonly ToolDefinition[]>> {
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
  await Promise.all(upstreams.map((upstream) => upstream.stop()));
  return new Map(found.flat());
}
