/** What there is to decide on: tools the servers list, tools described inline, and the methods of every server. */

import { digestOf } from '../../value/digest.ts';
import type { Issue } from '../../value/issue.ts';
import type { Configuration } from '../document/configuration.ts';
import { isMethodName, methodsOf } from './method.ts';
import { modelTool } from './model.ts';
import { couldMatchServer, serverOf } from './pattern.ts';
import type { Pattern } from './pattern.ts';
import { lockedWhole, pinTools } from '../pin/pin.ts';
import type { Pins, PinState } from '../pin/pin.ts';
import { type Catalog, catalogOf } from '../pin/catalog.ts';
import { MODEL_SERVER, RESERVED_SERVERS } from '../document/server.ts';
import { OWN_SERVER } from './own-definition.ts';
import { defineTool } from './tool.ts';
import type { ToolDefinition } from './tool.ts';

export interface Served {
  /** By policy name: what calls are judged by. */
  readonly tools: ReadonlyMap<string, ToolDefinition>;
  /** How the tools of servers stand to their pins, by policy name. */
  readonly pins: ReadonlyMap<string, PinState>;
  /** Servers that are configured or serve something. */
  readonly servers: ReadonlySet<string>;
  /** Servers of which every tool is known. */
  readonly complete: ReadonlySet<string>;
  /** The tools of servers, for the log. */
  readonly catalog: Catalog;
  readonly issues: readonly Issue[];
}

/**
 * Gathers what is served. `listed` are the definitions known so far, `lists` the servers whose lists those are. What is
 * pinned stands as it is pinned.
 */
export function gather(
  configuration: Configuration,
  listed: ReadonlyMap<string, ToolDefinition>,
  lists: ReadonlySet<string>,
  pinned: Pins,
): Served {
  const tools = new Map<string, ToolDefinition>();
  const pins = new Map<string, PinState>();
  const complete = new Set([...lists].filter((id) => id !== OWN_SERVER));
  const servers = new Set<string>([...configuration.servers.keys(), ...complete]);
  const issues: Issue[] = [];
  const offered = new Map([...listed].filter((one) => !isOwn(one)));
  // Programs: no server can change what they are.
  for (const [name, tool] of [...listed].filter(isOwn)) {
    tools.set(name, tool);
    pins.set(name, {});
  }
  for (const [name, { tool, pin }] of pinTools(configuration, offered, complete, pinned)) {
    servers.add(tool.server);
    if (isMethodName(tool.upstreamName)) issues.push(methodNamed(configuration.file, tool));
    else {
      tools.set(name, tool);
      pins.set(name, pin);
      if (pin.quarantine !== undefined) issues.push(quarantined(configuration, tool, pin.quarantine));
    }
  }
  const inline = new Set<string>();
  for (const { pattern, declared } of configuration.tools) {
    if (declared.input === undefined || !pattern.text.includes('.')) continue;
    const tool = describedInline(pattern.text, declared.input, tools.get(pattern.text));
    if (tool === undefined) continue;
    tools.set(tool.name, tool);
    if (!servers.has(tool.server)) inline.add(tool.server);
  }
  for (const model of configuration.models.values()) {
    const tool = modelTool(model);
    tools.set(tool.name, tool);
    inline.add(tool.server);
  }
  for (const server of servers) for (const method of methodsOf(server)) tools.set(method.name, method);
  const whole = [...complete, ...lockedWhole(configuration, pinned.lock)];
  const catalog = catalogOf(tools, pins, whole, pinned.lock?.digest);
  return {
    tools,
    pins,
    servers: new Set([...servers, ...inline]),
    complete: new Set([...whole, ...inline]),
    catalog,
    issues,
  };
}

/** A program that is a tool. */
function isOwn([, { server }]: readonly [string, ToolDefinition]): boolean {
  return server === OWN_SERVER;
}

function describedInline(
  name: string,
  input: ToolDefinition['inputSchema'],
  served: ToolDefinition | undefined,
): ToolDefinition | undefined {
  if (served !== undefined) return Object.freeze({ ...served, inputSchema: input });
  const dot = name.indexOf('.');
  const upstreamName = name.slice(dot + 1);
  if (isMethodName(upstreamName)) return undefined;
  const defined = defineTool(name.slice(0, dot), { name: upstreamName, inputSchema: input });
  return defined.ok ? defined.tool : undefined;
}

function methodNamed(file: string, tool: ToolDefinition): Issue {
  const message = `server \`${tool.server}\` has a tool \`${tool.upstreamName}\`, which is the name of a method: it is not served`;
  return { code: 'tool-name-reserved', severity: 'warning', message, file, line: 1, column: 1 };
}

function quarantined({ file, servers }: Configuration, { name, server }: ToolDefinition, why: string): Issue {
  const { line, column } = servers.get(server)?.place ?? { line: 1, column: 1 };
  const message = `\`${name}\` is denied until somebody reviews it: ${why}`;
  const hint = `see it with \`interlock pin ${name} --diff\`, and take it with \`--accept\``;
  return { code: 'pin-changed', severity: 'warning', message, file, line, column, hint };
}

/** What a pattern that matches nothing means: a mistake, or a server whose tools are not known yet. */
export function missOf(
  pattern: Pattern,
  served: Served,
): { readonly kind: 'unknown-server' | 'no-tool' | 'not-yet'; readonly message: string } {
  const server = serverOf(pattern);
  if (server !== undefined && !served.servers.has(server)) {
    return { kind: 'unknown-server', message: unknownServer(server) };
  }
  const waiting = [...served.servers].filter((id) => couldMatchServer(pattern, id) && !served.complete.has(id));
  if (waiting.length === 0) return { kind: 'no-tool', message: `\`${pattern.text}\` matches no tool that is served` };
  const message = `\`${pattern.text}\` matches nothing so far: the tools of \`${waiting.join('`, `')}\` are not known`;
  return { kind: 'not-yet', message };
}

function unknownServer(server: string): string {
  if (server === OWN_SERVER) return 'Interlock has no such tool of its own';
  if (server === MODEL_SERVER) return 'no model is configured under `models`';
  if (RESERVED_SERVERS.includes(server)) return `tools of \`${server}\` are not available yet`;
  return `no server \`${server}\` is configured`;
}

/** The digest that tells whether two tools take the same arguments. */
export function schemaDigest(tool: ToolDefinition): string {
  return digestOf(tool.inputSchema);
}

/** The digest that tells whether two tools answer alike. */
export function outputDigest(tool: ToolDefinition): string {
  return digestOf(tool.outputSchema ?? null);
}
