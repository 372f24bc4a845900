/** A policy made again from what the log holds of it. */

import { canonicalText } from '../value/canonical.ts';
import type { Digest } from '../value/digest.ts';
import { type JsonObject, isJsonObject } from '../value/json.ts';
import { type Policy, compilePolicy } from './compile.ts';
import { type Configuration, parseConfiguration } from './document/configuration.ts';
import { pinKey } from './meter/fact.ts';
import type { PinState } from './pin/pin.ts';
import { type Catalog, recordedState } from './pin/catalog.ts';
import { type ToolDefinition, defineTool } from './tool/tool.ts';

/** The definition under a digest; absent where it is not known. */
export type Definitions = (digest: string) => JsonObject | undefined;

/** `recordedConfiguration` read again, under the digest that identifies it; nothing when it is none. */
export function readRecorded(data: JsonObject, digest: Digest): Configuration | undefined {
  const { servers, ...rest } = data;
  const started = Object.keys(isJsonObject(servers) ? servers : {}).map((id) => [id, { command: 'recorded' }] as const);
  const written = servers === undefined ? rest : { ...rest, servers: Object.fromEntries(started) };
  const parsed = parseConfiguration(canonicalText(written), { file: 'recorded', environment: {} });
  return parsed.ok ? Object.freeze({ ...parsed.value, data, digest }) : undefined;
}

/**
 * The policy of `configuration` over the tools of `catalog`. A tool whose definition is not
 * known takes any arguments: only calls of the others are decided as they were. Nothing when none comes out.
 */
export function recompile(
  configuration: Configuration,
  catalog: Catalog,
  definitions: Definitions,
): Policy | undefined {
  const { complete, lock, tools: listed } = catalog.data;
  const tools = new Map<string, ToolDefinition>();
  const states = new Map<string, PinState>();
  for (const [name, said] of Object.entries(isJsonObject(listed) ? listed : {})) {
    const { definition: digest, pin } = isJsonObject(said) ? said : {};
    const tool = typeof digest === 'string' ? definedAs(name, digest, definitions(digest)) : undefined;
    if (tool === undefined) return undefined;
    tools.set(name, tool);
    states.set(name, recordedState(pin, pinKey(name, tool.digest)));
  }
  const servers = new Set(Array.isArray(complete) ? complete.map(String) : []);
  const { policy } = compilePolicy(configuration, tools, { complete: servers, pins: { states } });
  if (policy === undefined) return undefined;
  return Object.freeze({ ...policy, catalog, ...(typeof lock === 'string' ? { lock: lock as Digest } : {}) });
}

function definedAs(name: string, digest: string, raw: JsonObject | undefined): ToolDefinition | undefined {
  const dot = name.indexOf('.');
  const defined = defineTool(name.slice(0, dot), raw ?? { name: name.slice(dot + 1), inputSchema: { type: 'object' } });
  if (!defined.ok || defined.tool.name !== name) return undefined;
  if (raw !== undefined) return defined.tool.digest === digest ? defined.tool : undefined;
  return Object.freeze({ ...defined.tool, digest: digest as Digest });
}
