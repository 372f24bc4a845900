/** Where a condition asks whether an argument is there, and which answer it takes an omission for. */

import { childrenOf } from '../../expression/tree.ts';
import type { Node } from '../../expression/tree.ts';
import type { CelType } from '../../expression/type.ts';

export interface PresenceTest {
  /** UTF-16 units of the condition's source. */
  readonly offset: number;
  /** `args.path`, or `args` where anything left out counts. */
  readonly about: string;
  /** What an omission makes of the condition, as far as it depends on this: `either` where that cannot be told. */
  readonly omitted: 'false' | 'true' | 'either';
}

type Polarity = 'same' | 'opposite' | 'either';

const FLIPPED = { same: 'opposite', opposite: 'same', either: 'either' } as const;
const OMITTED = { same: 'false', opposite: 'true', either: 'either' } as const;

/**
 * The presence tests of a condition over arguments of type `args`, those of arguments that may be left out: `has`, `in`,
 * optional members, and sizes, macros and equality over all arguments or an object among them.
 */
export function presenceTests(root: Node, args: CelType): readonly PresenceTest[] {
  const found: PresenceTest[] = [];
  visit(root, 'same', args, found);
  return found;
}

function visit(node: Node, polarity: Polarity, args: CelType, found: PresenceTest[]): void {
  const note = (path: readonly string[], sure: boolean): void => {
    if (!mayLack(path, args)) return;
    const about = ['args', ...path].join('.');
    found.push({ offset: node.offset, about, omitted: OMITTED[sure ? polarity : 'either'] });
  };
  const noteWhole = (part: Node): void => {
    const path = pathTo(part);
    if (path !== undefined && isOpen(path, args)) note(path, false);
  };
  switch (node.kind) {
    case 'not':
      visit(node.operand, FLIPPED[polarity], args, found);
      return;
    case 'logic':
      for (const term of node.terms) visit(term, polarity, args, found);
      return;
    case 'has': {
      const target = pathTo(node.target);
      if (target !== undefined) note([...target, node.name], true);
      return;
    }
    case 'member':
    case 'index': {
      const path = node.optional ? pathTo({ ...node, optional: false }) : undefined;
      if (path !== undefined) note(path, false);
      break;
    }
    case 'fold': {
      const [step] = node.steps;
      if (step?.operator === 'in' && step.right.kind !== 'list') {
        const path = pathTo(step.right);
        const name = node.first.kind === 'literal' && typeof node.first.value === 'string' ? [node.first.value] : [];
        if (path !== undefined && isOpen(path, args)) note([...path, ...name], true);
      } else if (step?.operator === '==' || step?.operator === '!=')
        for (const side of [node.first, step.right]) noteWhole(side);
      break;
    }
    case 'call':
      if (node.values[0] !== undefined && SIZES.has(node.key)) noteWhole(node.values[0]);
      break;
    case 'loop':
      noteWhole(node.range);
      break;
    default:
      break;
  }
  for (const child of childrenOf(node)) visit(child, 'either', args, found);
}

const SIZES: ReadonlySet<string> = new Set(['size/1', '.size/1']);

/** The members of `args` on the way to `node`, by name or by literal index; `args` itself is the empty path. */
function pathTo(node: Node): readonly string[] | undefined {
  if (node.kind === 'variable') return node.name === 'args' ? [] : undefined;
  if (node.kind !== 'member' && node.kind !== 'index') return undefined;
  if (node.optional) return undefined;
  const before = pathTo(node.target);
  if (before === undefined) return undefined;
  if (node.kind === 'member') return [...before, node.name];
  const { index } = node;
  return index.kind === 'literal' && typeof index.value === 'string' ? [...before, index.value] : undefined;
}

/** The type at `path`; `dyn` where the schema does not say, nothing where it has no such member. */
function typeAt(path: readonly string[], args: CelType): CelType | undefined {
  let type: CelType | undefined = args;
  for (const name of path) {
    if (type?.kind === 'object') type = type.fields.get(name)?.type;
    else if (type?.kind === 'map') type = type.value;
    else if (type?.kind !== 'dyn') return undefined;
  }
  return type;
}

/** Whether the value at `path` may have members that may be left out. */
function isOpen(path: readonly string[], args: CelType): boolean {
  const type = typeAt(path, args);
  if (type?.kind !== 'object') return type?.kind === 'map' || type?.kind === 'dyn';
  return [...type.fields.values()].some(({ required }) => !required);
}

/** Whether a call that fits the schema may lack what is at `path`; where the schema has no such member, nobody omits it. */
function mayLack(path: readonly string[], args: CelType): boolean {
  if (path.length === 0) return true;
  let type: CelType | undefined = args;
  for (const name of path) {
    if (type?.kind !== 'object') return type?.kind === 'map' || type?.kind === 'dyn';
    const field: { readonly type: CelType; readonly required: boolean } | undefined = type.fields.get(name);
    if (field === undefined) return false;
    if (!field.required) return true;
    type = field.type;
  }
  // What is open inside may lack something, although it is itself required.
  return isOpen(path, args);
}
