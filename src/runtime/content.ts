/** Programs and what they may do, as texts in the log: written once, read again when a run goes on. */

import { draft } from '../authority/draft.ts';
import { contentFields, contentKey, contentPlaceKey } from '../ledger/content.ts';
import type { Entry, EntryDraft } from '../ledger/entry.ts';
import type { Facts, Ledger } from '../ledger/ledger.ts';
import { canonicalText } from '../value/canonical.ts';
import type { JsonObject } from '../value/json.ts';
import type { World } from '../world/world.ts';

/** What the log holds as a text under its digest. */
export interface Content {
  readonly digest: string;
  readonly value: JsonObject;
}

/** The facts that tell which of `contents` are in the log. */
export function contentFacts(contents: readonly Content[]): readonly string[] {
  return contents.flatMap(({ digest }) => [contentKey(digest), contentPlaceKey(digest)]);
}

/** The entries of those that `facts` do not know. */
export function contentDrafts(world: World, contents: readonly Content[], facts: Facts): readonly EntryDraft[] {
  const missing = contents.filter(({ digest }) => !facts.values.has(contentKey(digest)));
  const values = new Map(missing.map(({ digest, value }) => [digest, value]));
  return [...values].flatMap(([digest, value]) =>
    contentFields(digest, canonicalText(value)).map((fields) => draft(world, 'program.content', fields)),
  );
}

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
