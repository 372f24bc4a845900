/** Interlock's own tools: which there are, who may call them, and what allows those that need no rule. */

import type { JsonObject } from '../../value/json.ts';
import type { Rule } from '../document/rule.ts';
import type { RuleTable, TypedRule } from '../policy.ts';
import { modelNameOf } from './model.ts';
import { OWN_SERVER, ownDefinition } from './own-definition.ts';
import { PROGRAM_TOOLS } from './own-programs.ts';
import type { ToolDefinition } from './tool.ts';

const PLACE = { line: 1, column: 1 };

const GET_CALL_RAW = {
  name: 'get_call',
  title: 'Get a call',
  description:
    'Where a call that you made through Interlock stands: its state, its result once there is one, when the approval ' +
    'it waits for expires, or how its unknown outcome is settled. It runs nothing.',
  inputSchema: {
    type: 'object',
    properties: { id: { type: 'string', description: 'the id in `_meta["interlock/call"]` of the answer' } },
    required: ['id'],
    additionalProperties: false,
  },
  annotations: { readOnlyHint: true, idempotentHint: true, destructiveHint: false, openWorldHint: false },
};

/** Shows a caller its own calls. Conditions see its arguments untyped: rules about `*` are written for other tools. */
export const GET_CALL: ToolDefinition = ownDefinition(GET_CALL_RAW, { type: 'object', required: ['id'] });

const ASK_RAW = {
  name: 'ask',
  title: 'Ask people',
  description: 'A step of a program asks people who hold a role, and goes on with what they answer.',
  inputSchema: {
    type: 'object',
    properties: {
      show: { type: 'string', description: 'what they are asked' },
      approvers: { type: 'string', description: 'the role, or the principal, that may answer' },
      timeoutMs: { type: 'integer', minimum: 1, description: 'how long the question stands, milliseconds' },
    },
    required: ['show', 'approvers', 'timeoutMs'],
    additionalProperties: false,
  },
};

/** A step `ask` of a program: it waits for an approval, and does nothing by itself. */
export const ASK: ToolDefinition = ownDefinition(ASK_RAW, {
  type: 'object',
  required: ['show', 'approvers', 'timeoutMs'],
});

/** What asks for the call of a step `ask`, among the rules of a decision. No rule of a file can be named so. */
export const ASK_RULE: string = ASK.name.replace('.', '/');

/** Whether only steps of programs may call the tool: for everybody else it does not exist. */
export function isForPrograms(tool: string): boolean {
  return tool === ASK.name || modelNameOf(tool) !== undefined;
}

/** Whether Interlock itself carries the tool out, programs that are tools included. */
export function isOwn({ server }: Pick<ToolDefinition, 'server'>): boolean {
  return server === OWN_SERVER;
}

/** Those that everybody the policy knows may call, or is asked by, unless a rule denies them. */
export const ALWAYS: readonly ToolDefinition[] = [GET_CALL, ASK];

export const OWN_TOOLS: readonly ToolDefinition[] = [...ALWAYS, ...PROGRAM_TOOLS.map(({ definition }) => definition)];

const OWN_NAMES: ReadonlySet<string> = new Set(OWN_TOOLS.map(({ name }) => name));

export function isOwnTool(tool: string): boolean {
  return OWN_NAMES.has(tool);
}

/** Whether steps of programs may not call the tool: for them it does not exist, so that no run can start another. */
export function isForHosts(tool: string): boolean {
  return tool.startsWith(`${OWN_SERVER}.`) && tool !== ASK.name;
}

/** The terms on which the question of a step `ask` is answered, as its arguments say them. */
export function askTerms({ approvers, timeoutMs }: JsonObject): Pick<Rule, 'approvers' | 'expiresMs'> {
  // What fits the schema of the tool is a text and a number; anything else finds nobody, and is over.
  return {
    approvers: typeof approvers === 'string' ? [approvers] : [],
    expiresMs: typeof timeoutMs === 'number' ? timeoutMs : 0,
  };
}

/** What allows the tool, and asks for it, with the place among all rules; the id is none that a file may write. */
export function ownRules(tool: ToolDefinition, order: number): Pick<RuleTable, 'allow' | 'ask'> {
  const { name, upstreamName } = tool;
  const rule = (effect: 'allow' | 'ask'): TypedRule => {
    const pattern = { text: name, runs: [name], place: PLACE };
    return { rule: { id: `${OWN_SERVER}/${upstreamName}`, place: PLACE, effect, pattern }, order };
  };
  return { allow: [rule('allow')], ask: tool === ASK ? [rule('ask')] : [] };
}
