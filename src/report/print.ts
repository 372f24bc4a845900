/** Elements as the text of HTML. */

import type { Html } from './page/element.ts';

const VOID: ReadonlySet<string> = new Set(['br', 'input']);

/** Everything that is text is escaped: an element can only come from our own code. */
export function printHtml(html: Html): string {
  const parts: string[] = [];
  print(html, parts);
  return parts.join('');
}

function print(html: Html, parts: string[]): void {
  if (typeof html === 'string') {
    parts.push(escapeText(html));
    return;
  }
  const { tag, attributes, children } = html;
  parts.push(`<${tag}`);
  for (const [name, value] of Object.entries(attributes)) parts.push(` ${name}="${escapeText(value)}"`);
  parts.push('>');
  for (const child of children) print(child, parts);
  if (!VOID.has(tag)) parts.push(`</${tag}>`);
}

/** For text and for values in double quotes. */
export function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
