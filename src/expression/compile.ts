/** Conditions: source and vocabulary in, an expression to evaluate or the reasons why not out. */

import { isJsonObject } from '../value/json.ts';
import type { JsonValue } from '../value/json.ts';
import { Bound } from './bound.ts';
import type { Bindings } from './bound.ts';
import { checkNames, checkOptionals } from './check.ts';
import { describe } from './describe.ts';
import { emitter } from './emit.ts';
import type { Emission, Eval } from './emission.ts';
import type { Environment } from './environment.ts';
import { openEnvironment } from './environment.ts';
import { burn, fail, Fault, Frame } from './fault.ts';
import type { FaultCode } from './fault.ts';
import type { ExpressionIssue } from './issue.ts';
import { reject, Rejection } from './issue.ts';
import { FUEL_DEFAULT, NESTING_MAX, SOURCE_LENGTH_MAX } from './limits.ts';
import type { Syntax } from './parse.ts';
import { readTree } from './read.ts';
import { findDeepPrefix, splitClauses } from './scan.ts';
import type { Stretch } from './scan.ts';
import type { Node, Tree } from './tree.ts';
import type { CelType, Vocabulary } from './type.ts';
import { typeText } from './type.ts';
import type { CelValue } from './value.ts';
import { isList, JsonList, JsonMap, MapValue, Optional, typeName } from './value.ts';

export { Bound } from './bound.ts';
export type { Bindings } from './bound.ts';
export type { ExpressionIssue } from './issue.ts';

/** Why an evaluation has no value. The message tells names and types, never values. */
export interface EvaluationError {
  readonly code: FaultCode;
  readonly message: string;
  /** UTF-16 units of the source. */
  readonly offset: number;
}

export type Evaluation =
  | { readonly ok: true; readonly value: CelValue }
  | { readonly ok: false; readonly error: EvaluationError };

/** One operand of the top-level `&&` chain. */
export interface Clause {
  readonly text: string;
  /** UTF-16 units of the source. */
  readonly offset: number;
  evaluate(bindings: Bindings | Bound, fuel?: number): Evaluation;
}

/**
 * A checked expression. Evaluation is pure and total: equal bindings give equal answers, it never throws, and it ends
 * after a number of steps that `fuel` (default `FUEL_DEFAULT`) bounds, with `fuel-exhausted` when that is too few.
 */
export interface Expression {
  readonly source: string;
  readonly type: CelType;
  /** What the source says, for those who read conditions instead of evaluating them. */
  readonly root: Node;
  /** In order of the source; the whole when there is no top-level `&&`. */
  readonly clauses: readonly Clause[];
  evaluate(bindings: Bindings | Bound, fuel?: number): Evaluation;
}

export type Compiled =
  | { readonly ok: true; readonly expression: Expression; readonly warnings: readonly ExpressionIssue[] }
  | { readonly ok: false; readonly issues: readonly ExpressionIssue[] };

export interface CompileOptions {
  /** `bool` (the default) refuses what is of another type; an untyped result is then checked when it is there. */
  readonly expect?: 'bool' | 'any';
}

/**
 * Parses, checks and compiles `source`. The answer depends on nothing else; `vocabulary` must not change afterwards,
 * and using one object for many expressions is much faster than equal ones.
 */
export function compile(source: string, vocabulary: Vocabulary, options: CompileOptions = {}): Compiled {
  try {
    const environment = openEnvironment(vocabulary);
    const tree = checkedTree(source, environment, vocabulary);
    const type = environment.typeOf(tree.root.ast);
    const expect = options.expect ?? 'bool';
    if (expect === 'bool' && type.kind !== 'bool' && type.kind !== 'dyn') {
      reject('not-boolean', tree.root.offset, `expected a bool, got ${typeText(type)}`);
    }
    const typeOf = (node: Node): CelType => environment.typeOf(node.ast);
    const warnings = checkOptionals(tree, typeOf);
    return { ok: true, expression: assemble({ source, tree, type, emission: emitter(typeOf), expect }), warnings };
  } catch (error) {
    if (error instanceof Rejection) return { ok: false, issues: [error.issue] };
    throw error;
  }
}

function checkedTree(source: string, environment: Environment, vocabulary: Vocabulary): Tree {
  const syntax = parseSource(source, environment);
  const tree = readTree(syntax.ast, environment);
  checkNames(tree, vocabulary.keys());
  const complaint = syntax.check();
  if (complaint !== undefined) throw new Rejection(describe(complaint, source, environment));
  return tree;
}

/** The syntax of `source`, within the limits. Throws a `Rejection` otherwise. */
export function parseSource(source: string, environment: Environment): Syntax {
  if (source.length > SOURCE_LENGTH_MAX) {
    reject(
      'expression-too-long',
      SOURCE_LENGTH_MAX,
      `expected at most ${SOURCE_LENGTH_MAX} characters, got ${source.length}`,
    );
  }
  const deep = findDeepPrefix(source, NESTING_MAX);
  if (deep !== undefined) reject('expression-too-deep', deep, `expected at most ${NESTING_MAX} prefix operators`);
  const syntax = environment.grammar.parse(source);
  if ('ast' in syntax) return syntax;
  throw new Rejection(describe(syntax, source, environment));
}

interface Parts {
  readonly source: string;
  readonly tree: Tree;
  readonly type: CelType;
  readonly emission: Emission;
  readonly expect: 'bool' | 'any';
}

/** The expression that evaluates `tree`. */
export function assemble({ source, tree, type, emission, expect }: Parts): Expression {
  const frame = new Frame(tree.localsMax);
  const evaluator = (node: Node): Expression['evaluate'] => {
    const running: Running = { run: emission.value(node), frame, expect, offset: node.offset };
    return (bindings, fuel = FUEL_DEFAULT) => {
      const { values } = bindings instanceof Bound ? bindings : new Bound(bindings);
      return evaluate(running, values, fuel);
    };
  };
  const clauses = clausesOf(source, tree.root);
  const whole = evaluator(tree.root);
  return {
    source,
    type,
    root: tree.root,
    clauses: clauses.map(({ node, ...place }) => ({
      ...place,
      evaluate: node === tree.root ? whole : evaluator(node),
    })),
    evaluate: whole,
  };
}

interface ClausePart {
  readonly text: string;
  readonly offset: number;
  readonly node: Node;
}

/** The clauses as the source shows them: a bracketed chain in front is one clause, although the tree is flat. */
function clausesOf(source: string, root: Node): readonly ClausePart[] {
  const stretches = splitClauses(source);
  const part = ({ start, end }: Stretch, node: Node): ClausePart => ({
    text: source.slice(start, end),
    offset: start,
    node,
  });
  const [first, ...others] = stretches;
  if (first === undefined) return [];
  if (root.kind !== 'logic' || root.operator !== '&&' || others.length === 0)
    return [part({ ...first, end: source.length }, root)];
  const own = root.terms.length - others.length;
  const [front] = root.terms;
  if (front === undefined || own < 1) throw new Error('the clauses of an expression are not those of its tree');
  const head: Node = own === 1 ? front : { ...root, terms: root.terms.slice(0, own) };
  return [part(first, head), ...others.map((stretch, i) => part(stretch, root.terms[own + i] ?? head))];
}

interface Running {
  readonly run: Eval;
  readonly frame: Frame;
  readonly expect: 'bool' | 'any';
  readonly offset: number;
}

const TRUE: Evaluation = { ok: true, value: true };
const FALSE: Evaluation = { ok: true, value: false };
const NOTHING: readonly undefined[] = [];

function evaluate(running: Running, variables: readonly (CelValue | undefined)[], fuel: number): Evaluation {
  const { run, frame, expect, offset } = running;
  frame.fuel = fuel;
  frame.variables = variables;
  try {
    const value = run(frame);
    if (value === true) return TRUE;
    if (value === false) return FALSE;
    frame.at = offset;
    if (expect === 'bool') fail(frame, 'not-boolean', `expected bool, got ${typeName(value)}`);
    weigh(frame, value);
    return { ok: true, value };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { ok: false, error: { code: error.code, message: error.message, offset: error.offset } };
  } finally {
    // What was decided about is not kept: it may hold secrets.
    frame.variables = NOTHING;
    for (let i = 0; i < frame.locals.length; i += 1) frame.locals[i] = undefined;
  }
}

/** Pays for every part of an answer: parts may be shared, and who prints it walks them all. */
function weigh(frame: Frame, value: CelValue): void {
  burn(frame, 1);
  if (typeof value !== 'object' || value === null) return;
  if (value instanceof JsonList || value instanceof JsonMap) weighJson(frame, value.raw);
  else if (isList(value)) for (const item of value) weigh(frame, item);
  else if (value instanceof MapValue) for (const [, member] of value.entries.values()) weigh(frame, member);
  else if (value instanceof Optional && value.value !== undefined) weigh(frame, value.value);
}

function weighJson(frame: Frame, value: JsonValue): void {
  burn(frame, 1);
  if (isJsonObject(value)) for (const key of Object.keys(value)) weighJson(frame, value[key] ?? null);
  else if (typeof value === 'object' && value !== null) for (const item of value) weighJson(frame, item);
}
