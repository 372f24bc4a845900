/**
 * Which rules of a tool hold, found without evaluating each: most conditions compare arguments with literals, and for
 * such a comparison the values of an argument fall into few classes, between and at the literals. For each class it is
 * known beforehand which rules are false; what is left is evaluated, unless the comparisons were all there is.
 *
 * The answers are those of `holds`, rule by rule: a clause that is false makes a chain of `&&` false whatever its other
 * clauses are, errors included, except that fuel may run out before. So only clauses at the front of a chain count,
 * which cannot spend the fuel; everything in doubt (missing, of another type, a long text) is evaluated.
 */

import type { Bound } from '../../expression/compile.ts';
import type { CelType } from '../../expression/type.ts';
import { ownMember } from '../../expression/value.ts';
import type { JsonObject, JsonValue } from '../../value/json.ts';
import { comparisonOf, conjunctsOf, isTrueOf } from '../condition/comparison.ts';
import type { Comparison, Operator, Scalar } from '../condition/comparison.ts';
import { holds } from '../condition/holds.ts';
import type { Holds } from '../condition/holds.ts';
import type { TypedRule } from '../policy.ts';
import { unlike } from '../condition/sample.ts';

/** Rules of one block: the bits of a number. */
const BLOCK = 32;
/** Longer chains, and longer texts, might spend the fuel, and are evaluated. */
const CLAUSES_MAX = 64;
const LITERALS_MAX = 256;
const TEXT_MAX = 4_096;

/** For one argument, as masks over the rules of a block. */
interface Column {
  readonly name: string;
  /** The rules that compare it: they are in doubt when it is not of its type. */
  readonly compared: number;
  /** The rules not false where it is missing, and where it is there. */
  readonly missing: number;
  readonly there: number;
  /** The literals in order, and the rules not false below, at and above each: one more than twice as many. */
  readonly bounds: readonly number[];
  readonly numbers: readonly number[];
  /** Numbers that are not whole are in doubt. */
  readonly whole: boolean;
  readonly texts: ReadonlyMap<string, number>;
  readonly otherText: number | undefined;
  /** Comparisons with parts of a text, each with its rule: they are made one by one. */
  readonly parts: readonly Cell[];
  /** For false and for true. */
  readonly flags: readonly [number, number] | undefined;
}

interface Block {
  /** Each as it is found when it holds. */
  readonly rules: readonly Found[];
  readonly all: number;
  /** The rules that comparisons alone decide. */
  readonly settled: number;
  readonly columns: readonly Column[];
}

/** A rule that does not simply fail to match: it holds, or it errs. */
export type Found = readonly [rule: TypedRule, how: Exclude<Holds, 'no'>];

export interface RuleIndex {
  /** The rules that hold and those that err, in order. `bound` is asked for the values of all names when needed. */
  find(args: JsonObject, bound: () => Bound): readonly Found[];
}

/** An index over `rules`, whose conditions read arguments of type `args`. */
export function indexRules(rules: readonly TypedRule[], args: CelType): RuleIndex {
  const blocks: Block[] = [];
  for (let i = 0; i < rules.length; i += BLOCK) blocks.push(blockOf(rules.slice(i, i + BLOCK), args));
  return {
    find(values, bound) {
      const found: Found[] = [];
      for (const block of blocks) findIn(block, values, bound, found);
      return found;
    },
  };
}

function findIn(block: Block, args: JsonObject, bound: () => Bound, found: Found[]): void {
  const { rules, columns } = block;
  let open = block.all;
  let doubtful = ~block.settled;
  for (const column of columns) {
    const value = ownMember(args, column.name);
    open &= value === undefined ? column.missing : column.there;
    const mask = value === undefined ? undefined : maskOf(column, value);
    if (mask === undefined) doubtful |= column.compared;
    else open &= mask;
    if (open === 0) return;
  }
  while (open !== 0) {
    const bit = open & -open;
    open ^= bit;
    const holding = rules[31 - Math.clz32(bit)];
    if (holding === undefined) return;
    const how = (doubtful & bit) === 0 ? 'yes' : holds(holding[0], bound());
    if (how === 'yes') found.push(holding);
    else if (how === 'error') found.push([holding[0], how]);
  }
}

/** The rules that are not false for `value`; nothing when that is in doubt. */
function maskOf(column: Column, value: JsonValue): number | undefined {
  switch (typeof value) {
    case 'number': {
      const { bounds, numbers, whole } = column;
      return whole && !Number.isInteger(value) ? undefined : numbers[classOf(bounds, value)];
    }
    case 'string':
      return value.length > TEXT_MAX ? undefined : textMask(column, value);
    case 'boolean':
      return column.flags?.[value ? 1 : 0];
    default:
      return undefined;
  }
}

function textMask({ texts, otherText, parts }: Column, value: string): number | undefined {
  let mask = texts.get(value) ?? otherText;
  if (mask === undefined) return undefined;
  for (const [comparison, bit] of parts) if ((mask & bit) !== 0 && !isTrueOf(comparison, value)) mask &= ~bit;
  return mask;
}

/** 2i below the bound i, 2i + 1 at it. */
function classOf(bounds: readonly number[], value: number): number {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((bounds[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return bounds[low] === value ? 2 * low + 1 : 2 * low;
}

/** One comparison, and the bit of the rule that makes it. */
type Cell = readonly [Comparison, number];

function blockOf(rules: readonly TypedRule[], args: CelType): Block {
  const cells = new Map<string, Cell[]>();
  let all = 0;
  let settled = 0;
  for (const [i, { condition, lifted }] of rules.entries()) {
    const bit = 1 << i;
    all |= bit;
    const terms = condition === undefined ? [] : conjunctsOf(condition.root);
    let counted = 0;
    for (const term of terms.slice(0, CLAUSES_MAX)) {
      const comparison = comparisonOf(term, args);
      if (comparison === undefined || !isIndexable(comparison)) break;
      counted += 1;
      const [name] = comparison.path;
      const list = cells.get(name) ?? [];
      cells.set(name, list);
      list.push([comparison, bit]);
    }
    // Comparisons tell where a rule is false, of one that is set aside too; where it is true `holds` must be asked.
    if (counted === terms.length && lifted !== true) settled |= bit;
  }
  return {
    rules: rules.map((rule) => [rule, 'yes']),
    all,
    settled,
    columns: [...cells].map(([name, list]) => columnOf(name, list)),
  };
}

function isIndexable({ path, literals }: Comparison): boolean {
  if (path.length > 1 || literals.length > LITERALS_MAX) return false;
  return literals.every((literal) => typeof literal !== 'string' || literal.length <= TEXT_MAX);
}

const PARTS: ReadonlySet<Operator> = new Set<Operator>(['startsWith', 'endsWith', 'contains']);

/** The rules of the cells whose comparison passes `test`. */
function falseOnes(cells: readonly Cell[], test: (comparison: Comparison) => boolean): number {
  let mask = 0;
  for (const [comparison, bit] of cells) if (test(comparison)) mask |= bit;
  return mask;
}

function columnOf(name: string, cells: readonly Cell[]): Column {
  const comparing = cells.filter(([{ type }]) => type !== 'other');
  const compared = comparing.reduce((mask, [, bit]) => mask | bit, 0);
  // A member has one type in one schema.
  const type = comparing[0]?.[0].type;
  const parts = comparing.filter(([{ operator }]) => PARTS.has(operator));
  const whole = comparing.filter((cell) => !parts.includes(cell));
  const literals = new Set(whole.flatMap(([comparison]) => comparison.literals));
  const notFalse = (value: Scalar): number => ~falseOnes(whole, (comparison) => !isTrueOf(comparison, value));
  const numeric = type === 'int' || type === 'double';
  const bounds = numeric
    ? [...literals].filter((literal) => typeof literal === 'number').toSorted((a, b) => a - b)
    : [];
  const texts = new Map(
    [...literals].filter((literal) => typeof literal === 'string').map((text) => [text, notFalse(text)]),
  );
  return {
    name,
    compared,
    missing: ~falseOnes(cells, ({ operator }) => operator === 'has'),
    there: ~falseOnes(cells, ({ operator }) => operator === 'has-not'),
    bounds,
    numbers: numeric ? samplesOf(bounds).map(notFalse) : [],
    whole: type === 'int',
    texts,
    otherText: type === 'string' ? notFalse(unlike(texts)) : undefined,
    parts,
    flags: type === 'bool' ? [notFalse(false), notFalse(true)] : undefined,
  };
}

/** One value of each class: below, at and above each bound. Between two bounds there may be none; then it is never asked. */
function samplesOf(bounds: readonly number[]): readonly number[] {
  const between = bounds.map((bound, i) => {
    const before = i === 0 ? Number.NEGATIVE_INFINITY : (bounds[i - 1] ?? bound);
    return [before === Number.NEGATIVE_INFINITY ? before : before / 2 + bound / 2, bound];
  });
  return [...between.flat(), Number.POSITIVE_INFINITY];
}
