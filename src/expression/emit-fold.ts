/** Binary operators: the general case, and the comparisons that conditions are mostly made of. */

import { contains } from './equality.ts';
import { mapKeyOf } from './collection.ts';
import type { Emission, Eval, Test } from './emission.ts';
import { emitNumber } from './emit-path.ts';
import { burn, priceOf } from './fault.ts';
import type { BinaryOperator } from './functions.ts';
import { OPERATORS } from './functions.ts';
import type { FoldNode, Node, Step } from './tree.ts';
import type { CelValue, MapKey } from './value.ts';
import { Uint } from './value.ts';

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
  return (
    emitNumeric(node.first, step, emission) ??
    emitAmong(node.first, step, emission) ??
    emitTextEquality(node.first, step, emission) ??
    emitTest(node.first, step, emission)
  );
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
  if (left === undefined || right === undefined) return undefined;
  switch (step.operator) {
    case '==':
      return (frame) => (burn(frame, 2), left(frame) === right(frame));
    case '!=':
      return (frame) => (burn(frame, 2), left(frame) !== right(frame));
    case '<':
      return (frame) => (burn(frame, 2), left(frame) < right(frame));
    case '<=':
      return (frame) => (burn(frame, 2), left(frame) <= right(frame));
    case '>':
      return (frame) => (burn(frame, 2), left(frame) > right(frame));
    case '>=':
      return (frame) => (burn(frame, 2), left(frame) >= right(frame));
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
  const numbers = emitAmongNumbers(first, literals, emission);
  if (numbers !== undefined) return numbers;
  const keys = new Set<MapKey>();
  for (const literal of literals) {
    const key = mapKeyOf(literal);
    if (key === undefined) return emitAmongAny(first, literals, emission);
    keys.add(key);
  }
  const value = emission.value(first);
  return (frame) => {
    burn(frame, 2);
    const key = mapKeyOf(value(frame));
    if (typeof key === 'string') burn(frame, priceOf(key.length));
    return key !== undefined && keys.has(key);
  };
}

function emitAmongNumbers(first: Node, literals: readonly CelValue[], emission: Emission): Test | undefined {
  const numbers = new Set<number>();
  for (const literal of literals) {
    const number = Number(literal instanceof Uint ? literal.value : literal);
    if (typeof literal === 'string' || literal === null || typeof literal === 'boolean') return undefined;
    if (typeof literal !== 'number' && !Number.isSafeInteger(number)) return undefined;
    numbers.add(number);
  }
  const value = emitNumber(first, emission);
  return value === undefined ? undefined : (frame) => (burn(frame, 2), numbers.has(value(frame)));
}

function emitAmongAny(first: Node, literals: readonly CelValue[], emission: Emission): Test {
  const value = emission.value(first);
  return (frame) => {
    burn(frame, 1);
    return contains(frame, value(frame), literals);
  };
}
