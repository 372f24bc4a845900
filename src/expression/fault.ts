/** Evaluation errors, and the running evaluation they stop. */

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

/** Stops an evaluation; thrown inside one and caught at its edge. Made by `faultAt`. */
export class Fault extends Error {
  declare readonly code: FaultCode;
  /** UTF-16 offset in the source of the expression. */
  declare readonly offset: number;
}

/**
 * A fault without a stack trace: a missing optional argument is everyday, and recording the stack, which the
 * constructor of `Error` does, takes longer than the whole evaluation.
 */
export function faultAt(offset: number, code: FaultCode, message: string): Fault {
  const fault = Object.create(Fault.prototype) as { code: FaultCode; message: string; offset: number } & Fault;
  fault.code = code;
  fault.message = message;
  fault.offset = offset;
  return fault;
}

/** One running evaluation. Evaluation is synchronous and calls nobody, so an expression reuses one frame. */
export class Frame {
  /** What is left; negative means spent. */
  fuel = 0;
  /** Offset of the operation that is running, for its faults. */
  at = 0;
  /** Variables by place; undefined, or beyond the end, where the bindings have none. */
  variables: readonly (CelValue | undefined)[] = NONE;
  /** Iteration and bound variables. */
  readonly locals: (CelValue | undefined)[];
  constructor(locals: number) {
    this.locals = Array.from({ length: locals });
  }
}

const NONE: readonly undefined[] = [];

/** Stops the evaluation at the operation that is running. Messages tell shapes and names, never values. */
export function fail(frame: Frame, code: FaultCode, message: string): never {
  throw faultAt(frame.at, code, message);
}

/** Pays `amount` (a non-negative number) before the work it stands for. */
export function burn(frame: Frame, amount: number): void {
  frame.fuel -= amount;
  if (frame.fuel < 0) throw faultAt(frame.at, 'fuel-exhausted', 'the expression takes more steps than it is given');
}

/** The price of looking at `length` characters or bytes once. */
export function priceOf(length: number): number {
  return length >> 5;
}
