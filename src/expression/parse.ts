/**
 * The one door to the CEL library: parsing and type checking. Nothing else of it is used; a test reads the imports.
 *
 * Type rules of ours (macros, object members, long chains) enter its checker as macro type checks on single nodes.
 */

import { Environment, ParseError, TypeError as CelTypeError } from '@marcbachmann/cel-js';
import type { ASTNode, TypeDeclaration } from '@marcbachmann/cel-js';

import { LITERAL_ELEMENTS_MAX, NESTING_MAX, NODES_MAX } from './limits.ts';

export type Ast = ASTNode;
export type { TypeDeclaration } from '@marcbachmann/cel-js';

/** What the checker offers to a type rule. */
export interface Checker {
  check(node: Ast, scope: Scope): TypeDeclaration;
  getType(name: string): TypeDeclaration;
}

/** The names in scope while checking. */
export interface Scope {
  forkWithVariable(name: string, type: TypeDeclaration): Scope;
}

/** The type of a node, said by us; `usual` is what the library says. May throw a `Rejection`. */
export type TypeRule = (checker: Checker, scope: Scope, usual: () => TypeDeclaration) => TypeDeclaration;

interface Meta {
  macro?: { typeCheck(checker: Checker, macro: unknown, scope: Scope): TypeDeclaration };
  alternate?: undefined;
  readonly check: (checker: Checker, node: Ast, scope: Scope) => TypeDeclaration;
}

/** What every node of the library has and its declarations do not tell. */
interface Checkable {
  readonly meta: Meta;
  readonly checkedType?: TypeDeclaration;
}

function checkable(node: Ast): Checkable {
  return node as unknown as Checkable;
}

/** Gives `node` a type rule, over the one it has; a comprehension of the library at this node no longer counts. */
export function typeBy(node: Ast, rule: TypeRule): void {
  const { meta } = checkable(node);
  const before = meta.macro;
  delete meta.alternate;
  meta.macro = {
    typeCheck: (checker, _macro, scope) =>
      rule(checker, scope, () =>
        before === undefined ? meta.check(checker, node, scope) : before.typeCheck(checker, before, scope),
      ),
  };
}

/** The type the checker found for `node`; nothing before the check, or where it did not look. */
export function checkedTypeOf(node: Ast): TypeDeclaration | undefined {
  return checkable(node).checkedType;
}

/** A problem the library found, told by its code; `node` is where, `summary` is its own line. */
export interface Complaint {
  readonly phase: 'parse' | 'check';
  readonly code: string;
  readonly summary: string;
  readonly offset: number;
  readonly node: Ast | undefined;
}

/** A parsed source. `check` types it and answers with what is wrong, if anything; it may throw a `Rejection`. */
export interface Syntax {
  readonly ast: Ast;
  check(): Complaint | undefined;
}

/** What a vocabulary and the functions look like to the library; types are its type names. */
export interface Declarations {
  readonly functions: readonly string[];
  readonly operators: readonly string[];
  readonly namespaces: readonly string[];
  readonly objects: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readonly variables: ReadonlyMap<string, string>;
}

const NEVER_CALLED = (): never => {
  throw new Error('the evaluator of the CEL library was reached');
};

const BASE = new Environment({
  homogeneousAggregateLiterals: false,
  enableOptionalTypes: true,
  limits: {
    maxAstNodes: NODES_MAX,
    maxDepth: NESTING_MAX + 50,
    maxListElements: LITERAL_ELEMENTS_MAX,
    maxMapEntries: LITERAL_ELEMENTS_MAX,
  },
});

/** An environment of the library; the more of it is shared through `parent`, the less each costs. */
export class Grammar {
  readonly #environment: Environment;

  constructor(declarations: Declarations, parent?: Grammar) {
    const environment = (parent === undefined ? BASE : parent.#environment).clone();
    for (const name of declarations.namespaces) environment.registerType(name, { fields: {} });
    for (const [name, fields] of declarations.objects) environment.registerType(name, { fields });
    for (const signature of declarations.functions) environment.registerFunction(signature, NEVER_CALLED);
    for (const signature of declarations.operators) environment.registerOperator(signature, NEVER_CALLED);
    for (const [name, type] of declarations.variables) environment.registerVariable(name, type);
    this.#environment = environment;
  }

  /** The syntax of `source`, or what is wrong with it. */
  parse(source: string): Syntax | Complaint {
    try {
      const parsed = this.#environment.parse(source);
      return {
        ast: parsed.ast,
        check: () => {
          const { error } = parsed.check();
          return error === undefined ? undefined : complaintOf(error);
        },
      };
    } catch (error) {
      return complaintOf(error);
    }
  }
}

/** The library's own errors are complaints; anything else is a bug, or a `Rejection` of a rule, and goes on. */
function complaintOf(error: unknown): Complaint {
  if (!(error instanceof ParseError) && !(error instanceof CelTypeError)) throw error;
  const node = error.node !== undefined && 'op' in error.node ? (error.node as Ast) : undefined;
  return {
    phase: error instanceof ParseError ? 'parse' : 'check',
    code: error.code,
    summary: error.summary,
    offset: error.range?.start ?? error.node?.start ?? 0,
    node,
  };
}
