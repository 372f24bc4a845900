/** What conditions look at, in as few cells as they can tell apart: `input.amount` up to 5000, and above. */

import type { CelType } from '../../expression/type.ts';
import type { Declared } from '../declared.ts';
import { isJsonObject } from '../../value/json.ts';

/** A value compared with; two values that no condition tells apart share a cell. */
export type Scalar = string | number | boolean;

/** Some values: one, all numbers between two, or all that are no other cell. */
export type Cell =
  | { readonly kind: 'value'; readonly value: Scalar }
  | { readonly kind: 'between'; readonly low: number; readonly high: number }
  | { readonly kind: 'other' }
  /** Nothing is there, or nothing that a condition could take: it errors. */
  | { readonly kind: 'none' };

/** A set of cells: bit by bit, by their order. */
export type Cells = bigint;

/** One value of a run, or the truth of one condition that is not looked into. */
export interface Variable {
  readonly name: string;
  /** The steps whose outputs it is of; it changes when one of them is done. */
  readonly owners: ReadonlySet<string>;
  readonly cells: readonly Cell[];
  /** Its cells are the outcomes of a condition, and not what the condition looks at. */
  readonly isTruth: boolean;
  /** Where it may be when a run begins. */
  readonly initial: Cells;
  /** Where it may be when an owner has been done. */
  readonly fresh: Cells;
}

/** Everywhere that it may ever be. */
export function anywhere({ initial, fresh }: Variable): Cells {
  return initial | fresh;
}

export function cellsWhere({ cells }: Pick<Variable, 'cells'>, holds: (cell: Cell) => boolean): Cells {
  return cells.reduce<Cells>((set, cell, index) => (holds(cell) ? set | (1n << BigInt(index)) : set), 0n);
}

/** The variable at a path of the input or of a step, where `literals` are what it is compared with. */
export function valueVariable(
  path: readonly string[],
  type: CelType,
  declared: Declared,
  literals: ReadonlySet<Scalar>,
): Variable {
  const isWhole = type.kind === 'int' || type.kind === 'uint';
  const numbers = [...literals].filter((literal) => typeof literal === 'number');
  const present = isWhole || type.kind === 'double' ? numberCells(numbers, isWhole) : valueCells(type, literals);
  const cells: readonly Cell[] = [...present, { kind: 'none' }];
  const known = cellsWhere({ cells }, (cell) =>
    cell.kind === 'none' ? !declared.isSure : mayBe(cell, declared, isWhole, literals),
  );
  const [root, owner = ''] = path;
  const isOutput = root === 'steps';
  return {
    name: path.join('.'),
    owners: new Set(isOutput ? [owner] : []),
    cells,
    isTruth: false,
    initial: isOutput ? cellsWhere({ cells }, ({ kind }) => kind === 'none') : known,
    fresh: known,
  };
}

const TRUTHS: readonly Cell[] = [
  { kind: 'value', value: true },
  { kind: 'value', value: false },
];

/** The truth of a condition that is taken as it is written. */
export function truthVariable(name: string, owners: ReadonlySet<string>): Variable {
  return { name, owners, cells: [...TRUTHS, { kind: 'none' }], isTruth: true, initial: 0b111n, fresh: 0b111n };
}

/** Whether a step has left an output: `has(steps.ID)`. */
export function leftVariable(name: string, owner: string): Variable {
  return { name, owners: new Set([owner]), cells: TRUTHS, isTruth: true, initial: 0b10n, fresh: 0b01n };
}

function valueCells({ kind }: CelType, literals: ReadonlySet<Scalar>): readonly Cell[] {
  if (kind === 'bool') return TRUTHS;
  return [...[...literals].map((value) => ({ kind: 'value', value }) as const), { kind: 'other' }];
}

/** Each number that is compared with, and what lies between them; for whole numbers only where one lies. */
function numberCells(numbers: readonly number[], isWhole: boolean): readonly Cell[] {
  const cuts = [...new Set(numbers)].toSorted((a, b) => a - b);
  const cells: Cell[] = [];
  let low = -Infinity;
  for (const cut of [...cuts, Infinity]) {
    if (!isWhole || hasWhole(low, cut)) cells.push({ kind: 'between', low, high: cut });
    const isWritten = cut !== Infinity && (!isWhole || Number.isInteger(cut));
    if (isWritten) cells.push({ kind: 'value', value: cut });
    low = cut;
  }
  return cells;
}

/** Whether a whole number lies between, the two not included. */
function hasWhole(low: number, high: number): boolean {
  return low === -Infinity || high === Infinity || Math.floor(low) + 1 < high;
}

/** Whether what is declared lets the value be in `cell`. */
function mayBe(cell: Cell, { schema, words }: Declared, isWhole: boolean, literals: ReadonlySet<Scalar>): boolean {
  const values = words ?? valuesOf(schema);
  if (values !== undefined) return values.some((value) => isIn(value, cell, literals));
  if (schema === undefined || Object.hasOwn(schema, '$ref')) return true;
  const least = bound(schema['minimum'], -Infinity);
  const most = bound(schema['maximum'], Infinity);
  const above = bound(schema['exclusiveMinimum'], -Infinity);
  const below = bound(schema['exclusiveMaximum'], Infinity);
  if (cell.kind === 'value' && typeof cell.value === 'number') {
    return cell.value >= least && cell.value <= most && cell.value > above && cell.value < below;
  }
  if (cell.kind !== 'between') return true;
  if (cell.high <= least || cell.low >= most || cell.high <= above || cell.low >= below) return false;
  return !isWhole || hasWholeWithin(cell, Math.max(least, above + 1), Math.min(most, below - 1));
}

/** Whether a whole number of the cell is at least `least` and at most `most`. */
function hasWholeWithin(
  { low, high }: { readonly low: number; readonly high: number },
  least: number,
  most: number,
): boolean {
  const first = Math.max(Math.floor(low) + 1, Math.ceil(least));
  const last = Math.min(Math.ceil(high) - 1, Math.floor(most));
  return first <= last;
}

function bound(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}

function valuesOf(schema: Declared['schema']): readonly unknown[] | undefined {
  if (!isJsonObject(schema ?? null) || schema === undefined || Object.hasOwn(schema, '$ref')) return undefined;
  if (Object.hasOwn(schema, 'const')) return [schema['const']];
  return Array.isArray(schema['enum']) ? schema['enum'] : undefined;
}

function isIn(value: unknown, cell: Cell, literals: ReadonlySet<Scalar>): boolean {
  if (cell.kind === 'value') return value === cell.value;
  if (cell.kind === 'between') return typeof value === 'number' && value > cell.low && value < cell.high;
  return cell.kind === 'other' && !literals.has(value as Scalar);
}
