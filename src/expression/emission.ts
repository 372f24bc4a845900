/** What turning a tree into closures passes around. */

import type { Frame } from './fault.ts';
import type { Node } from './tree.ts';
import type { CelType } from './type.ts';
import type { CelValue } from './value.ts';

/** Evaluates a node, or throws a `Fault`. */
export type Eval = (frame: Frame) => CelValue;

/** Evaluates a node that must be bool. */
export type Test = (frame: Frame) => boolean;

/** Evaluates a node that is a number, without making a bigint of it. */
export type Num = (frame: Frame) => number;

/** Evaluates a node that is text. */
export type Text = (frame: Frame) => string;

/** Turns nodes into closures; each closure pays for itself. */
export interface Emission {
  value(node: Node): Eval;
  test(node: Node): Test;
  /** What the checker found; `dyn` when it was not asked. */
  typeOf(node: Node): CelType;
}
