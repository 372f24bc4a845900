/** An expression as we evaluate it: macros expanded, names resolved, chains flat. */

import type { BinaryOperator } from './functions.ts';
import type { Ast } from './parse.ts';
import type { CelValue } from './value.ts';

interface Base {
  /** UTF-16 offset in the source, for faults and issues. */
  readonly offset: number;
  /** The node of the library that carries this one's type. */
  readonly ast: Ast;
}

export interface LiteralNode extends Base {
  readonly kind: 'literal';
  readonly value: CelValue;
}

/** A variable of the vocabulary; `slot` is its place in `Bound.values`. */
export interface VariableNode extends Base {
  readonly kind: 'variable';
  readonly name: string;
  readonly slot: number;
}

/** An iteration or bound variable. */
export interface LocalNode extends Base {
  readonly kind: 'local';
  readonly name: string;
  readonly slot: number;
}

/** A name that nothing declares; evaluating it is a fault. */
export interface UnknownNode extends Base {
  readonly kind: 'unknown';
  readonly name: string;
}

/** `target.name`, or `target.?name` when `optional`. */
export interface MemberNode extends Base {
  readonly kind: 'member';
  readonly target: Node;
  readonly name: string;
  readonly optional: boolean;
}

export interface HasNode extends Base {
  readonly kind: 'has';
  readonly target: Node;
  readonly name: string;
}

/** `target[index]`, or `target[?index]` when `optional`. */
export interface IndexNode extends Base {
  readonly kind: 'index';
  readonly target: Node;
  readonly index: Node;
  readonly optional: boolean;
}

/** A call; a receiver is the first of `values`, `key` is as in the table of functions. */
export interface CallNode extends Base {
  readonly kind: 'call';
  readonly key: string;
  readonly values: readonly Node[];
}

export interface ListNode extends Base {
  readonly kind: 'list';
  readonly items: readonly Node[];
}

export interface MapNode extends Base {
  readonly kind: 'map';
  readonly entries: readonly (readonly [key: Node, value: Node])[];
}

export interface ChooseNode extends Base {
  readonly kind: 'choose';
  readonly test: Node;
  readonly yes: Node;
  readonly no: Node;
}

/** A whole `&&` or `||` chain. */
export interface LogicNode extends Base {
  readonly kind: 'logic';
  readonly operator: '&&' | '||';
  readonly terms: readonly Node[];
}

export interface Step {
  readonly operator: BinaryOperator;
  readonly right: Node;
  readonly offset: number;
}

/** A chain of binary operators, applied from the left. */
export interface FoldNode extends Base {
  readonly kind: 'fold';
  readonly first: Node;
  readonly steps: readonly Step[];
}

export interface NotNode extends Base {
  readonly kind: 'not' | 'negate';
  readonly operand: Node;
}

export type LoopKind = 'all' | 'exists' | 'existsOne' | 'map' | 'filter' | 'transformMap';

/** A comprehension over the elements of a list or the keys of a map; with two slots index or key, and value. */
export interface LoopNode extends Base {
  readonly kind: 'loop';
  readonly loop: LoopKind;
  readonly range: Node;
  readonly slots: readonly [number] | readonly [number, number];
  /** Elements for which it is false are left out; only for `map` and `transformMap`. */
  readonly filter: Node | undefined;
  readonly body: Node;
}

/** `cel.bind(name, value, body)`, and `target.optMap(name, body)` where the value is an optional's. */
export interface BindNode extends Base {
  readonly kind: 'bind' | 'optMap' | 'optFlatMap';
  readonly slot: number;
  readonly value: Node;
  readonly body: Node;
}

/** `optional.or(optional)`, `optional.orValue(value)`: the other side is evaluated only when needed. */
export interface OrElseNode extends Base {
  readonly kind: 'or' | 'orValue';
  readonly target: Node;
  readonly other: Node;
}

export type Node =
  | LiteralNode
  | VariableNode
  | LocalNode
  | UnknownNode
  | MemberNode
  | HasNode
  | IndexNode
  | CallNode
  | ListNode
  | MapNode
  | ChooseNode
  | LogicNode
  | FoldNode
  | NotNode
  | LoopNode
  | BindNode
  | OrElseNode;

/** An expression read from its syntax. */
export interface Tree {
  readonly root: Node;
  /** How many slots iteration and bound variables need at once. */
  readonly localsMax: number;
}

/** The nodes directly inside `node`, in order of the source. */
export function childrenOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'literal':
    case 'variable':
    case 'local':
    case 'unknown':
      return [];
    case 'member':
    case 'has':
      return [node.target];
    case 'index':
      return [node.target, node.index];
    case 'call':
      return node.values;
    case 'list':
      return node.items;
    case 'map':
      return node.entries.flat();
    case 'choose':
      return [node.test, node.yes, node.no];
    case 'logic':
      return node.terms;
    case 'fold':
      return [node.first, ...node.steps.map((step) => step.right)];
    case 'not':
    case 'negate':
      return [node.operand];
    case 'loop':
      return node.filter === undefined ? [node.range, node.body] : [node.range, node.filter, node.body];
    case 'bind':
    case 'optMap':
    case 'optFlatMap':
      return [node.value, node.body];
    case 'or':
    case 'orValue':
      return [node.target, node.other];
  }
}
