/** Comprehensions: each iteration is paid for, and errors are absorbed as CEL says. */

import { listAt, listSize, mapFind, mapKeyOf, mapKeys } from './collection.ts';
import type { Emission, Eval } from './emission.ts';
import type { Frame } from './fault.ts';
import { burn, fail, Fault } from './fault.ts';
import type { LoopNode } from './tree.ts';
import type { CelValue, MapKey } from './value.ts';
import { isList, isMap, MapValue, typeName } from './value.ts';

/** Calls `visit` for each element with its variables set, until it answers true. */
type Iterate = (frame: Frame, visit: (frame: Frame) => boolean) => void;

export function emitLoop(node: LoopNode, emission: Emission): Eval {
  const iterate = emitIterate(node, emission);
  switch (node.loop) {
    case 'all':
      return emitQuantifier(node, iterate, emission, false);
    case 'exists':
      return emitQuantifier(node, iterate, emission, true);
    case 'existsOne':
      return emitExistsOne(node, iterate, emission);
    case 'filter':
      return emitFilter(node, iterate, emission);
    case 'map':
      return emitMap(node, iterate, emission);
    case 'transformMap':
      return emitTransformMap(node, iterate, emission);
  }
}

function emitIterate(node: LoopNode, emission: Emission): Iterate {
  const range = emission.value(node.range);
  const [first, second] = node.slots;
  const { offset } = node;
  return (frame, visit) => {
    const within = range(frame);
    frame.at = offset;
    if (within !== null && isList(within)) {
      for (let i = 0; i < listSize(within); i += 1) {
        burn(frame, 1);
        const element = listAt(frame, within, i);
        frame.locals[first] = second === undefined ? element : BigInt(i);
        if (second !== undefined) frame.locals[second] = element;
        if (visit(frame)) return;
      }
    } else if (within !== null && isMap(within)) {
      for (const key of mapKeys(frame, within)) {
        burn(frame, 1);
        frame.locals[first] = key;
        if (second !== undefined) frame.locals[second] = mapFind(frame, within, key);
        if (visit(frame)) return;
      }
    } else fail(frame, 'no-such-overload', `expected a list or a map to go over, got ${typeName(within)}`);
  };
}

/** `exists` when `sought` is true, `all` when it is false: the first such element decides whatever failed before it. */
function emitQuantifier(node: LoopNode, iterate: Iterate, emission: Emission, sought: boolean): Eval {
  const test = emission.test(node.body);
  return (frame) => {
    let fault: Fault | undefined;
    let found = false;
    iterate(frame, () => {
      try {
        found = test(frame) === sought;
      } catch (error) {
        const absorbed = absorb(frame, error);
        fault ??= absorbed;
      }
      return found;
    });
    if (!found && fault !== undefined) throw fault;
    return found === sought;
  };
}

/** Throwing and catching takes as long as some dozens of steps. */
const FAULT_PRICE = 32;

/** A fault that another operand may make irrelevant; anything else goes on, and so does spent fuel. */
export function absorb(frame: Frame, error: unknown): Fault {
  if (!(error instanceof Fault) || error.code === 'fuel-exhausted') throw error;
  burn(frame, FAULT_PRICE);
  return error;
}

function emitExistsOne(node: LoopNode, iterate: Iterate, emission: Emission): Eval {
  const test = emission.test(node.body);
  return (frame) => {
    let count = 0;
    iterate(frame, () => {
      if (test(frame)) count += 1;
      return false;
    });
    return count === 1;
  };
}

function emitFilter(node: LoopNode, iterate: Iterate, emission: Emission): Eval {
  const test = emission.test(node.body);
  const [slot] = node.slots;
  return (frame) => {
    const kept: CelValue[] = [];
    iterate(frame, () => {
      const element = frame.locals[slot];
      if (test(frame) && element !== undefined) kept.push(element);
      return false;
    });
    return kept;
  };
}

function emitMap(node: LoopNode, iterate: Iterate, emission: Emission): Eval {
  const filter = node.filter === undefined ? undefined : emission.test(node.filter);
  const body = emission.value(node.body);
  return (frame) => {
    const made: CelValue[] = [];
    iterate(frame, () => {
      if (filter === undefined || filter(frame)) made.push(body(frame));
      return false;
    });
    return made;
  };
}

function emitTransformMap(node: LoopNode, iterate: Iterate, emission: Emission): Eval {
  const filter = node.filter === undefined ? undefined : emission.test(node.filter);
  const body = emission.value(node.body);
  const [slot] = node.slots;
  return (frame) => {
    const entries = new Map<MapKey, readonly [CelValue, CelValue]>();
    iterate(frame, () => {
      const key = frame.locals[slot];
      if (key === undefined || (filter !== undefined && !filter(frame))) return false;
      // The index of a list and the key of a map are keys.
      entries.set(mapKeyOf(key) ?? '', [key, body(frame)]);
      return false;
    });
    return new MapValue(entries);
  };
}
