/** Page cursors of a merged list: one opaque text toward the host holds one cursor for each server with more to give. */

import { fromBase64Url, toBase64Url, utf8 } from '../value/encoding.ts';
import { isJsonObject, parseJson } from '../value/json.ts';

/** Server id → that server's own cursor. */
export type Cursors = ReadonlyMap<string, string>;

/** Nothing when no server has more. */
export function writeCursor(cursors: Cursors): string | undefined {
  return cursors.size === 0 ? undefined : toBase64Url(utf8(JSON.stringify(Object.fromEntries(cursors))));
}

/** Nothing when `text` is no cursor of ours. It carries no authority: a host may ask any server for any page. */
export function readCursor(text: string): Cursors | undefined {
  const bytes = fromBase64Url(text);
  const parsed = bytes === undefined ? undefined : parseJson(bytes);
  if (!parsed?.ok || !isJsonObject(parsed.value)) return undefined;
  const cursors = new Map<string, string>();
  for (const [server, cursor] of Object.entries(parsed.value)) {
    if (typeof cursor !== 'string') return undefined;
    cursors.set(server, cursor);
  }
  return cursors.size === 0 ? undefined : cursors;
}
