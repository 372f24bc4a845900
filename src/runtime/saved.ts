/** Programs that principals save: their texts in the log by digest, their names one principal's own. */

import { draft } from '../authority/draft.ts';
import { contentText } from '../ledger/content-text.ts';
import type { Facts, Ledger, Writes } from '../ledger/ledger.ts';
import { savedFolder } from '../ledger/saved.ts';
import { documentOf } from '../program/compile.ts';
import type { Program } from '../program/program.ts';
import { digestOf } from '../value/digest.ts';
import type { World } from '../world/world.ts';
import { contentDrafts, contentFacts } from './content.ts';

/** A program as a principal saved it. */
export interface SavedProgram {
  readonly name: string;
  readonly digest: string;
  /** When, RFC 3339. */
  readonly saved: string;
}

/** Programs of one principal; two processes that save at once may be one above. */
export const SAVED_MAX = 1_000;

interface Store {
  readonly ledger: Ledger;
  readonly world: World;
}

/**
 * Saves it under its name, in the place of what was there. False when the principal has `SAVED_MAX` others. Throws
 * `LedgerError`; a crash leaves text and name, or neither.
 */
export async function saveProgram({ ledger, world }: Store, principal: string, program: Program): Promise<boolean> {
  const { name } = program;
  const document = documentOf(program);
  const content = { digest: digestOf(document), value: document };
  const { digest } = content;
  const folder = savedFolder(principal);
  const known = await ledger.counters(folder);
  if (known.size >= SAVED_MAX && !known.has(folder + name)) return false;
  const compose = (facts: Facts): { readonly writes: Writes; readonly result: undefined } => {
    const saved = draft(world, 'program.saved', { principal, name, digest });
    return { writes: { entries: [...contentDrafts(world, [content], facts), saved] }, result: undefined };
  };
  await ledger.transact({ facts: [...contentFacts([content]), folder + name] }, compose);
  return true;
}

/** By name. Throws `LedgerError`. */
export async function savedPrograms(ledger: Ledger, principal: string): Promise<readonly SavedProgram[]> {
  const places = await ledger.counters(savedFolder(principal));
  const found = await Promise.all([...places.values()].map((place) => savedAt(ledger, place)));
  return found.filter((one) => one !== undefined).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** What the principal saved under the name, with its text; nothing when there is none. Throws `LedgerError`. */
export async function savedProgram(
  ledger: Ledger,
  principal: string,
  name: string,
): Promise<(SavedProgram & { readonly text: string }) | undefined> {
  const key = savedFolder(principal) + name;
  const saved = await savedAt(ledger, (await ledger.counters(key)).get(key) ?? 0);
  const text = saved && (await contentText(ledger, saved.digest));
  return saved === undefined || text === undefined ? undefined : { ...saved, text };
}

/** The name is free again; the text stays, as evidence. False when there is none. Throws `LedgerError`. */
export async function deleteProgram({ ledger, world }: Store, principal: string, name: string): Promise<boolean> {
  const saved = await savedProgram(ledger, principal, name);
  if (saved === undefined) return false;
  const key = savedFolder(principal) + name;
  // A crash leaves the entry or none.
  return ledger.transact({ facts: [key] }, ({ values }) => {
    if (!values.has(key)) return { result: false };
    const { digest } = saved;
    return { writes: { entries: [draft(world, 'program.deleted', { principal, name, digest })] }, result: true };
  });
}

async function savedAt(ledger: Ledger, place: number): Promise<SavedProgram | undefined> {
  const entry = place > 0 ? await ledger.entry(place - 1) : undefined;
  if (typeof entry?.['name'] !== 'string' || typeof entry['digest'] !== 'string') return undefined;
  return { name: entry['name'], digest: entry['digest'], saved: entry.at };
}
