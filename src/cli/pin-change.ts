/** What servers offer now beside what is pinned of them, and the lock that takes some of it. */

import { changesOf, valueChanges } from '../policy/pin/definition-change.ts';
import type { ValueChange } from '../policy/pin/definition-change.ts';
import { type Lock, type LockedServer, lockOf } from '../policy/pin/lock.ts';
import type { LockedPackage } from '../policy/tool/package.ts';
import type { TrustedPin } from '../policy/pin/pin.ts';
import type { ToolDefinition } from '../policy/tool/tool.ts';
import { pinnedPart } from '../policy/tool/tool.ts';

/** One tool that is not as it is pinned. */
export interface PinChange {
  /** Policy name. */
  readonly tool: string;
  /** `added`: nothing pins it yet. `removed`: its server does not offer it any more. */
  readonly kind: 'added' | 'changed' | 'removed';
  /** Clauses such as "its description changed"; none for what is added or removed. */
  readonly what: readonly string[];
  readonly before?: string;
  readonly after?: string;
  readonly values: readonly ValueChange[];
}

/** What servers offered, and what is pinned. */
export interface Beside {
  readonly offered: ReadonlyMap<string, readonly ToolDefinition[]>;
  readonly lock: Lock | undefined;
  readonly trusted: ReadonlyMap<string, TrustedPin>;
}

/** What changed at the servers that were asked, by server and tool; of one tool where `only` names it. */
export function pinChanges({ offered, lock, trusted }: Beside, only?: string): readonly PinChange[] {
  const changes: PinChange[] = [];
  for (const [id, tools] of offered) {
    const locked = lock?.servers.get(id)?.tools ?? new Map<string, ToolDefinition>();
    const live = new Map(tools.map((tool) => [tool.upstreamName, tool]));
    for (const own of [...new Set([...locked.keys(), ...live.keys()])].toSorted()) {
      const tool = `${id}.${own}`;
      if (only !== undefined && only !== tool) continue;
      const change = changeOf(tool, locked.get(own), trusted.get(tool), live.get(own));
      if (change !== undefined) changes.push(change);
    }
  }
  return changes;
}

function changeOf(
  tool: string,
  locked: ToolDefinition | undefined,
  trusted: TrustedPin | undefined,
  live: ToolDefinition | undefined,
): PinChange | undefined {
  const before = locked?.digest ?? trusted?.digest;
  const known = locked ?? trusted?.definition;
  if (live === undefined) {
    return locked === undefined ? undefined : { tool, kind: 'removed', what: [], before: locked.digest, values: [] };
  }
  if (before === undefined || (locked === undefined && before === live.digest)) {
    return { tool, kind: 'added', what: [], after: live.digest, values: added(live) };
  }
  if (before === live.digest) return undefined;
  const what = known === undefined ? ['its definition changed'] : changesOf(known, live);
  const values = known === undefined ? added(live) : valueChanges(known, live);
  return { tool, kind: 'changed', what, before, after: live.digest, values };
}

function added({ raw }: ToolDefinition): readonly ValueChange[] {
  return Object.entries(pinnedPart(raw)).map(([key, after]) => ({ path: `/${key}`, after }));
}

/**
 * The lock with the `taken` changes. Without `only` it then holds every tool of the servers that were asked; what is
 * not taken stays as it was pinned.
 */
export function withChanges({ offered, lock }: Beside, taken: readonly PinChange[], only?: string): Lock {
  const servers = new Map<string, LockedServer>(lock?.servers);
  const names = new Map(taken.map((change) => [change.tool, change]));
  for (const [id, live] of offered) {
    const before = servers.get(id) ?? { complete: false, tools: new Map<string, ToolDefinition>() };
    const tools = new Map(before.tools);
    for (const tool of live) if (names.has(tool.name)) tools.set(tool.upstreamName, tool);
    for (const own of before.tools.keys()) if (names.get(`${id}.${own}`)?.kind === 'removed') tools.delete(own);
    if (only === undefined || tools.size > 0) {
      servers.set(id, Object.freeze({ ...before, complete: only === undefined || before.complete, tools }));
    }
  }
  return lockOf(servers);
}

/** The lock with these packages, by server; what it pins of their tools stays. */
export function withPackages(lock: Lock | undefined, packages: ReadonlyMap<string, LockedPackage>): Lock | undefined {
  if (packages.size === 0) return lock;
  const servers = new Map<string, LockedServer>(lock?.servers);
  for (const [id, held] of packages) {
    const before = servers.get(id) ?? { complete: false, tools: new Map<string, ToolDefinition>() };
    servers.set(id, Object.freeze({ ...before, package: held }));
  }
  return lockOf(servers);
}
