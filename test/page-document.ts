/** A document without a browser: the elements of a report, as the script of its page sees them. */

import { bodyOf, type Evidence } from '../src/report/page/body.ts';
import type { PageDocument, PageElement } from '../src/report/page/button.ts';
import type { PageNode } from '../src/report/page/compare.ts';
import { type Html, el } from '../src/report/page/element.ts';
import { embedded } from '../src/report/page/embedded.ts';
import type { Told } from '../src/report/page/told.ts';

/** A node that a test can change. */
export interface FakeNode extends PageElement {
  nodeValue: string | null;
  localName: string;
  readonly childNodes: FakeNode[];
  readonly attributes: { name: string; value: string }[];
  /** What listens to presses. */
  press?: () => void;
}

export function nodeOf(html: Html): FakeNode {
  if (typeof html === 'string') return fake('', [], [], html);
  const attributes = Object.entries(html.attributes).map(([name, value]) => ({ name, value }));
  return fake(html.tag, attributes, html.children.map(nodeOf), null);
}

function fake(
  localName: string,
  attributes: { name: string; value: string }[],
  childNodes: FakeNode[],
  nodeValue: string | null,
): FakeNode {
  const classes = (): { name: string; value: string } | undefined => attributes.find(({ name }) => name === 'class');
  const node: FakeNode = {
    nodeType: localName === '' ? 3 : 1,
    localName,
    nodeValue,
    childNodes,
    attributes,
    textContent: nodeValue,
    className: '',
    hidden: false,
    classList: {
      add: (name) => {
        const of = classes();
        if (of === undefined) attributes.push({ name: 'class', value: name });
        else of.value = `${of.value} ${name}`;
      },
      remove: () => {},
    },
    append: (...content) => {
      for (const one of content)
        node.textContent = (node.textContent ?? '') + (typeof one === 'string' ? one : (one.textContent ?? ''));
    },
    replaceChildren: () => {
      node.textContent = '';
    },
    setAttribute: () => {},
    addEventListener: (_, listener) => {
      node.press = listener;
    },
  };
  return node;
}

/** Every node below `node`, itself included. */
export function* nodesIn(node: FakeNode): Generator<FakeNode> {
  yield node;
  for (const child of node.childNodes) yield* nodesIn(child);
}

function idOf({ attributes }: PageNode): string | undefined {
  return Array.from(attributes ?? []).find(({ name }) => name === 'id')?.value;
}

export interface FakeDocument extends PageDocument {
  readonly parts: readonly FakeNode[];
  /** The data blocks, which a test can change. */
  readonly blocks: { bundle: string; told: string };
  readonly verify: FakeNode;
  readonly result: FakeNode;
}

export function documentOf(evidence: Evidence, formatted: unknown, told: Told): FakeDocument {
  const { title, head, main, foot } = bodyOf(evidence, told);
  const parts = [head, main, foot].map(nodeOf);
  const blocks = { bundle: embedded(formatted), told: embedded(told) };
  const [verify, result] = [nodeOf(el('button', {})), nodeOf(el('div', {}))];
  const block = (textContent: string): PageElement => ({ ...nodeOf(''), textContent });
  return {
    title,
    parts,
    blocks,
    verify,
    result,
    getElementById: (id) => {
      if (id === 'verify' || id === 'result') return id === 'verify' ? verify : result;
      if (id === 'bundle' || id === 'told') return block(blocks[id]);
      return parts.flatMap((part) => [...nodesIn(part)]).find((node) => idOf(node) === id) ?? null;
    },
    getElementsByClassName: () => [],
    createElement: () => nodeOf(''),
  };
}
