/** Elements as the text of HTML. */

import type { Html } from './page/element.ts';

const VOID: ReadonlySet<string> = new Set(['br', 'input']);

/** Everything that is text is escaped: an element can only come from our own code. */
export function printHtml(html: Html): string {
  if (typeof html === 'string') return escapeText(html);
  const { tag, attributes, children } = html;
  let text = `<${tag}`;
  for (const [name, value] of Object.entries(attributes)) text += ` ${name}="${escapeText(value)}"`;
  text += '>';
  for (const child of children) text += printHtml(child);
  return VOID.has(tag) ? text : `${text}</${tag}>`;
}

/** For text and for values in double quotes. */
export function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
