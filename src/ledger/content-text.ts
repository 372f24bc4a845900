/** Texts of the log that are known by their digests, put together again from their parts. */

import { contentPlaceKey } from './content.ts';
import type { Entry } from './entry.ts';
import type { Ledger } from './ledger.ts';

/** The text that is known by `digest`; nothing when the log does not have it. Throws `LedgerError`. */
export async function contentText(
  ledger: Pick<Ledger, 'counters' | 'entry'>,
  digest: string,
): Promise<string | undefined> {
  const key = contentPlaceKey(digest);
  const place = (await ledger.counters(key)).get(key) ?? 0;
  const parts: string[] = [];
  for (let part = 0; place > 0; part += 1) {
    const entry = await ledger.entry(place - 1 + part);
    const { content, text, parts: all }: Partial<Entry> = entry ?? {};
    if (content !== digest || typeof text !== 'string') return undefined;
    parts.push(text);
    if (parts.length === all) return parts.join('');
  }
  return undefined;
}
