/** From the tree to closures: one for each node, specialised by what is known before any value is. */

import { negate } from './arithmetic.ts';
import { mapKeyOf } from './collection.ts';
import type { Emission, Eval, Test } from './emission.ts';
import { emitHas, emitIndex, emitMember } from './emit-access.ts';
import { emitFold, emitFoldTest } from './emit-fold.ts';
import { absorb, emitLoop } from './emit-loop.ts';
import type { Frame } from './fault.ts';
import { burn, fail, Fault, faultAt, Frame as EvaluationFrame } from './fault.ts';
import { textOf } from './function.ts';
import { FUNCTIONS, VARIADIC } from './functions.ts';
import { extreme } from './math-functions.ts';
import { NONE, optionalOf } from './optional-functions.ts';
import { burnSearch, compilePattern } from './pattern.ts';
import type {
  BindNode,
  CallNode,
  ChooseNode,
  ListNode,
  LogicNode,
  MapNode,
  Node,
  NotNode,
  OrElseNode,
} from './tree.ts';
import type { CelType } from './type.ts';
import type { CelValue, MapKey } from './value.ts';
import { MapValue, Optional, typeName } from './value.ts';

/** The closures of a tree whose nodes have the types that `typeOf` says. */
export function emitter(typeOf: (node: Node) => CelType): Emission {
  const emission: Emission = {
    typeOf,
    value: (node) => emitValue(node, emission),
    test: (node) => emitTest(node, emission),
  };
  return emission;
}

function emitValue(node: Node, emission: Emission): Eval {
  switch (node.kind) {
    case 'literal':
      return constant(node.value);
    case 'variable':
    case 'local':
      return emitName(node.kind, node.slot, node.name, node.offset);
    case 'unknown':
      return (frame) => fail(at(frame, node), 'unbound-name', `\`${node.name}\` has no value here`);
    case 'member':
      return emitMember(node, emission);
    case 'index':
      return emitIndex(node, emission);
    case 'call':
      return emitCall(node, emission);
    case 'list':
      return emitList(node, emission);
    case 'map':
      return emitMapLiteral(node, emission);
    case 'choose':
      return emitChoose(node, emission);
    case 'fold':
      return emitFold(node, emission);
    case 'negate':
      return emitNegate(node, emission);
    case 'loop':
      return emitLoop(node, emission);
    case 'bind':
    case 'optMap':
    case 'optFlatMap':
      return emitBind(node, emission);
    case 'or':
    case 'orValue':
      return emitOrElse(node, emission);
    case 'has':
    case 'logic':
    case 'not':
      return emitTest(node, emission);
  }
}

function emitTest(node: Node, emission: Emission): Test {
  switch (node.kind) {
    case 'has':
      return emitHas(node, emission);
    case 'logic':
      return emitLogic(node, emission);
    case 'not': {
      const operand = emission.test(node.operand);
      return (frame) => (burn(frame, 1), !operand(frame));
    }
    case 'fold': {
      const test = emitFoldTest(node, emission);
      if (test !== undefined) return test;
      break;
    }
    default:
      break;
  }
  const value = emission.value(node);
  return (frame) => {
    const result = value(frame);
    if (typeof result === 'boolean') return result;
    return fail(at(frame, node), 'no-such-overload', `expected bool, got ${typeName(result)}`);
  };
}

function at(frame: Frame, node: Node): Frame {
  frame.at = node.offset;
  return frame;
}

function constant(value: CelValue): Eval {
  return (frame) => (burn(frame, 1), value);
}

function emitName(kind: 'variable' | 'local', slot: number, name: string, offset: number): Eval {
  return (frame) => {
    burn(frame, 1);
    const value = kind === 'variable' ? frame.variables[slot] : frame.locals[slot];
    if (value !== undefined) return value;
    throw faultAt(offset, 'unbound-name', `\`${name}\` has no value here`);
  };
}

function emitLogic(node: LogicNode, emission: Emission): Test {
  const tests = node.terms.map((term) => emission.test(term));
  const decisive = node.operator === '||';
  const [first, second] = tests;
  if (first !== undefined && second !== undefined && tests.length === 2) return emitPair(first, second, decisive);
  return (frame) => {
    let fault: Fault | undefined;
    let i = 0;
    burn(frame, tests.length);
    // Entered once where nothing fails, once more after each term that does.
    while (i < tests.length) {
      try {
        for (; i < tests.length; i += 1) if (tests[i]?.(frame) === decisive) return decisive;
      } catch (error) {
        const absorbed = absorb(frame, error);
        fault ??= absorbed;
        i += 1;
      }
    }
    if (fault !== undefined) throw fault;
    return !decisive;
  };
}

/** `emitLogic` of two terms, as most are. */
function emitPair(first: Test, second: Test, decisive: boolean): Test {
  return (frame) => {
    burn(frame, 2);
    let fault: Fault | undefined;
    try {
      if (first(frame) === decisive) return decisive;
    } catch (error) {
      fault = absorb(frame, error);
    }
    if (second(frame) === decisive) return decisive;
    if (fault !== undefined) throw fault;
    return !decisive;
  };
}

function emitChoose(node: ChooseNode, emission: Emission): Eval {
  const test = emission.test(node.test);
  const yes = emission.value(node.yes);
  const no = emission.value(node.no);
  return (frame) => (burn(frame, 1), test(frame) ? yes(frame) : no(frame));
}

function emitNegate(node: NotNode, emission: Emission): Eval {
  const operand = emission.value(node.operand);
  return (frame) => {
    burn(frame, 1);
    const value = operand(frame);
    return negate(at(frame, node), value);
  };
}

function emitList(node: ListNode, emission: Emission): Eval {
  const items = node.items.map((item) => emission.value(item));
  const build: Eval = (frame) => (burn(frame, 1), items.map((item) => item(frame)));
  return node.items.every((item) => item.kind === 'literal') ? folded(build) : build;
}

function emitMapLiteral(node: MapNode, emission: Emission): Eval {
  const pairs = node.entries.map(([key, value]) => [emission.value(key), emission.value(value)] as const);
  const build: Eval = (frame) => {
    burn(frame, 1);
    const entries = new Map<MapKey, readonly [CelValue, CelValue]>();
    for (const [emitKey, emitMember] of pairs) {
      const key = emitKey(frame);
      const member = emitMember(frame);
      const mapKey = typeof key === 'number' ? undefined : mapKeyOf(key);
      if (mapKey === undefined) fail(at(frame, node), 'no-such-overload', `${typeName(key)} cannot be a key`);
      if (entries.has(mapKey)) fail(at(frame, node), 'repeated-key', 'the map has a key twice');
      entries.set(mapKey, [key, member]);
    }
    return new MapValue(entries);
  };
  return node.entries.flat().every((part) => part.kind === 'literal') ? folded(build) : build;
}

/** Fuel enough for any literal that the parser accepts. */
const FOLDING_FUEL = 1_000_000;

/** The value itself when `build` needs nothing from outside; what faults is left to fault at run time. */
function folded(build: Eval): Eval {
  const frame = new EvaluationFrame(0);
  frame.fuel = FOLDING_FUEL;
  try {
    return constant(build(frame));
  } catch (error) {
    if (error instanceof Fault) return build;
    throw error;
  }
}

const FOLDABLE: ReadonlySet<string> = new Set(['duration/1', 'timestamp/1']);

function emitCall(node: CallNode, emission: Emission): Eval {
  const values = node.values.map((value) => emission.value(value));
  if (VARIADIC.has(node.key)) return emitVariadic(node, values);
  const run = FUNCTIONS.get(node.key);
  if (run === undefined) return (frame) => fail(at(frame, node), 'no-such-overload', 'there is no such function');
  const fixed = emitFixedPattern(node, emission);
  if (fixed !== undefined) return fixed;
  const [a = absent, b = absent, c = absent, d = absent] = values;
  const { offset } = node;
  const call: Eval = (frame) => {
    burn(frame, 1);
    const first = a(frame);
    const second = b(frame);
    const third = c(frame);
    const fourth = d(frame);
    frame.at = offset;
    return run(frame, first, second, third, fourth);
  };
  return FOLDABLE.has(node.key) && node.values[0]?.kind === 'literal' ? folded(call) : call;
}

const absent: Eval = () => null;

function emitVariadic(node: CallNode, values: readonly Eval[]): Eval {
  const direction = node.key === 'math.greatest' ? 1 : -1;
  return (frame) => {
    burn(frame, 1);
    const given = values.map((value) => value(frame));
    return extreme(at(frame, node), node.key, direction, given);
  };
}

/** `matches` with a literal pattern, compiled now; the check has refused one that is none. */
function emitFixedPattern(node: CallNode, emission: Emission): Test | undefined {
  if (node.key !== '.matches/2' && node.key !== 'matches/2') return undefined;
  const [target, literal] = node.values;
  if (target === undefined || literal?.kind !== 'literal' || typeof literal.value !== 'string') return undefined;
  const pattern = compilePattern(literal.value);
  if (typeof pattern === 'string') return undefined;
  const value = emission.value(target);
  return (frame) => {
    burn(frame, 1);
    const text = textOf(at(frame, node), 'matches', value(frame));
    burnSearch(frame, pattern, text);
    return pattern.test(text);
  };
}

function emitBind(node: BindNode, emission: Emission): Eval {
  const value = emission.value(node.value);
  const body = emission.value(node.body);
  const { kind, slot } = node;
  if (kind === 'bind') {
    return (frame) => {
      burn(frame, 1);
      frame.locals[slot] = value(frame);
      return body(frame);
    };
  }
  return (frame) => {
    burn(frame, 1);
    const held = value(frame);
    const inner = optionalOf(at(frame, node), kind, held).value;
    if (inner === undefined) return NONE;
    frame.locals[slot] = inner;
    const result = body(frame);
    return kind === 'optMap' ? new Optional(result) : optionalOf(at(frame, node), kind, result);
  };
}

function emitOrElse(node: OrElseNode, emission: Emission): Eval {
  const target = emission.value(node.target);
  const other = emission.value(node.other);
  const { kind } = node;
  return (frame) => {
    burn(frame, 1);
    const held = target(frame);
    const optional = optionalOf(at(frame, node), kind, held);
    if (optional.value !== undefined) return kind === 'or' ? optional : optional.value;
    const result = other(frame);
    return kind === 'or' ? optionalOf(at(frame, node), kind, result) : result;
  };
}
