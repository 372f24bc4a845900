/** Whether comparisons of one argument can hold together, decided on one value of each class that they tell apart. */

import { isJsonObject } from '../../value/json.ts';
import type { JsonObject, JsonValue } from '../../value/json.ts';
import { isTrueOf } from './comparison.ts';
import type { Comparison, Scalar } from './comparison.ts';

/** What a schema says of one argument, as far as it is read here: less is never wrong, only blunter. */
export interface Domain {
  readonly choices?: readonly JsonValue[];
  readonly least?: number;
  readonly most?: number;
  readonly above?: number;
  readonly below?: number;
}

/** What `schema` says of the argument at `path`. */
export function domainOf(schema: JsonObject, path: readonly string[]): Domain {
  let node: JsonValue = schema;
  for (const name of path) {
    const properties: JsonValue | undefined = isJsonObject(node) ? node['properties'] : undefined;
    node = isJsonObject(properties) && Object.hasOwn(properties, name) ? (properties[name] ?? {}) : {};
  }
  if (!isJsonObject(node)) return {};
  const read = node;
  const number = (keyword: string): number | undefined => {
    const value = read[keyword];
    return typeof value === 'number' ? value : undefined;
  };
  const { enum: among } = read;
  const choices = Object.hasOwn(read, 'const') ? [read['const'] ?? null] : Array.isArray(among) ? among : undefined;
  const bounds = {
    least: number('minimum'),
    most: number('maximum'),
    above: number('exclusiveMinimum'),
    below: number('exclusiveMaximum'),
  };
  const said = Object.entries(bounds).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(said), ...(choices === undefined ? {} : { choices }) };
}

/**
 * Whether some value of the domain makes `all` true and, where it is given, `not` false. `undefined`: that cannot be told,
 * because a part of a text is compared.
 */
export function someValue(domain: Domain, all: readonly Comparison[], not?: Comparison): boolean | undefined {
  const asked = not === undefined ? all : [...all, not];
  const type = asked[0]?.type;
  const { choices } = domain;
  const partial = asked.some(({ operator }) => PARTS.has(operator));
  if (partial && choices === undefined) return undefined;
  const samples = choices === undefined ? samplesOf(type, asked, domain) : choices.filter((each) => isOf(type, each));
  return samples.some(
    (value) =>
      isIn(domain, value) && all.every((each) => isTrueOf(each, value)) && (not === undefined || !isTrueOf(not, value)),
  );
}

const PARTS: ReadonlySet<Comparison['operator']> = new Set(['startsWith', 'endsWith', 'contains'] as const);

function isOf(type: Comparison['type'] | undefined, value: JsonValue): value is Scalar {
  if (type === 'int' || type === 'double') return typeof value === 'number';
  return type === 'bool' ? typeof value === 'boolean' : typeof value === 'string';
}

function isIn({ least, most, above, below }: Domain, value: Scalar): boolean {
  if (typeof value !== 'number') return true;
  if (least !== undefined && value < least) return false;
  if (most !== undefined && value > most) return false;
  if (above !== undefined && value <= above) return false;
  return below === undefined || value < below;
}

function samplesOf(
  type: Comparison['type'] | undefined,
  asked: readonly Comparison[],
  domain: Domain,
): readonly Scalar[] {
  if (type === 'bool') return [true, false];
  const literals = asked.flatMap(({ literals: each }) => each);
  if (type === 'string') return [...literals, unlike(new Set(literals))];
  const { least, most, above, below } = domain;
  const named = [...literals, least, most, above, below].filter((each) => typeof each === 'number');
  const bounds = [...new Set(named)].toSorted((a, b) => a - b);
  if (type === 'int') {
    const whole = bounds.flatMap((bound) => [
      Math.ceil(bound) - 1,
      Math.floor(bound),
      Math.ceil(bound),
      Math.floor(bound) + 1,
    ]);
    return [0, ...whole];
  }
  const between = bounds.flatMap((bound, i) => [bound, bound / 2 + (bounds[i + 1] ?? bound) / 2]);
  return [...between, (bounds[0] ?? 0) - 1, (bounds.at(-1) ?? 0) + 1, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
}

/** A text that is none of `texts`. */
export function unlike(texts: { has(text: string): boolean }): string {
  let text = '';
  while (texts.has(text)) text += '?';
  return text;
}
