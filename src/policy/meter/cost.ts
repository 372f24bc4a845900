/** `cost:` and `actualCost:` — what a call takes from which budgets, as expressions that give whole numbers. */

import { isScalar } from 'yaml';
import type { CelType } from '../../expression/type.ts';
import { Uint } from '../../expression/value.ts';
import type { CelValue } from '../../expression/value.ts';
import { locateKey, readEntries, readText, readWhole, refuse, shown, target } from '../../document/reader.ts';
import type { Entry, Reader } from '../../document/reader.ts';
import type { Located } from '../../document/source.ts';

/** What one budget is charged. */
export interface Charge {
  readonly budget: Located;
  /** An expression. */
  readonly amount: Located;
}

/** The charges of `cost:`, or `undefined` with an error. */
export function readCharges(reader: Reader, entry: Entry, what: string): readonly Charge[] | undefined {
  const entries = readEntries(reader, entry.value, entry.place, what);
  if (entries === undefined) return undefined;
  if (entries.length === 0) {
    const hint = 'write `BUDGET: EXPRESSION`, or leave it out';
    return refuse(reader, entry.place, 'wrong-value', `${what} is empty: it would charge nothing`, hint);
  }
  const charges = entries.map((charge) => {
    const amount = readAmount(reader, charge, `\`${shown(charge.key)}\` of ${what}`);
    return amount === undefined ? undefined : { budget: locateKey(charge), amount };
  });
  return charges.every((charge) => charge !== undefined) ? charges : undefined;
}

/** An expression, or a number that stands for itself. */
function readAmount(reader: Reader, entry: Entry, what: string): Located | undefined {
  const node = target(reader, entry.value);
  if (!isScalar(node) || typeof node.value !== 'number') return readText(reader, entry.value, entry.place, what);
  const whole = readWhole(reader, entry.value, entry.place, what, 0, Number.MAX_SAFE_INTEGER);
  return whole === undefined ? undefined : { text: `${whole}`, marks: [{ offset: 0, ...entry.place }] };
}

/** Whether an expression of this type can give an amount. */
export function isAmountType(type: CelType): boolean {
  return ['int', 'uint', 'double', 'dyn'].includes(type.kind);
}

/** The whole units that `value` is, or in a few words why it is no amount. */
export function amountOf(value: CelValue): number | string {
  const number = numberOf(value);
  if (number === undefined) return 'is no number';
  if (!Number.isFinite(number)) return 'is no finite number';
  if (number < 0) return 'is negative';
  if (!Number.isInteger(number)) return 'is no whole number';
  // An int or double above it may have been rounded.
  if (number > Number.MAX_SAFE_INTEGER) return 'is more than 2^53-1';
  return number === 0 ? 0 : number;
}

function numberOf(value: CelValue): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  return value instanceof Uint ? Number(value.value) : undefined;
}
