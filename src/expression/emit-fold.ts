/** Binary operators: the general case, and the comparisons that conditions are mostly made of. */

import { contains } from './equality.ts';
import { mapKeyOf } from './collection.ts';
import type { Emission, Eval, Num, Test } from './emission.ts';
import { emitLimit } from './emit-limit.ts';
import { emitNumber, literalNumber } from './emit-path.ts';
import { burn, priceOf } from './fault.ts';
import type { BinaryOperator } from './functions.ts';
import { OPERATORS } from './functions.ts';
import type { FoldNode, Node, Step } from './tree.ts';
import type { CelValue, MapKey } from './value.ts';

const TESTS: ReadonlySet<BinaryOperator> = new Set<BinaryOperator>(['==', '!=', '<', '<=', '>', '>=', 'in']);

/** A chain of operators. */
export function emitFold(node: FoldNode, emission: Emission): Eval {
  const known = emitFoldTest(node, emission);
  if (known !== undefined) return known;
  const first = emission.value(node.first);
  const steps = node.steps.map(({ operator, right, offset }) => ({
    apply: OPERATORS[operator],
    right: emission.value(right),
    offset,
  }));
  const [only] = steps;
  if (only !== undefined && steps.length === 1) {
    const { apply, right, offset } = only;
    return (frame) => {
      burn(frame, 1);
      const a = first(frame);
      const b = right(frame);
      frame.at = offset;
      return apply(frame, a, b);
    };
  }
  return (frame) => {
    let result = first(frame);
    for (const { apply, right, offset } of steps) {
      burn(frame, 1);
      const operand = right(frame);
      frame.at = offset;
      result = apply(frame, result, operand);
    }
    return result;
  };
}

/** A single comparison as a test; nothing when the node is no such thing. */
export function emitFoldTest(node: FoldNode, emission: Emission): Test | undefined {
  const [step] = node.steps;
  if (step === undefined || node.steps.length > 1 || !TESTS.has(step.operator)) return undefined;
  const general =
    emitNumeric(node.first, step, emission) ??
    emitAmong(node.first, step, emission) ??
    emitTextEquality(node.first, step, emission) ??
    emitTest(node.first, step, emission);
  return emitLimit(node.first, step, emission, general) ?? general;
}

function emitTest(first: Node, step: Step, emission: Emission): Test {
  const left = emission.value(first);
  const right = emission.value(step.right);
  const apply = OPERATORS[step.operator];
  const { offset } = step;
  return (frame) => {
    burn(frame, 1);
    const a = left(frame);
    const b = right(frame);
    frame.at = offset;
    // The operators of `TESTS` answer with a boolean.
    return apply(frame, a, b) === true;
  };
}

/** Numbers known to be numbers, compared without making bigints. */
function emitNumeric(first: Node, step: Step, emission: Emission): Test | undefined {
  if (step.operator === 'in') return undefined;
  const left = emitNumber(first, emission);
  const right = left === undefined ? undefined : emitNumber(step.right, emission);
  return left === undefined || right === undefined ? undefined : compareNumbers(step.operator, left, right);
}

function compareNumbers(operator: BinaryOperator, left: Num, right: Num): Test | undefined {
  switch (operator) {
    case '==':
      return (frame) => (burn(frame, 1), left(frame) === right(frame));
    case '!=':
      return (frame) => (burn(frame, 1), left(frame) !== right(frame));
    case '<':
      return (frame) => (burn(frame, 1), left(frame) < right(frame));
    case '<=':
      return (frame) => (burn(frame, 1), left(frame) <= right(frame));
    case '>':
      return (frame) => (burn(frame, 1), left(frame) > right(frame));
    case '>=':
      return (frame) => (burn(frame, 1), left(frame) >= right(frame));
    default:
      return undefined;
  }
}

/** `x == "text"` and `x != "text"`: one comparison, no dispatch. */
function emitTextEquality(first: Node, step: Step, emission: Emission): Test | undefined {
  if (step.operator !== '==' && step.operator !== '!=') return undefined;
  const [literal, other] = step.right.kind === 'literal' ? [step.right, first] : [first, step.right];
  if (literal.kind !== 'literal' || typeof literal.value !== 'string') return undefined;
  const text = literal.value;
  const value = emission.value(other);
  const price = 2 + priceOf(text.length);
  if (step.operator === '==') return (frame) => (burn(frame, price), value(frame) === text);
  return (frame) => (burn(frame, price), value(frame) !== text);
}

/** `x in [literals]`: one look-up. */
function emitAmong(first: Node, step: Step, emission: Emission): Test | undefined {
  if (step.operator !== 'in' || step.right.kind !== 'list') return undefined;
  const literals: CelValue[] = [];
  for (const item of step.right.items) {
    if (item.kind !== 'literal') return undefined;
    literals.push(item.value);
  }
  return emitAmongNumbers(first, literals, emission) ?? emitAmongKeys(first, literals, emission);
}

function emitAmongNumbers(first: Node, literals: readonly CelValue[], emission: Emission): Test | undefined {
  const value = emitNumber(first, emission);
  const numbers = literals.map(literalNumber).filter((number) => number !== undefined);
  if (value === undefined || numbers.length < literals.length) return undefined;
  const among = new Set(numbers);
  return (frame) => (burn(frame, 2), among.has(value(frame)));
}

function emitAmongKeys(first: Node, literals: readonly CelValue[], emission: Emission): Test {
  const value = emission.value(first);
  const keys = new Set<MapKey>();
  for (const literal of literals) {
    const key = mapKeyOf(literal);
    // A double is rounded when it meets a larger integer: then equality is not that of keys.
    const rounds = typeof key === 'bigint' && !Number.isSafeInteger(Number(key));
    if (key === undefined || rounds) return (frame) => (burn(frame, 1), contains(frame, value(frame), literals));
    keys.add(key);
  }
  return (frame) => {
    burn(frame, 2);
    const sought = value(frame);
    if (typeof sought !== 'string') return hasKey(keys, sought);
    burn(frame, priceOf(sought.length));
    return keys.has(sought);
  };
}

function hasKey(keys: ReadonlySet<MapKey>, value: CelValue): boolean {
  const key = mapKeyOf(value);
  return key !== undefined && keys.has(key);
}
