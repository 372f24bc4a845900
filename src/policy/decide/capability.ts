/**
 * What a run of a program may do, as the policy says it when the run starts: each tool that the program names, with its
 * definition and the rules that speak of it. A run goes on only as long as the policy in force says the same. Pure.
 */

import { type Digest, digestOf } from '../../value/digest.ts';
import type { JsonObject, JsonValue } from '../../value/json.ts';
import { ruleDigest } from '../approval/exception.ts';
import type { Policy, PolicyTool } from '../policy.ts';

/** Frozen when a run starts, and the same for the programs that it calls. */
export interface Capability {
  readonly digest: Digest;
  /** Names of tools, sorted. */
  readonly tools: readonly string[];
}

/** What `digest` of the capability over `tools` is the digest of. */
export function capabilityData(policy: Policy, tools: Iterable<string>): JsonObject {
  const named = [...new Set(tools)].toSorted().map((name) => [name, toolData(policy.tools.get(name))] as const);
  return { tools: Object.fromEntries(named) };
}

export function capabilityOf(policy: Policy, tools: Iterable<string>): Capability {
  const data = capabilityData(policy, tools);
  return { digest: digestOf(data), tools: Object.keys(data['tools'] ?? {}) };
}

const memory = new WeakMap<Policy, WeakMap<Capability, boolean>>();

/** Whether `policy` still says of its tools what it said when `capability` was taken. */
export function isCapable(policy: Policy, capability: Capability): boolean {
  const answers = memory.get(policy) ?? new WeakMap<Capability, boolean>();
  memory.set(policy, answers);
  const known = answers.get(capability);
  if (known !== undefined) return known;
  const answer = capabilityOf(policy, capability.tools).digest === capability.digest;
  answers.set(capability, answer);
  return answer;
}

function toolData(tool: PolicyTool | undefined): JsonValue {
  if (tool === undefined) return null;
  const { allow, ask, deny } = tool.rules;
  const rules = [...allow, ...ask, ...deny].toSorted((one, other) => one.order - other.order);
  return {
    definition: tool.definition.digest,
    effect: tool.effect,
    rules: [...new Set(rules.map(({ rule }) => ruleDigest(rule)))],
  };
}
