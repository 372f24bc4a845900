/** What a probe asks about one call, and what its answer says. */

import { toCel, toJson } from '../../expression/value.ts';
import type { JsonObject, JsonValue } from '../../value/json.ts';
import type { Request } from '../decide/decision.ts';
import { outputOf } from './output.ts';
import type { Policy } from '../policy.ts';
import { bindingsOf } from '../condition/vocabulary.ts';

/** The probe of a call as a request for the tool it asks; none where none is declared, or why it cannot be asked. */
export function probeOf(
  policy: Policy,
  request: Request,
):
  | { readonly ok: true; readonly tool: string; readonly args: JsonObject }
  | { readonly ok: false; readonly reason: string } {
  const tool = policy.tools.get(request.tool);
  if (tool?.probe === undefined || tool.invalid !== undefined) return { ok: false, reason: 'it has no probe' };
  const bindings = bindingsOf(policy, tool, request);
  const args: [string, JsonValue][] = [];
  for (const [name, value] of tool.probe.args) {
    const evaluated = value.evaluate(bindings);
    if (!evaluated.ok) return { ok: false, reason: `\`${name}\` cannot be evaluated: ${evaluated.error.message}` };
    args.push([name, toJson(evaluated.value)]);
  }
  return { ok: true, tool: tool.probe.tool, args: Object.fromEntries(args) };
}

/** What a probe that answered `output` says of the call of `request`; nothing when it is not a plain yes or no. */
export function probeSays(policy: Policy, request: Request, output: JsonValue): boolean | undefined {
  const tool = policy.tools.get(request.tool);
  if (tool?.probe === undefined || tool.invalid !== undefined) return undefined;
  const { executed, outputType } = tool.probe;
  const bindings = { ...bindingsOf(policy, tool, request), output: toCel(outputOf(output), outputType) };
  const evaluated = executed.evaluate(bindings);
  return evaluated.ok && typeof evaluated.value === 'boolean' ? evaluated.value : undefined;
}
