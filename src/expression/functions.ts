/** Every function of conditions by name and number of values, and the operators. */

import { add, divide, multiply, remainder, subtract } from './arithmetic.ts';
import { mapHas } from './collection.ts';
import { CONVERSION_FUNCTIONS } from './conversion-functions.ts';
import { contains, equal, order } from './equality.ts';
import type { Frame } from './fault.ts';
import type { Family, Run } from './function.ts';
import { noOverload } from './function.ts';
import { MATH_FUNCTIONS } from './math-functions.ts';
import { OPTIONAL_FUNCTIONS } from './optional-functions.ts';
import { STRING_FUNCTIONS } from './string-functions.ts';
import { TIME_FUNCTIONS } from './time-functions.ts';
import type { CelValue } from './value.ts';
import { isList, isMap } from './value.ts';

const FAMILIES: readonly Family[] = [
  CONVERSION_FUNCTIONS,
  STRING_FUNCTIONS,
  MATH_FUNCTIONS,
  TIME_FUNCTIONS,
  OPTIONAL_FUNCTIONS,
];

/** By the keys of `Family.functions`. */
export const FUNCTIONS: ReadonlyMap<string, Run> = new Map(FAMILIES.flatMap((family) => family.functions));

/** Signatures for the checker. */
export const DECLARED: readonly string[] = FAMILIES.flatMap((family) => family.declared);

/** Operators the checker does not know by itself. */
export const DECLARED_OPERATORS: readonly string[] = [
  ...['<', '<=', '>', '>='].map((operator) => `bytes ${operator} bytes: bool`),
  'optional == optional: bool',
];

/** Names that stand before a dot and are no variables. */
export const NAMESPACES: ReadonlySet<string> = new Set(['math', 'base64', 'strings', 'optional']);

/** Functions that take any number of values. */
export const VARIADIC: ReadonlySet<string> = new Set(['math.greatest', 'math.least']);

export type BinaryOperator = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | '+' | '-' | '*' | '/' | '%';

export type Apply = (frame: Frame, a: CelValue, b: CelValue) => CelValue;

export const OPERATORS: Readonly<Record<BinaryOperator, Apply>> = {
  '==': equal,
  '!=': (frame, a, b) => !equal(frame, a, b),
  '<': (frame, a, b) => order(frame, a, b) < 0,
  '<=': (frame, a, b) => order(frame, a, b) <= 0,
  '>': (frame, a, b) => order(frame, a, b) > 0,
  '>=': (frame, a, b) => order(frame, a, b) >= 0,
  in: isIn,
  '+': add,
  '-': subtract,
  '*': multiply,
  '/': divide,
  '%': remainder,
};

function isIn(frame: Frame, a: CelValue, b: CelValue): boolean {
  if (b !== null && isList(b)) return contains(frame, a, b);
  return b !== null && isMap(b) ? mapHas(b, a) : noOverload(frame, 'in', a, b);
}
