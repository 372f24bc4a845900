/** The gates of the policy that come before its rules, in the order of docs/policy.md. */

import type { Decision, Request } from './decision.ts';
import type { FactValues } from '../meter/fact.ts';
import { isClockOff, isKilled, NO_FACTS } from '../meter/fact.ts';
import { deny, judge } from './judge.ts';
import { isTrustedOtherwise } from '../pin/pin.ts';
import type { Policy, PolicyTool } from '../policy.ts';
import { isForHosts } from '../tool/own.ts';
import { checkArguments } from '../../schema/schema.ts';
import * as sentence from './sentence.ts';
import { couldAllowTool, knowsPrincipal } from '../tool/visible.ts';

/**
 * Policy valid, principal known, no kill switch on, clock trusted (but for what only reads), tool known and visible: what
 * must hold before the arguments matter. A tool that the principal may not know of is denied with the code its rules
 * give; what the caller is shown is the caller's affair.
 */
export function admitCaller(policy: Policy, request: Request, facts: FactValues = NO_FACTS): Decision | undefined {
  const tool = toolOf(policy, request);
  if (tool?.invalid !== undefined) return deny('policy-invalid', sentence.invalidTool(tool));
  const open = tool !== undefined && couldAllowTool(policy, request.principal, tool);
  if (!open && !knowsPrincipal(policy, request.principal)) {
    return deny('unknown-principal', sentence.unknownPrincipal(request.tool, request.principal));
  }
  if (isKilled(facts, request)) return deny('kill-switch', sentence.killed(request.tool));
  if (tool?.effect !== 'read' && isClockOff(facts)) return deny('clock-jump', sentence.clockOff(request.tool));
  if (tool === undefined) return deny('unknown-tool', sentence.unknownTool(request.tool));
  if (open) return undefined;
  const decision = judge(policy, request, facts);
  return decision.effect === 'deny' ? decision : deny('no-rule', `${tool.name} is denied: no rule allows it`);
}

/** The tool of the request; what is for hosts is not there for steps of programs. */
function toolOf({ tools }: Policy, { tool, run }: Request): PolicyTool | undefined {
  return run.program !== undefined && isForHosts(tool) ? undefined : tools.get(tool);
}

/** The tool is what was reviewed, or else what was first trusted. */
export function admitPin(policy: Policy, request: Request, facts: FactValues = NO_FACTS): Decision | undefined {
  const tool = policy.tools.get(request.tool);
  if (tool === undefined) return undefined;
  const { quarantine, departs = 'its definition changed since it was first trusted' } = tool.pin;
  if (quarantine !== undefined) return deny('pin-changed', sentence.pinChanged(tool, quarantine));
  return isTrustedOtherwise(tool.pin, facts) ? deny('pin-changed', sentence.pinChanged(tool, departs)) : undefined;
}

/** The arguments fit the tool's schema. */
export function admitArguments(policy: Policy, request: Request): Decision | undefined {
  const tool = policy.tools.get(request.tool);
  if (tool === undefined) return deny('unknown-tool', sentence.unknownTool(request.tool));
  const { downstreamKey } = tool;
  if (downstreamKey?.in === 'arg' && Object.hasOwn(request.args, downstreamKey.name)) {
    return deny('schema-mismatch', sentence.keyArgumentGiven(request.tool, downstreamKey.name));
  }
  const problems = checkArguments(tool.definition, request.args);
  return problems.length === 0 ? undefined : deny('schema-mismatch', sentence.schemaMismatch(tool, problems));
}

/** All gates before the rules; nothing when the request may be judged. */
export function admit(policy: Policy, request: Request, facts: FactValues = NO_FACTS): Decision | undefined {
  return admitCaller(policy, request, facts) ?? admitPin(policy, request, facts) ?? admitArguments(policy, request);
}
