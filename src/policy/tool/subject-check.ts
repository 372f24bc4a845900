/** `subjectCheck:` — which tool, that reads, knows whose data a call is about; or that a name alone is refused. Pure. */

import { isJsonObject } from '../../value/json.ts';
import type { JsonObject, JsonValue } from '../../value/json.ts';
import type { Request } from '../decide/decision.ts';
import type { Policy } from '../policy.ts';
import { outputOf } from './output.ts';

/** In the place of a tool: a subject that nothing checks is refused. */
export const CHECK_REQUIRED = 'required';

/**
 * What is asked before a call that names its subject: the tool, and those of the call's arguments that its schema names.
 * Nothing where nothing checks it; without `args` where nobody serves the tool.
 */
export function subjectCheckOf(
  policy: Policy,
  request: Request,
): { readonly tool: string; readonly args?: JsonObject } | undefined {
  const { subject, subjectCheck: name } = policy.tools.get(request.tool) ?? {};
  if (subject === undefined || name === undefined || name === CHECK_REQUIRED) return undefined;
  const asked = policy.tools.get(name);
  if (asked === undefined) return { tool: name };
  const { properties } = asked.definition.inputSchema;
  const taken = Object.entries(request.args).filter(
    ([argument]) => isJsonObject(properties) && Object.hasOwn(properties, argument),
  );
  return { tool: name, args: Object.fromEntries(taken) };
}

/** Whether a tool that succeeded with `output` knows the subject: it said something, and not `false`. */
export function knowsSubject(output: JsonValue): boolean {
  const content = outputOf(output);
  if (typeof content !== 'object' || content === null) return Boolean(content);
  return Object.keys(content).length > 0;
}
