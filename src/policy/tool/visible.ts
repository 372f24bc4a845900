/** Whether a principal may know of a tool: some call of it could be allowed. */

import type { JsonObject } from '../../value/json.ts';
import { knownOf } from '../condition/known.ts';
import { isMethodName } from './method.ts';
import { matches } from './pattern.ts';
import type { Policy, PolicyTool } from '../policy.ts';
import type { ToolDefinition } from './tool.ts';
import { STANDING, standingOf } from '../condition/vocabulary.ts';

const PRINCIPALS_REMEMBERED = 20_000;
const memory = new WeakMap<PolicyTool, Map<string, boolean>>();

/**
 * Whether some arguments of `tool` could be allowed, or asked about, for `principal`. Decided by the conditions'
 * clauses that read no arguments; where it depends on arguments, the answer is yes. Never yes where `decide` could
 * only deny for one of those reasons, and never no where `decide` could allow.
 */
export function couldAllow(policy: Policy, principal: string, tool: string): boolean {
  const found = policy.tools.get(tool);
  return found !== undefined && couldAllowTool(policy, principal, found);
}

/** The same, of a tool of `policy`. One look-up, once it was asked before: a policy may have many principals. */
export function couldAllowTool(policy: Policy, principal: string, found: PolicyTool): boolean {
  const before = memory.get(found)?.get(principal);
  if (before !== undefined) return before;
  // Not remembered: there is no end of names that nobody has.
  if (!knowsPrincipal(policy, principal)) return false;
  const answers = memory.get(found) ?? new Map<string, boolean>();
  memory.set(found, answers);
  const watched = policy.configuration.preset === 'shadow';
  const answer = found.invalid === undefined && (watched || couldMatch(policy, found, principal));
  if (answers.size >= PRINCIPALS_REMEMBERED) answers.clear();
  answers.set(principal, answer);
  return answer;
}

/**
 * Whether a tool that nobody lists now may be one that an `allow` speaks of: its server is configured, none of its
 * tools is known, and a rule's pattern matches the name.
 */
export function couldServe({ configuration, tools }: Policy, name: string): boolean {
  const server = name.slice(0, name.indexOf('.'));
  if (!configuration.servers.has(server)) return false;
  for (const tool of tools.values())
    if (tool.server === server && !isMethodName(tool.definition.upstreamName)) return false;
  if (configuration.preset === 'shadow') return true;
  return configuration.rules.some((rule) => rule.effect === 'allow' && matches(rule.pattern, name));
}

const NOT_REVIEWED =
  'Not available: nobody has reviewed its definition yet, and every call is denied until a person did.';

/**
 * What a host is shown of a tool that its server offers as `live`: the very definition, the reviewed one where the live
 * one is another, and nothing that the server wrote but its name where none was reviewed.
 */
export function shownDefinition({ pin }: PolicyTool, live: ToolDefinition): JsonObject {
  if (pin.quarantine === undefined && pin.departs === undefined) return live.raw;
  if (pin.reviewed !== undefined) return pin.reviewed.raw;
  return { name: live.upstreamName, description: NOT_REVIEWED, inputSchema: { type: 'object' } };
}

/** Whether the policy lets `principal` act at all; without `principals:` everybody may. */
export function knowsPrincipal({ configuration }: Policy, principal: string): boolean {
  const { principals } = configuration;
  return principals === undefined || principal === 'local' || principals.has(principal);
}

function couldMatch(policy: Policy, tool: PolicyTool, principal: string): boolean {
  const bindings = standingOf(policy, tool, principal);
  if (tool.rules.deny.some((rule) => knownOf(rule, STANDING, bindings, 'yes') === 'yes')) return false;
  return tool.rules.allow.some((rule) => knownOf(rule, STANDING, bindings, 'no') !== 'no');
}
