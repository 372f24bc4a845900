/** What a function of conditions is, and the checks they share. */

import type { Frame } from './fault.ts';
import { fail } from './fault.ts';
import type { CelValue } from './value.ts';
import { typeName } from './value.ts';

/** Runs one call; the receiver comes first, and arguments that were not given are null. */
export type Run = (frame: Frame, a: CelValue, b: CelValue, c: CelValue, d: CelValue) => CelValue;

/** Functions of one field. */
export interface Family {
  /** Signatures the checker does not bring itself, in its notation: `string.charAt(int): string`. */
  readonly declared: readonly string[];
  /**
   * By name and number of values: `size/1` is called, `.charAt/2` is a method and counts its receiver, `math.abs/1`
   * belongs to a namespace.
   */
  readonly functions: readonly (readonly [key: string, run: Run])[];
}

/** The receiver's type in signatures of the namespace `math`: `Namespace.math`. */
export function namespaceType(name: string): string {
  return `Namespace.${name}`;
}

export function noOverload(frame: Frame, name: string, ...values: readonly CelValue[]): never {
  return fail(frame, 'no-such-overload', `\`${name}\` does not take ${values.map(typeName).join(', ')}`);
}

export function textOf(frame: Frame, name: string, value: CelValue): string {
  return typeof value === 'string' ? value : noOverload(frame, name, value);
}

/** An int as a number; one beyond ±2^53 loses digits, which no index or count can tell. */
export function countOf(frame: Frame, name: string, value: CelValue): number {
  return typeof value === 'bigint' ? Number(value) : noOverload(frame, name, value);
}
