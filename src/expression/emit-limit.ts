/**
 * A member of a known object compared with a literal, in one closure: `args.amount <= 20000`, `args.currency == "usd"`,
 * `args.currency in ["usd", "eur"]`. This is what most conditions are, and each closure more costs as much as the rest.
 *
 * A member that is missing or not of its type is left to the general closure, which knows what to say.
 */

import type { Emission, Test } from './emission.ts';
import type { KnownMember } from './emit-path.ts';
import { knownMember, literalNumber, readKnown } from './emit-path.ts';
import type { Frame } from './fault.ts';
import { burn, priceOf } from './fault.ts';
import type { BinaryOperator } from './functions.ts';
import type { Node, Step } from './tree.ts';
import type { CelValue } from './value.ts';

const STEPS = 4;

/** The comparison in one closure, or nothing when it is not of this kind; `general` is the same comparison. */
export function emitLimit(first: Node, step: Step, emission: Emission, general: Test): Test | undefined {
  const member = knownMember(first, emission);
  if (member === undefined) return undefined;
  const type = emission.typeOf(first).kind;
  const { operator, right } = step;
  if (operator === 'in' && right.kind === 'list') {
    const literals = right.items.map((item) => (item.kind === 'literal' ? item.value : undefined));
    return type === 'string' ? amongTexts(member, literals, general) : undefined;
  }
  if (right.kind !== 'literal') return undefined;
  if (type === 'string')
    return typeof right.value === 'string' ? equalsText(operator, member, right.value, general) : undefined;
  const limit = literalNumber(right.value);
  if (limit === undefined || (type !== 'int' && type !== 'double')) return undefined;
  return compareLimit(operator, { member, whole: type === 'int', general }, limit);
}

interface NumberMember {
  readonly member: KnownMember;
  readonly whole: boolean;
  readonly general: Test;
}

/** The member as a number; NaN, which JSON has not, when it is none. */
function numberOf(frame: Frame, { member, whole }: NumberMember): number {
  burn(frame, STEPS);
  const value = readKnown(frame, member);
  return typeof value === 'number' && (!whole || Number.isInteger(value)) ? value : Number.NaN;
}

function compareLimit(operator: BinaryOperator, left: NumberMember, limit: number): Test | undefined {
  const { general } = left;
  switch (operator) {
    case '==':
      return (frame) => {
        const value = numberOf(frame, left);
        return Number.isNaN(value) ? general(frame) : value === limit;
      };
    case '!=':
      return (frame) => {
        const value = numberOf(frame, left);
        return Number.isNaN(value) ? general(frame) : value !== limit;
      };
    case '<':
      return (frame) => {
        const value = numberOf(frame, left);
        return Number.isNaN(value) ? general(frame) : value < limit;
      };
    case '<=':
      return (frame) => {
        const value = numberOf(frame, left);
        return Number.isNaN(value) ? general(frame) : value <= limit;
      };
    case '>':
      return (frame) => {
        const value = numberOf(frame, left);
        return Number.isNaN(value) ? general(frame) : value > limit;
      };
    case '>=':
      return (frame) => {
        const value = numberOf(frame, left);
        return Number.isNaN(value) ? general(frame) : value >= limit;
      };
    default:
      return undefined;
  }
}

function equalsText(operator: BinaryOperator, member: KnownMember, text: string, general: Test): Test | undefined {
  if (operator !== '==' && operator !== '!=') return undefined;
  const equal = operator === '==';
  const price = STEPS + priceOf(text.length);
  return (frame) => {
    burn(frame, price);
    const value = readKnown(frame, member);
    return typeof value === 'string' ? (value === text) === equal : general(frame);
  };
}

/** Below this many, comparing with each is faster than hashing. */
const FEW = 5;

function amongTexts(member: KnownMember, literals: readonly (CelValue | undefined)[], general: Test): Test | undefined {
  const texts = literals.filter((literal) => typeof literal === 'string');
  if (texts.length < literals.length) return undefined;
  const few = texts.length < FEW ? texts : undefined;
  const many = new Set(texts);
  return (frame) => {
    burn(frame, STEPS);
    const value = readKnown(frame, member);
    if (typeof value !== 'string') return general(frame);
    burn(frame, priceOf(value.length));
    return few === undefined ? many.has(value) : few.includes(value);
  };
}
