/** Patterns and formats of a JSON Schema, matched in linear time whatever a server writes. */

import { format as libraryFormats } from '@cfworker/json-schema';
import { RE2JS } from 're2js';

/** What a string must be: it matches `pattern` and has `format`, those that are given. */
export interface TextConstraint {
  readonly pattern?: string;
  readonly format?: string;
  readonly test: (text: string) => boolean;
  /** Steps that testing one character may take. */
  readonly cost: number;
}

const PATTERN_MAX = 2_000;

/** Known formats whose checks are linear. A format not among them asserts nothing (JSON Schema 2020-12, 7.2.3). */
const FORMATS: ReadonlySet<string> = new Set([
  'date',
  'time',
  'date-time',
  'duration',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'json-pointer',
  'relative-json-pointer',
  'uri',
  'uri-reference',
  'uuid',
]);

/** Escapes and classes that RE2 reads otherwise than ECMA-262. */
const RE2_ONLY = /\\[AzQEC]|\[\[?:/u;

/** A regular expression of the schema as a test, or in one line why it cannot be one. */
export function compilePattern(
  pattern: string,
):
  | { readonly ok: true; readonly test: (text: string) => boolean; readonly cost: number }
  | { readonly ok: false; readonly message: string } {
  const refused = {
    ok: false,
    message: `its pattern \`${pattern.slice(0, 80)}\` cannot be matched in linear time`,
  } as const;
  if (pattern.length > PATTERN_MAX || RE2_ONLY.test(pattern)) return refused;
  try {
    // Compiled only, to refuse what is no ECMA-262 expression; a backtracking one never runs.
    RegExp(pattern);
    const compiled = RE2JS.compile(RE2JS.translateRegExp(pattern));
    return { ok: true, test: (text) => compiled.test(text), cost: Math.ceil(compiled.programSize() / 16) };
  } catch {
    return refused;
  }
}

/** The constraint of a string schema; `undefined` when it asserts nothing, a message when it cannot be used. */
export function constraintOf(
  pattern: string | undefined,
  format: string | undefined,
): TextConstraint | string | undefined {
  const known = format !== undefined && FORMATS.has(format) ? libraryFormats[format] : undefined;
  if (pattern === undefined) {
    return known === undefined || format === undefined ? undefined : { format, test: known, cost: 1 };
  }
  const compiled = compilePattern(pattern);
  if (!compiled.ok) return compiled.message;
  if (known === undefined || format === undefined) return { pattern, test: compiled.test, cost: compiled.cost };
  const test = (text: string): boolean => compiled.test(text) && known(text);
  return { pattern, format, test, cost: compiled.cost + 1 };
}

/** A regular expression without choices that matches exactly one of `names`; `index` keeps equal ones apart. */
export function exactly(names: readonly string[], index: number): string {
  const literal = names.map((name) => name.replaceAll(/[\\^$.*+?()[\]{}|/]/gu, String.raw`\$&`));
  return `^(?:){${index + 1}}(?:${literal.join('|')})$`;
}
