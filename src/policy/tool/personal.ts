/** What of a call is personal, as the operator declares it: `personal:` and `subject:` of its tool. Pure. */

import type { Expression } from '../../expression/compile.ts';
import { toJson } from '../../expression/value.ts';
import { isJsonObject } from '../../value/json.ts';
import type { JsonValue } from '../../value/json.ts';
import { pathOf } from '../condition/comparison.ts';
import type { Request } from '../decide/decision.ts';
import type { Policy, PolicyTool } from '../policy.ts';
import { bindingsOf } from '../condition/vocabulary.ts';
import { CHECK_REQUIRED } from './subject-check.ts';

/** Values of the arguments of a call that the operator declared to be something. */
export interface DeclaredValues {
  /** Where they stand in the arguments, by the names of their members. */
  readonly paths: readonly (readonly string[])[];
  /** Texts and numbers that are it wherever they stand. */
  readonly values: readonly string[];
  /** Why an expression says nothing of this call: then the call cannot be kept as declared. */
  readonly problem?: string;
}

export interface DeclaredPersonal extends DeclaredValues {
  /** Whose data it is, as the call says: names in clear. */
  readonly subjects: readonly string[];
}

const NOTHING: DeclaredPersonal = { subjects: [], paths: [], values: [] };

/**
 * What is declared personal of `request`. An argument that is not there is none; a `subject` that is missing, empty or no
 * text or number is a `problem`, and so is any other expression that errs. What stands in the place of the subject is
 * personal itself.
 */
export function personalOf(policy: Policy, request: Request): DeclaredPersonal {
  const tool = policy.tools.get(request.tool);
  if (tool === undefined || tool.invalid !== undefined) return NOTHING;
  const { personal, subject } = tool;
  if (personal.length === 0 && subject === undefined) return NOTHING;
  const { paths, values, problem } = declaredBy(policy, tool, request, personal);
  if (subject === undefined) return { subjects: [], paths, values, ...(problem === undefined ? {} : { problem }) };
  const path = pathOf(subject.root);
  const named = subjectsOf(policy, tool, request, subject);
  const subjects = typeof named === 'string' ? [] : named;
  const unchecked = tool.subjectCheck === CHECK_REQUIRED ? 'it names its subject, and nothing checks that' : undefined;
  const why = problem ?? (typeof named === 'string' ? named : unchecked);
  const there = path === undefined ? [] : scalarsIn(valueAt(request.args, path));
  return {
    subjects,
    paths: path === undefined ? paths : [...paths, path],
    values: [...new Set([...values, ...there, ...subjects])],
    ...(why === undefined ? {} : { problem: why }),
  };
}

/** What `expressions` name: the place of a plain path such as `args.email`, every text and number that another gives. */
export function declaredBy(
  policy: Policy,
  tool: PolicyTool,
  request: Request,
  expressions: readonly Expression[],
): DeclaredValues {
  const paths: (readonly string[])[] = [];
  const values = new Set<string>();
  let problem: string | undefined;
  for (const expression of expressions) {
    const path = pathOf(expression.root);
    if (path !== undefined) {
      paths.push(path);
      for (const value of scalarsIn(valueAt(request.args, path))) values.add(value);
      continue;
    }
    const found = evaluate(policy, tool, request, expression);
    if (found.ok) for (const value of scalarsIn(found.value)) values.add(value);
    else problem ??= found.reason;
  }
  return { paths, values: [...values], ...(problem === undefined ? {} : { problem }) };
}

/** The names that `subject` gives, or why it gives none. */
function subjectsOf(
  policy: Policy,
  tool: PolicyTool,
  request: Request,
  subject: Expression,
): readonly string[] | string {
  const found = evaluate(policy, tool, request, subject);
  if (!found.ok) return found.reason;
  const listed: readonly JsonValue[] = Array.isArray(found.value) ? found.value : [found.value];
  const names = listed.map((name) => (typeof name === 'number' ? String(name) : name));
  const texts = names.filter((name) => typeof name === 'string' && name !== '') as string[];
  if (texts.length > 0 && texts.length === names.length) return [...new Set(texts)];
  return `\`${shown(subject)}\` names nobody: expected text or a number`;
}

function evaluate(
  policy: Policy,
  tool: PolicyTool,
  request: Request,
  expression: Expression,
): { readonly ok: true; readonly value: JsonValue } | { readonly ok: false; readonly reason: string } {
  const evaluated = expression.evaluate(bindingsOf(policy, tool, request));
  if (evaluated.ok) return { ok: true, value: toJson(evaluated.value) };
  return { ok: false, reason: `\`${shown(expression)}\` cannot be evaluated: ${evaluated.error.message}` };
}

function shown({ source }: Expression): string {
  return source.replaceAll(/\s+/gu, ' ');
}

export function valueAt(value: JsonValue | undefined, path: readonly string[]): JsonValue | undefined {
  let found = value;
  for (const name of path) found = isJsonObject(found) && Object.hasOwn(found, name) ? found[name] : undefined;
  return found;
}

/** Texts and numbers in `value`; a truth value says something only in its place. */
export function scalarsIn(value: JsonValue | undefined): readonly string[] {
  if (typeof value === 'string') return value === '' ? [] : [value];
  if (typeof value === 'number') return [String(value)];
  if (Array.isArray(value)) return value.flatMap(scalarsIn);
  return isJsonObject(value) ? Object.values(value).flatMap(scalarsIn) : [];
}
