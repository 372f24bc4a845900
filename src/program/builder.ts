/** Programs written in TypeScript: the document that YAML would be, with steps and words that the compiler knows. */

import { literal } from '../expression/literal-text.ts';
import type { JsonValue } from '../value/json.ts';
import type { Kind, ProgramDocument } from './document-type.ts';
import type { Expressions, Wrong } from './read-type.ts';

/**
 * `document` as it is, for `compileProgram(JSON.stringify(document), …)`; its digest is that of the same document in
 * YAML or JSON. Where it is written out, the compiler knows its steps: `next`, `on_error` and the like name one that is
 * there, expressions read steps that leave an output, and compare a model's output with words of its `outputs` only.
 * What types cannot tell is checked when the program is compiled.
 */
export function defineProgram<const P extends Stepped>(document: [P] extends [Checked<P>] ? P : Checked<P>): P {
  return document as P;
}

/** `${{ source }}`: what the expression gives, in a value of a program. */
export function expr<const E extends string>(source: E): `\${{ ${E} }}` {
  return `\${{ ${source} }}`;
}

/** An expression in which values stand as literals, whatever is in them: ``cel`input.amount > ${limit}` ``. */
export function cel(source: TemplateStringsArray, ...values: readonly JsonValue[]): string {
  return String.raw({ raw: source.raw }, ...values.map(literal));
}

/** What is inferred of a document before it is looked at: anything with steps. */
interface Stepped {
  readonly steps: Readonly<Record<string, object>>;
}

/** `P` as it must be, as far as it is written out. */
type Checked<P extends Stepped> = string extends keyof P['steps']
  ? ProgramDocument
  : Fine<P, ProgramDocument<keyof P['steps'] & string>, P['steps']>;

/** `T` as `Shape` asks for it, with no other keys; where a text reads what is not there, what is wrong stands for it. */
type Fine<T, Shape, S> = T extends string
  ? Text<Expressions<T>, Shape, S>
  : AnyKey extends Shape
    ? Data<T, S>
    : T extends readonly unknown[]
      ? { readonly [I in keyof T]: Fine<T[I], Item<Shape>, S> }
      : T extends object
        ? Members<T, OfKind<T, Shape>, S>
        : Shape;

/** Only what takes anybody's data takes this. */
type AnyKey = Readonly<Record<' ', 1>>;

type Data<T, S> = T extends string
  ? Text<Expressions<T>, T, S>
  : string extends keyof T
    ? T
    : T extends object
      ? { readonly [K in keyof T]: Data<T[K], S> }
      : T;

type Members<T, Shape, S> = Omit<Shape, keyof T> & {
  readonly [K in keyof T]: K extends keyof Shape
    ? K extends 'when'
      ? Text<T[K] & string, string, S>
      : Fine<T[K], NonNullable<Shape[K]>, S>
    : never;
};

type Text<Expression extends string, Shape, S> = [Wrong<Expression, S>] extends [never] ? Shape : Wrong<Expression, S>;

type Item<Shape> = Shape extends readonly (infer One)[] ? One : never;

/** Of the kinds that a step or branch may be of, the one that its keys name. */
type OfKind<T, Shape> =
  Extract<Shape, Record<Extract<keyof T, Kind>, unknown>> extends infer One
    ? [One] extends [never]
      ? Shape
      : One
    : never;
