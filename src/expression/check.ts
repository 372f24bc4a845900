/** Our own checks of a tree: names and functions that exist, patterns that are RE2, optional members that are guarded. */

import { pathText } from './emit-path.ts';
import { FUNCTIONS, NAMESPACES, VARIADIC } from './functions.ts';
import type { ExpressionIssue } from './issue.ts';
import { reject } from './issue.ts';
import { compilePattern } from './pattern.ts';
import { suggest } from './suggest.ts';
import type { CallNode, FoldNode, MemberNode, Node, Tree, UnknownNode } from './tree.ts';
import { childrenOf } from './tree.ts';
import type { CelType } from './type.ts';

/** Throws a `Rejection` for the first name, function or literal pattern that is none. */
export function checkNames(tree: Tree, variables: Iterable<string>): void {
  const names = [...variables];
  const pending: Node[] = [tree.root];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (node.kind === 'unknown') rejectName(node, names);
    if (node.kind === 'call') checkCall(node);
    pending.push(...childrenOf(node).toReversed());
  }
}

function rejectName(node: UnknownNode, names: readonly string[]): never {
  const hint = NAMESPACES.has(node.name)
    ? `\`${node.name}\` holds functions: call one of them`
    : (suggest(node.name, names) ?? (names.length > 0 ? `known names: ${names.join(', ')}` : undefined));
  return reject('unknown-name', node.offset, `there is no \`${node.name}\``, hint);
}

function checkCall(node: CallNode): void {
  const { key, offset } = node;
  if (VARIADIC.has(key)) return;
  if (!FUNCTIONS.has(key)) rejectFunction(key, offset);
  if (key !== '.matches/2' && key !== 'matches/2') return;
  const pattern = node.values[1];
  if (pattern?.kind !== 'literal' || typeof pattern.value !== 'string') return;
  const compiled = compilePattern(pattern.value);
  if (typeof compiled === 'string') {
    const looks = /\(\?<?[=!]|\\[1-9]/.test(pattern.value);
    const hint = looks ? 'patterns are RE2: no look-around, no back-references' : 'patterns are RE2';
    reject('invalid-pattern', pattern.offset, compiled, hint);
  }
}

function rejectFunction(key: string, offset: number): never {
  const name = nameOf(key);
  const others = [...FUNCTIONS.keys()].filter((other) => nameOf(other) === name);
  if (others.length === 0) {
    const names = new Set([...FUNCTIONS.keys(), ...VARIADIC].map(nameOf));
    return reject('unknown-function', offset, `there is no function \`${name}\``, suggest(name, names));
  }
  const counts = others.map((other) => {
    const count = Number(other.slice(other.lastIndexOf('/') + 1));
    return other.startsWith('.') ? `a receiver and ${count - 1}` : String(count);
  });
  return reject('unknown-function', offset, `\`${name}\` takes ${counts.join(' or ')} arguments`);
}

function nameOf(key: string): string {
  return key.replace(/^\./, '').replace(/\/\d+$/, '');
}

/** Paths known to be present: when the expression is true, and when it is false. */
interface Facts {
  readonly whenTrue: ReadonlySet<string>;
  readonly whenFalse: ReadonlySet<string>;
}

const NOTHING: ReadonlySet<string> = new Set();

/** Whether a path is known to be present where a node stands. */
type Present = (path: string) => boolean;

/**
 * A warning for each optional member that is read where nothing says it is there. `has(x.y)` and `"y" in x` speak for
 * every other operand of their `&&` chain, before and after, because an error on one side does not outweigh a false
 * on the other; negated, for those of their `||` chain.
 */
export function checkOptionals(tree: Tree, typeOf: (node: Node) => CelType): readonly ExpressionIssue[] {
  const found = new Map<string, ExpressionIssue>();
  visit(tree.root, () => false, { typeOf, found });
  return [...found.values()].toSorted((a, b) => a.offset - b.offset);
}

interface Visiting {
  readonly typeOf: (node: Node) => CelType;
  readonly found: Map<string, ExpressionIssue>;
}

function visit(node: Node, present: Present, visiting: Visiting): void {
  switch (node.kind) {
    case 'logic':
      visitTerms(node.terms, node.operator, present, visiting);
      return;
    case 'choose': {
      const { whenTrue, whenFalse } = factsOf(node.test);
      visit(node.test, present, visiting);
      visit(node.yes, (path) => whenTrue.has(path) || present(path), visiting);
      visit(node.no, (path) => whenFalse.has(path) || present(path), visiting);
      return;
    }
    case 'member':
      if (!node.optional) checkMember(node, present, visiting);
      break;
    default:
      break;
  }
  for (const child of childrenOf(node)) visit(child, present, visiting);
}

/** Each term is told what the others say, not what it says itself. */
function visitTerms(terms: readonly Node[], operator: '&&' | '||', present: Present, visiting: Visiting): void {
  const said = terms.map((term) => (operator === '&&' ? factsOf(term).whenTrue : factsOf(term).whenFalse));
  const counts = new Map<string, number>();
  for (const paths of said) for (const path of paths) counts.set(path, (counts.get(path) ?? 0) + 1);
  for (const [i, term] of terms.entries()) {
    const own = said[i] ?? NOTHING;
    visit(term, (path) => (counts.get(path) ?? 0) > (own.has(path) ? 1 : 0) || present(path), visiting);
  }
}

function checkMember(node: MemberNode, present: Present, { typeOf, found }: Visiting): void {
  const type = typeOf(node.target);
  if (type.kind !== 'object' || type.fields.get(node.name)?.required !== false) return;
  const path = pathText(node);
  if (present(path) || found.has(path)) return;
  found.set(path, {
    code: 'optional-unguarded',
    severity: 'warning',
    offset: node.offset,
    message: `\`${path}\` is optional: where it is missing, this expression is an error`,
    hint: `say what then: \`has(${path}) && …\` or \`!has(${path}) || …\``,
  });
}

function factsOf(node: Node): Facts {
  switch (node.kind) {
    case 'has':
      return { whenTrue: new Set([pathText(node), pathText(node.target)]), whenFalse: NOTHING };
    case 'not': {
      const { whenTrue, whenFalse } = factsOf(node.operand);
      return { whenTrue: whenFalse, whenFalse: whenTrue };
    }
    case 'logic': {
      const and = node.operator === '&&';
      const said = new Set<string>();
      for (const term of node.terms)
        for (const path of and ? factsOf(term).whenTrue : factsOf(term).whenFalse) said.add(path);
      return and ? { whenTrue: said, whenFalse: NOTHING } : { whenTrue: NOTHING, whenFalse: said };
    }
    case 'fold':
      return { whenTrue: membershipOf(node), whenFalse: NOTHING };
    default:
      return { whenTrue: NOTHING, whenFalse: NOTHING };
  }
}

/** `"name" in args` says what `has(args.name)` does. */
function membershipOf(node: FoldNode): ReadonlySet<string> {
  const [step] = node.steps;
  if (step?.operator !== 'in' || node.steps.length > 1) return NOTHING;
  if (node.first.kind !== 'literal' || typeof node.first.value !== 'string') return NOTHING;
  return new Set([`${pathText(step.right)}.${node.first.value}`]);
}
