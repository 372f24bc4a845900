/** What reading an expression passes around. */

import type { Environment } from './environment.ts';
import type { Ast } from './parse.ts';
import type { Node } from './tree.ts';

/** What reading has met so far, and how it goes on inside. */
export interface Reading {
  readonly environment: Environment;
  localsMax: number;
  read(ast: Ast, place: Place): Node;
}

/** Where reading is. */
export interface Place {
  /** Iteration and bound variables in scope, with their slots. */
  readonly locals: ReadonlyMap<string, number>;
  /** Slots that they take. */
  readonly slots: number;
  readonly depth: number;
}
