/** Whether values with expressions in them can be what a JSON Schema asks for: only what certainly cannot is told. */

import type { CelType } from '../expression/type.ts';
import { typeText } from '../expression/type.ts';
import { checkValue } from '../schema/schema.ts';
import { type JsonObject, isJsonObject } from '../value/json.ts';
import { shown } from '../document/reader.ts';
import type { Template } from './template.ts';

/** Keywords that are judged apart, or under which a member is decided elsewhere. */
const COMBINING = ['$ref', 'oneOf', 'anyOf', 'allOf', 'if', 'not', '$dynamicRef'];

/** What certainly does not fit, one line each. What cannot be told is left to the run, where it fails the step. */
export function checkArgs(template: Template, schema: JsonObject, what: string): readonly string[] {
  const literal = literalOf(template);
  if (literal !== undefined) {
    return checkValue(schema, literal).map(
      ({ pointer, message }) => `\`${what}${pointer.replaceAll('/', '.')}\` ${message}`,
    );
  }
  if (COMBINING.some((keyword) => Object.hasOwn(schema, keyword))) return [];
  if (template.kind === 'map') return checkMembers(template.members, schema, what);
  if (template.kind === 'list') {
    const { items } = schema;
    return template.items.flatMap((item, index) =>
      isJsonObject(items) ? checkArgs(item, items, `${what}[${index}]`) : [],
    );
  }
  const type: CelType = template.kind === 'expression' ? template.expression.type : { kind: 'string' };
  const { type: wanted } = schema;
  if (typeof wanted !== 'string' || canBe(type, wanted)) return [];
  return [`\`${what}\` must be ${wanted}, and the expression is ${typeText(type)}`];
}

function checkMembers(
  members: readonly (readonly [string, Template])[],
  { properties, required, additionalProperties, patternProperties }: JsonObject,
  what: string,
): readonly string[] {
  const given = new Map(members);
  const known = isJsonObject(properties) ? properties : {};
  const missing = (Array.isArray(required) ? required.map(String) : []).filter((name) => !given.has(name));
  const problems = missing.map((name) => `\`${what}\` has no \`${shown(name)}\`, which is required`);
  for (const [name, member] of members) {
    const schema = Object.hasOwn(known, name) ? known[name] : undefined;
    if (isJsonObject(schema)) problems.push(...checkArgs(member, schema, `${what}.${name}`));
    else if (schema === undefined && additionalProperties === false && patternProperties === undefined) {
      problems.push(`\`${what}\` has \`${shown(name)}\`, which is not known`);
    }
  }
  return problems;
}

/** The value of a template without expressions. */
function literalOf(template: Template): JsonObject[string] | undefined {
  if (template.kind === 'literal') return template.value;
  if (template.kind === 'list') {
    const items = template.items.map(literalOf);
    return items.every((item) => item !== undefined) ? items : undefined;
  }
  if (template.kind !== 'map') return undefined;
  const members = template.members.map(([name, member]) => [name, literalOf(member)] as const);
  if (!members.every((member): member is readonly [string, JsonObject[string]] => member[1] !== undefined))
    return undefined;
  return Object.fromEntries(members);
}

const JSON_TYPES: Readonly<Record<CelType['kind'], readonly string[]>> = {
  bool: ['boolean'],
  int: ['integer', 'number'],
  uint: ['integer', 'number'],
  double: ['number', 'integer'],
  string: ['string'],
  bytes: ['string'],
  null: ['null'],
  timestamp: ['string'],
  duration: ['string'],
  type: ['string'],
  dyn: ['boolean', 'integer', 'number', 'string', 'null', 'array', 'object'],
  list: ['array'],
  map: ['object'],
  object: ['object'],
};

function canBe({ kind }: CelType, wanted: string): boolean {
  return JSON_TYPES[kind].includes(wanted);
}
