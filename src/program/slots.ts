/** A list of fixed length that is changed by making another one, in which all but one value is shared. */

const BITS = 5;
const WIDTH = 2 ** BITS;

type Node<T> = readonly (Node<T> | T | undefined)[];

/**
 * A value, or nothing, for each number below `length`. Reading and changing cost the same however often the list was
 * changed: what a run remembers of ten thousand steps is not copied at each of them.
 */
export interface Slots<T> {
  readonly length: number;
  get(index: number): T | undefined;
  with(index: number, value: T): Slots<T>;
  /** The values that there are, with their numbers, in order. */
  entries(): Iterable<readonly [index: number, value: T]>;
  /** Whether `other`, made from the same list, has equal values; what both share is not looked at. */
  equals(other: Slots<T>, equal: (one: T, another: T) => boolean): boolean;
}

const ROOT: unique symbol = Symbol('root');

export function emptySlots<T>(length: number): Slots<T> {
  let depth = 1;
  while (WIDTH ** depth < length) depth += 1;
  return slotsOf(length, depth, []);
}

function slotsOf<T>(length: number, depth: number, root: Node<T>): Slots<T> {
  const slots: Slots<T> & { readonly [ROOT]: Node<T> } = {
    [ROOT]: root,
    length,
    get: (index) => read(root, depth, index),
    with: (index, value) => slotsOf(length, depth, changed(root, depth, index, value)),
    entries: () => walk(root, depth, 0),
    equals: (other, equal) => isEqual(root, (other as typeof slots)[ROOT], depth, equal),
  };
  return slots;
}

function isEqual<T>(one: Node<T>, another: Node<T>, depth: number, equal: (a: T, b: T) => boolean): boolean {
  if (one === another) return true;
  for (let at = 0; at < Math.max(one.length, another.length); at += 1) {
    const [a, b] = [one[at], another[at]];
    if (a === b) continue;
    if (a === undefined || b === undefined) return false;
    if (depth === 1 ? !equal(a as T, b as T) : !isEqual(a as Node<T>, b as Node<T>, depth - 1, equal)) return false;
  }
  return true;
}

function place(depth: number, index: number): number {
  return (index >>> (BITS * (depth - 1))) & (WIDTH - 1);
}

function read<T>(node: Node<T>, depth: number, index: number): T | undefined {
  const found = node[place(depth, index)];
  if (depth === 1 || found === undefined) return found as T | undefined;
  return read(found as Node<T>, depth - 1, index);
}

function changed<T>(node: Node<T>, depth: number, index: number, value: T): Node<T> {
  const copy = [...node];
  const at = place(depth, index);
  copy[at] = depth === 1 ? value : changed((node[at] as Node<T> | undefined) ?? [], depth - 1, index, value);
  return copy;
}

function* walk<T>(node: Node<T>, depth: number, from: number): Generator<readonly [number, T], void> {
  for (const [at, found] of node.entries()) {
    if (found === undefined) continue;
    const index = from + at * WIDTH ** (depth - 1);
    if (depth === 1) yield [index, found as T];
    else yield* walk(found as Node<T>, depth - 1, index);
  }
}
