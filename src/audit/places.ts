/** The places of recorded arguments and the types of what stands there: names and forms, no values. */

import { commitmentsIn, pointerStep } from '../ledger/recorded.ts';
import { type JsonObject, type JsonValue, isJsonObject } from '../value/json.ts';

/** `sealed`: a personal value, erased or not, or arguments too large for their entry; `secret`: nothing is kept of it. */
export type ValueType = 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object' | 'sealed' | 'secret';

export interface Place {
  /** A JSON pointer (RFC 6901) into the arguments; empty for all of them. */
  readonly pointer: string;
  /** The same with `*` for each place in a list. */
  readonly pattern: string;
  readonly type: ValueType;
}

/** Every place of arguments as an entry holds them, from the outside in; nothing is inside of what is sealed or secret. */
export function placesIn(recorded: JsonValue): readonly Place[] {
  const sealed = commitmentsIn(recorded);
  const places: Place[] = [];
  const visit = (value: JsonValue, pointer: string, pattern: string): void => {
    const type = sealed.has(pointer) ? 'sealed' : isSecret(value) ? 'secret' : typeOf(value);
    places.push({ pointer, pattern, type });
    if (type === 'array') {
      for (const [at, item] of (value as readonly JsonValue[]).entries()) {
        visit(item, pointer + pointerStep(at), `${pattern}/*`);
      }
    } else if (type === 'object') {
      for (const [name, item] of Object.entries(literal(value as JsonObject))) {
        visit(item, pointer + pointerStep(name), pattern + pointerStep(name));
      }
    }
  };
  visit(recorded, '', '');
  return places;
}

/** An object with a key that begins with `$` stands in `$lit`, so that none passes for what only an entry says. */
function literal(value: JsonObject): JsonObject {
  const { $lit: inner } = value;
  return Object.keys(value).length === 1 && isJsonObject(inner) ? inner : value;
}

function isSecret(value: JsonValue): boolean {
  return isJsonObject(value) && Object.keys(value).length === 1 && typeof value['$secret'] === 'string';
}

function typeOf(value: JsonValue): ValueType {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  const type = typeof value;
  return type === 'string' || type === 'number' || type === 'boolean' ? type : 'object';
}
