/** The operator's idempotency key of a call: what makes two calls the same business, whoever asks. */

import { toJson } from '../../expression/value.ts';
import { canonicalText } from '../../value/canonical.ts';
import type { JsonValue } from '../../value/json.ts';
import type { Request } from '../decide/decision.ts';
import type { Policy } from '../policy.ts';
import { bindingsOf } from '../condition/vocabulary.ts';

/**
 * The canonical JSON of what the tool's `key:` gives for this request; no key where none is declared. A key that
 * errs or is empty is refused, because the call would lose its protection: the caller denies with `reason`.
 */
export function keyOf(
  policy: Policy,
  request: Request,
): { readonly ok: true; readonly key: string | undefined } | { readonly ok: false; readonly reason: string } {
  const tool = policy.tools.get(request.tool);
  if (tool === undefined) return { ok: false, reason: 'there is no such tool' };
  if (tool.invalid !== undefined) return { ok: false, reason: 'the policy is not valid for the tool' };
  if (tool.key === undefined) return { ok: true, key: undefined };
  const { key } = tool;
  const source = (): string => key.source.replaceAll(/\s+/gu, ' ');
  const evaluated = key.evaluate(bindingsOf(policy, tool, request));
  if (!evaluated.ok) return { ok: false, reason: `\`${source()}\` cannot be evaluated: ${evaluated.error.message}` };
  const value = toJson(evaluated.value);
  if (isEmpty(value)) return { ok: false, reason: `\`${source()}\` is empty` };
  return { ok: true, key: canonicalText(value) };
}

function isEmpty(value: JsonValue): boolean {
  if (value === null || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
