/** References as they stand in a value, each in the place of what is hidden there. */

import { cut } from '../guard/secret/find.ts';
import { pointerStep } from '../ledger/recorded.ts';
import { type JsonValue, isJsonObject } from '../value/json.ts';
import type { Hidden } from './hidden.ts';

/** Where a value stands that a reference is to: nothing of it is kept here. */
export type Place = {
  readonly call: string;
  /** Into its result, or its arguments: a JSON pointer. */
  readonly pointer: string;
  readonly hidden: Hidden;
} & ({ readonly of: 'output' } | { readonly of: 'args'; /** Of the entry that has them. */ readonly position: number });

/** Whom a reference is for: nobody else can open it. */
export interface Scope {
  readonly principal: string;
  readonly session: string;
}

/** `output` with what `to` makes of what is hidden; a name, which nothing leads to, is cut. */
export function referred(
  output: JsonValue,
  pointer: string,
  look: (text: string) => readonly Hidden[],
  to: (hidden: Hidden, value: string, pointer: string) => string,
): JsonValue {
  if (typeof output === 'string' || typeof output === 'number') {
    const text = String(output);
    const found = look(text);
    return found.length === 0
      ? output
      : cut(text, found, (hidden) => to(hidden, text.slice(hidden.start, hidden.end), pointer));
  }
  if (Array.isArray(output)) {
    return (output as readonly JsonValue[]).map((item, index) =>
      referred(item, pointer + pointerStep(index), look, to),
    );
  }
  if (!isJsonObject(output)) return output;
  const members = Object.entries(output).map(
    ([name, member]) => [cut(name, look(name)), referred(member, pointer + pointerStep(name), look, to)] as const,
  );
  return Object.fromEntries(members);
}
