/** Evaluation errors, and the running evaluation they stop. */

import type { JsonObject } from '../value/json.ts';
import type { CelValue } from './value.ts';

/**
 * `fuel-exhausted` ends the evaluation whatever `||` or `&&` surrounds it; every other fault is absorbed as CEL says
 * when the other operand alone decides.
 */
export type FaultCode =
  | 'division-by-zero'
  | 'fuel-exhausted'
  | 'index-out-of-range'
  | 'invalid-argument'
  | 'invalid-pattern'
  | 'no-such-key'
  | 'no-such-member'
  | 'no-such-overload'
  | 'not-boolean'
  | 'overflow'
  | 'repeated-key'
  | 'type-mismatch'
  | 'unbound-name';

/**
 * Thrown inside an evaluation and caught at its edge. Not an `Error`: a missing optional argument is everyday, and a
 * stack trace costs a hundred times what the evaluation does.
 */
export class Fault {
  readonly code: FaultCode;
  readonly message: string;
  /** UTF-16 offset in the source of the expression. */
  readonly offset: number;
  constructor(code: FaultCode, message: string, offset: number) {
    this.code = code;
    this.message = message;
    this.offset = offset;
  }
}

/** One running evaluation. Evaluation is synchronous and calls nobody, so an expression reuses one frame. */
export class Frame {
  /** What is left; negative means spent. */
  fuel = 0;
  /** Offset of the operation that is running, for its faults. */
  at = 0;
  /** The variables that the expression uses; undefined where the bindings have none. */
  readonly variables: (CelValue | undefined)[];
  /** The JSON objects behind those variables that are views of one. */
  readonly objects: (JsonObject | undefined)[];
  /** Iteration and bound variables. */
  readonly locals: (CelValue | undefined)[];
  constructor(variables: number, locals: number) {
    this.variables = Array.from({ length: variables });
    this.objects = Array.from({ length: variables });
    this.locals = Array.from({ length: locals });
  }
}

/** Stops the evaluation at the operation that is running. Messages tell shapes and names, never values. */
export function fail(frame: Frame, code: FaultCode, message: string): never {
  throw new Fault(code, message, frame.at);
}

/** Pays `amount` (a non-negative number) before the work it stands for. */
export function burn(frame: Frame, amount: number): void {
  frame.fuel -= amount;
  if (frame.fuel < 0) throw new Fault('fuel-exhausted', 'the expression takes more steps than it is given', frame.at);
}

/** The price of looking at `length` characters or bytes once. */
export function priceOf(length: number): number {
  return length >> 5;
}
