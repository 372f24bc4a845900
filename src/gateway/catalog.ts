/**
 * The tools of all servers under their names toward the host, in the order of the configuration and of each server, and
 * Interlock's own after them.
 */

import type { ToolDefinition } from '../policy/tool/tool.ts';
import type { JsonObject } from '../value/json.ts';
import type { Door } from './door.ts';
import { hostName } from './names.ts';
import type { OwnTool } from './own.ts';
import type { Upstream } from './upstream.ts';

export interface ListedTool {
  /** Its name toward the host. */
  readonly name: string;
  readonly definition: ToolDefinition;
  /** Whose it is: a server's, or our own. */
  readonly owner:
    | { readonly upstream: Upstream; readonly own?: never }
    | { readonly upstream?: never; readonly own: OwnTool };
}

export class Catalog {
  readonly #upstreams: () => readonly Upstream[];
  readonly #own: () => readonly OwnTool[];
  #tools: ReadonlyMap<string, ListedTool> | undefined;

  constructor(upstreams: () => readonly Upstream[], own: () => readonly OwnTool[]) {
    this.#upstreams = upstreams;
    this.#own = own;
  }

  /** Tools of a server, or of our own, came, changed or are gone. */
  changed(): void {
    this.#tools = undefined;
  }

  /** By name toward the host. What is listed under a name is what a call of it reaches. */
  tools(): ReadonlyMap<string, ListedTool> {
    if (this.#tools !== undefined) return this.#tools;
    const tools = new Map<string, ListedTool>();
    for (const upstream of this.#upstreams()) {
      for (const definition of upstream.tools) {
        const name = hostName(upstream.id, definition.upstreamName);
        // Only two tools of one server can meet here, one of them under the hashed name of the other.
        if (!tools.has(name)) tools.set(name, { name, definition, owner: { upstream } });
      }
    }
    for (const own of this.#own()) {
      const { definition } = own;
      const name = hostName(definition.server, definition.upstreamName);
      tools.set(name, { name, definition, owner: { own } });
    }
    this.#tools = tools;
    return tools;
  }

  /** The definitions that a host is shown: those it may know, as `door` shows them, but for the name. */
  list(door: Pick<Door, 'visible' | 'shown'>): readonly JsonObject[] {
    const listed: JsonObject[] = [];
    for (const { name, definition } of this.tools().values()) {
      if (door.visible(definition.name)) listed.push({ ...door.shown(definition), name });
    }
    return listed;
  }
}
