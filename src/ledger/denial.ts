/** Denials that are counted instead of recorded one by one, and what their entry says of them. Pure. */

import { type JsonObject, type JsonValue, isJsonObject } from '../value/json.ts';
import { parseInstant } from '../value/time.ts';

/** Denials of one principal and code that one process records within a span; further ones it counts. */
export const DENIALS_MAX = 20;
/** The span, from the first of them on, milliseconds. */
export const DENIALS_SPAN_MS = 60_000;
/** Tools that are named; `toolsMore` says that there were others. */
export const DENIED_TOOLS_MAX = 8;

/** An entry `denial.repeated`: what of one span is no entry of its own. */
export interface RepeatedDenials {
  readonly principal: string;
  readonly code: string;
  /** How many, 1 at least. */
  readonly count: number;
  /** How many of the same span are entries, as far as the process knows. */
  readonly recorded: number;
  /** Of those that are counted; milliseconds since the epoch. */
  readonly first: number;
  readonly last: number;
  readonly tools: readonly string[];
}

type Read =
  | { readonly ok: true; readonly repeated: RepeatedDenials }
  | { readonly ok: false; readonly message: string };

/** The fields of such an entry; or which one is not as it must be. */
export function readRepeated(fields: JsonObject): Read {
  const { principal, code, count, recorded, instance, tools, toolsMore } = fields;
  const [first, last] = [instantOf(fields['first']), instantOf(fields['last'])];
  if (typeof principal !== 'string') return missing('principal');
  if (typeof code !== 'string' || code === '') return missing('code');
  if (!isCount(count) || count === 0) return missing('count');
  if (!isCount(recorded) || recorded > DENIALS_MAX) return missing('recorded');
  if (first === undefined) return missing('first');
  if (last === undefined || last < first || last - first >= DENIALS_SPAN_MS) return missing('last');
  if (typeof instance !== 'string' || instance === '') return missing('instance');
  if (!isTools(tools)) return missing('tools');
  if (toolsMore !== undefined && toolsMore !== true) return missing('toolsMore');
  return { ok: true, repeated: { principal, code, count, recorded, first, last, tools } };
}

function instantOf(value: JsonValue | undefined): number | undefined {
  return typeof value === 'string' ? parseInstant(value) : undefined;
}

function isCount(value: JsonValue | undefined): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isTools(value: JsonValue | undefined): value is string[] {
  return Array.isArray(value) && value.length <= DENIED_TOOLS_MAX && value.every((tool) => typeof tool === 'string');
}

function missing(field: string): { readonly ok: false; readonly message: string } {
  return { ok: false, message: `the entry lacks a usable \`${field}\`` };
}

/** The code of a `call.denied`. */
export function deniedCode({ policy }: JsonObject): string | undefined {
  const code = isJsonObject(policy) ? policy['code'] : undefined;
  return typeof code === 'string' ? code : undefined;
}
