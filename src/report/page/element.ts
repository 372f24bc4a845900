/** Elements of the page as data: printed where the page is written, compared where it is verified. Pure. */

export interface Element {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Html[];
}

/** An element, or text. Text is never markup: nothing of a log can become an element. */
export type Html = Element | string;

/** What may be given as content: lists are flattened, and `undefined` is nothing. */
export type Content = Html | undefined | readonly (Html | undefined)[];

export function el(tag: string, attributes: Readonly<Record<string, string>>, ...content: readonly Content[]): Element {
  const children = content.flat().filter((child) => child !== undefined);
  return { tag, attributes, children };
}

/** A link to a place on the page. */
export function linkTo(id: string, text: string): Element {
  return el('a', { href: `#${id}` }, text);
}

/** A table that fits wherever it stands: the cells of `head` name the columns, the first of each row the row. */
export function narrowTable(caption: string, head: readonly string[], rows: readonly Element[]): Element {
  const columns = head.map((name) => el('th', { scope: 'col' }, name));
  const content = [el('thead', {}, el('tr', {}, columns)), el('tbody', {}, rows)];
  return el('table', {}, el('caption', {}, caption), content);
}

/** One that is wider than a phone: it scrolls, and the keyboard must reach it to do so. */
export function table(caption: string, head: readonly string[], rows: readonly Element[]): Element {
  const attributes = { class: 'wide', role: 'group', 'aria-label': caption, tabindex: '0' };
  return el('div', attributes, narrowTable(caption, head, rows));
}

/** The first cell says what the row is about. */
export function row(first: Content, ...cells: readonly Content[]): Element {
  return el('tr', {}, el('th', { scope: 'row' }, first), ...cells.map((cell) => el('td', {}, cell)));
}

/** A list of terms; pairs without content are left out. */
export function terms(pairs: readonly (readonly [term: string, content: Content])[]): Element {
  const told = pairs.filter(
    ([, content]) => content !== undefined && !(Array.isArray(content) && content.length === 0),
  );
  return el(
    'dl',
    {},
    told.flatMap(([term, content]) => [el('dt', {}, term), el('dd', {}, content)]),
  );
}
