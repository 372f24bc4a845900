/** Whether a part of a page is what it should be, element by element and letter by letter. Reads the page, changes nothing. */

import type { Element, Html } from './element.ts';

/** What is read of a node of a document. */
export interface PageNode {
  /** 1 an element, 3 text. */
  readonly nodeType: number;
  readonly localName?: string;
  readonly nodeValue: string | null;
  readonly childNodes: ArrayLike<PageNode>;
  readonly attributes?: ArrayLike<{ readonly name: string; readonly value: string }>;
}

/** Something that is not what it should be; `at` is the element that it is, or stands in. */
export interface Difference<Node extends PageNode> {
  readonly at: Node;
  /** The id of the nearest element around it that has one. */
  readonly place: string;
  readonly expected: string;
  readonly found: string;
}

const ELEMENT = 1;
const TEXT = 3;
/** As many as are told; the first one is enough to be warned. */
const DIFFERENCES_MAX = 20;
/** The class of what was found to differ before. */
export const WRONG = 'differs';

export function differencesIn<Node extends PageNode>(expected: Element, actual: Node): readonly Difference<Node>[] {
  const found: Difference<Node>[] = [];
  compare(expected, actual, '', found);
  return found;
}

function compare<Node extends PageNode>(
  expected: Element,
  actual: Node,
  around: string,
  found: Difference<Node>[],
): void {
  if (found.length >= DIFFERENCES_MAX) return;
  const place = expected.attributes['id'] ?? around;
  const [should, is] = [tagText(expected.tag, Object.entries(expected.attributes)), tagTextOf(actual)];
  if (should !== is) found.push({ at: actual, place, expected: should, found: is });
  const children = merged(expected.children);
  const nodes = parts(actual);
  for (let i = 0; i < Math.max(children.length, nodes.length); i += 1) {
    const [child, node] = [children[i], nodes[i]];
    if (typeof child === 'object' && typeof node === 'object' && node.nodeType === ELEMENT) {
      compare(child, node as Node, place, found);
    } else if (typeof child !== 'string' || child !== node) {
      found.push({
        at: actual,
        place,
        expected: textOf(child),
        found: typeof node === 'object' ? tagTextOf(node) : (node ?? 'nothing'),
      });
      return;
    }
  }
}

/** Text beside text is one text, as a document has it. */
function merged(children: readonly Html[]): readonly Html[] {
  const list: Html[] = [];
  for (const child of children) {
    const last = list.at(-1);
    if (typeof child === 'string' && typeof last === 'string') list[list.length - 1] = last + child;
    else if (child !== '') list.push(child);
  }
  return list;
}

function parts(node: PageNode): readonly (PageNode | string)[] {
  const list: (PageNode | string)[] = [];
  for (const child of Array.from(node.childNodes)) {
    const last = list.at(-1);
    if (child.nodeType !== TEXT) list.push(child);
    else if (child.nodeValue === '') continue;
    else if (typeof last === 'string') list[list.length - 1] = last + (child.nodeValue ?? '');
    else list.push(child.nodeValue ?? '');
  }
  return list;
}

function textOf(child: Html | undefined): string {
  if (child === undefined) return 'nothing';
  return typeof child === 'string' ? child : tagText(child.tag, Object.entries(child.attributes));
}

/** Whether a fold is open is the reader's affair. */
function tagText(tag: string, attributes: readonly (readonly [string, string])[]): string {
  const told = attributes
    .filter(([name]) => !(tag === 'details' && name === 'open'))
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .sort();
  return `<${[tag, ...told].join(' ')}>`;
}

function tagTextOf(node: PageNode): string {
  if (node.nodeType !== ELEMENT) return 'what is no element and no text';
  const attributes = Array.from(node.attributes ?? []).flatMap(({ name, value }): [string, string][] => {
    if (name !== 'class') return [[name, value]];
    const classes = value.split(' ').filter((one) => one !== WRONG);
    return classes.length === 0 || classes[0] === '' ? [] : [[name, classes.join(' ')]];
  });
  return tagText(node.localName ?? '', attributes);
}
