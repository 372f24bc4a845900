/** Programs and what they may do, as texts in the log: written once, read again when a run goes on. */

import { draft } from '../authority/draft.ts';
import { contentFields, contentKey, contentPlaceKey } from '../ledger/content.ts';
import type { EntryDraft } from '../ledger/entry.ts';
import type { Facts } from '../ledger/ledger.ts';
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
