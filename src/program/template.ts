/** Values of a program: JSON in which `${{ CEL }}` stands for what an expression gives. */

import type { Bindings, Expression } from '../expression/compile.ts';
import { type CelValue, Uint, toJson } from '../expression/value.ts';
import type { JsonObject, JsonValue } from '../value/json.ts';

/** An expression alone keeps the type of its value; among text it becomes text. Data is never looked at for expressions. */
export type Template =
  | { readonly kind: 'literal'; readonly value: JsonValue }
  | { readonly kind: 'expression'; readonly expression: Expression }
  | { readonly kind: 'text'; readonly parts: readonly (string | Expression)[] }
  | { readonly kind: 'list'; readonly items: readonly Template[] }
  | { readonly kind: 'map'; readonly members: readonly (readonly [name: string, value: Template])[] };

/** The message names types and names, never values. */
export type Filled<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly message: string };

/** What a template may grow to, in UTF-16 units of its texts. */
const FILLED_MAX: number = 1024 * 1024;

/** The value of `template`; why there is none where an expression has none. Pure and total. */
export function fill(template: Template, bindings: Bindings): Filled<JsonValue> {
  const room = { left: FILLED_MAX };
  return filled(template, bindings, room);
}

/** As `fill`, of a template that is a map: anything else is a bug. */
export function fillObject(template: Template, bindings: Bindings): Filled<JsonObject> {
  const made = fill(template, bindings);
  if (!made.ok) return made;
  if (typeof made.value !== 'object' || made.value === null || Array.isArray(made.value)) {
    return { ok: false, message: `expected an object, got ${typeof made.value}` };
  }
  return { ok: true, value: made.value as JsonObject };
}

/** As `fill`, of what people or models are to read: a value that has no one text is told. */
export function fillText(template: Template, bindings: Bindings): Filled<string> {
  const made = fill(template, bindings);
  if (!made.ok) return made;
  if (typeof made.value === 'string') return { ok: true, value: made.value };
  if (typeof made.value === 'number' || typeof made.value === 'boolean') return { ok: true, value: `${made.value}` };
  return { ok: false, message: 'expected a text, and the expression has none: convert it' };
}

interface Room {
  left: number;
}

function filled(template: Template, bindings: Bindings, room: Room): Filled<JsonValue> {
  switch (template.kind) {
    case 'literal':
      return { ok: true, value: template.value };
    case 'expression': {
      const value = evaluated(template.expression, bindings);
      return value.ok ? { ok: true, value: toJson(value.value) } : value;
    }
    case 'text':
      return textOf(template.parts, bindings, room);
    case 'list': {
      const items: JsonValue[] = [];
      for (const item of template.items) {
        const value = filled(item, bindings, room);
        if (!value.ok) return value;
        items.push(value.value);
      }
      return { ok: true, value: items };
    }
    case 'map': {
      const members: [string, JsonValue][] = [];
      for (const [name, member] of template.members) {
        const value = filled(member, bindings, room);
        if (!value.ok) return value;
        members.push([name, value.value]);
      }
      return { ok: true, value: Object.fromEntries(members) };
    }
  }
}

function evaluated(expression: Expression, bindings: Bindings): Filled<CelValue> {
  const evaluation = expression.evaluate(bindings);
  if (evaluation.ok) return evaluation;
  return { ok: false, message: `\`${expression.source}\`: ${evaluation.error.message}` };
}

function textOf(parts: readonly (string | Expression)[], bindings: Bindings, room: Room): Filled<JsonValue> {
  let whole = '';
  for (const part of parts) {
    const text = typeof part === 'string' ? part : partOf(part, bindings);
    if (typeof text !== 'string') return text;
    whole += text;
    if (whole.length > room.left) return { ok: false, message: `it grows beyond ${FILLED_MAX} characters` };
  }
  room.left -= whole.length;
  return { ok: true, value: whole };
}

/** Texts, numbers and booleans have one obvious text; what has none is a mistake that is told. */
function partOf(expression: Expression, bindings: Bindings): string | Filled<never> {
  const result = evaluated(expression, bindings);
  if (!result.ok) return result;
  const { value } = result;
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value instanceof Uint) return String(value.value);
  return { ok: false, message: `\`${expression.source}\` has no text: convert it, or let it stand alone` };
}

/** Every expression in `template`. */
export function* expressionsOf(template: Template): Generator<Expression, void> {
  if (template.kind === 'expression') yield template.expression;
  else if (template.kind === 'text') yield* template.parts.filter((part) => typeof part !== 'string');
  else if (template.kind === 'list') for (const item of template.items) yield* expressionsOf(item);
  else if (template.kind === 'map') for (const [, member] of template.members) yield* expressionsOf(member);
}
