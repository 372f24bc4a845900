/** What a counter is kept for: `per: [principal, tool]` is one counter for each combination of the two. */

import { digestOfBytes } from '../../value/digest.ts';
import { utf8 } from '../../value/encoding.ts';
import type { Request } from '../decide/decision.ts';
import { readItems, readWord, refuse } from '../../document/reader.ts';
import type { Entry, Reader } from '../../document/reader.ts';

/** In the order in which keys name them. */
export const SCOPES = ['tenant', 'principal', 'agent', 'run', 'tool'] as const;

export type Scope = (typeof SCOPES)[number];

/** The one counter that everybody shares. A scope always has a `=`. */
const EVERYBODY = 'all';
const VALUE_LENGTH_MAX = 128;

/** The scopes of `per:` in the order of `SCOPES`, or `undefined` with an error. An empty list is one counter for all. */
export function readScopes(reader: Reader, entry: Entry, what: string): readonly Scope[] | undefined {
  const items = readItems(reader, entry.value, entry.place, what);
  if (items === undefined) return undefined;
  const found = new Set<Scope>();
  let sound = true;
  for (const [index, { item, place }] of items.entries()) {
    const scope = readWord(reader, item, place, `item ${index} of ${what}`, SCOPES);
    if (scope === undefined) sound = false;
    else if (found.has(scope)) {
      refuse(reader, place, 'wrong-value', `\`${scope}\` stands twice in ${what}`, 'remove one of them');
      sound = false;
    } else found.add(scope);
  }
  return sound ? SCOPES.filter((scope) => found.has(scope)) : undefined;
}

/** The part of a key that names the combination `request` belongs to: `principal=local,tool=bank.pay`. */
export function scopeText(scopes: readonly Scope[], request: Request): string {
  if (scopes.length === 0) return EVERYBODY;
  return scopes.map((scope) => `${scope}=${escapeValue(valueOf(scope, request))}`).join(',');
}

/** Where nobody names an agent, the principal acts for itself. Where nobody names a tenant, there is one. */
function valueOf(scope: Scope, request: Request): string {
  switch (scope) {
    case 'tenant':
      return request.tenant ?? '';
    case 'principal':
      return request.principal;
    case 'agent':
      return request.agent ?? request.principal;
    case 'run':
      return request.run.id;
    case 'tool':
      return request.tool;
  }
}

const PLAIN = /^[A-Za-z0-9._-]{0,128}$/u;

/**
 * Letters, digits, `.`, `_` and `-` as they are, every other byte of the UTF-8 as `%XX`; what would be longer than 128
 * characters is its digest, whose `:` no escaped value has. So two values never have one text. (Half a surrogate pair
 * counts as U+FFFD: such values share a counter, which only narrows.)
 */
function escapeValue(value: string): string {
  if (PLAIN.test(value)) return value;
  const bytes = utf8(value);
  if (bytes.length <= VALUE_LENGTH_MAX) {
    let text = '';
    for (const byte of bytes) {
      const character = String.fromCharCode(byte);
      text += PLAIN.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    }
    if (text.length <= VALUE_LENGTH_MAX) return text;
  }
  return digestOfBytes(bytes);
}
