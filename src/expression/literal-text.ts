/** JSON values as literals of expressions. */

import { isJsonObject } from '../value/json.ts';
import type { JsonValue } from '../value/json.ts';

/** A value of JSON as the literal that equals it and nothing else: 1 equals 1.0 in conditions, whatever the schema says. */
export function literal(value: JsonValue): string {
  if (typeof value === 'string') return textLiteral(value);
  if (typeof value === 'number') return numberLiteral(value);
  if (typeof value !== 'object' || value === null) return String(value);
  if (!isJsonObject(value)) return `[${value.map(literal).join(', ')}]`;
  const members = Object.entries(value).map(([name, member]) => `${textLiteral(name)}: ${literal(member)}`);
  return `{${members.join(', ')}}`;
}

/** Whole numbers as `int` as far as that goes; the others are doubles. */
function numberLiteral(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 63) return BigInt(value).toString();
  const text = String(value);
  return /^-?\d+$/u.test(text) ? `${text}.0` : text;
}

/** Letters, digits and signs stand as they are; what cannot be seen, or turns the line around, is escaped. */
function textLiteral(value: string): string {
  const escaped = value.replaceAll(/["\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, (character) => {
    if (character === '"' || character === '\\') return `\\${character}`;
    const point = character.codePointAt(0) ?? 0;
    const digits = point.toString(16);
    return point > 0xffff ? `\\U${digits.padStart(8, '0')}` : `\\u${digits.padStart(4, '0')}`;
  });
  return `"${escaped}"`;
}
