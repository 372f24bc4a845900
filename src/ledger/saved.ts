/**
 * What the entries `program.saved` and `program.deleted` do to the tables: where the programs that principals saved stand
 * in the log. The text of each is there by its digest, and stays. Only counters move. Pure.
 */

import type { JsonObject, JsonValue } from '../value/json.ts';
import { contentKey } from './content.ts';
import type { EntryType } from './entry.ts';

export interface SavedStep {
  readonly kind: 'program-saved' | 'program-deleted';
  readonly principal: string;
  readonly name: string;
  readonly digest: string;
  /** None: it moves no call. */
  readonly call?: never;
}

/** Before the names of what `principal` has saved now; the position, plus one, of the entry that saved each. */
export function savedFolder(principal: string): string {
  // No principal's folder is within another's, whatever they are called.
  return `program/${encodeURIComponent(principal)}/`;
}

/** The counters that `step` looks at or moves. */
export function savedKeys({ principal, name, digest }: SavedStep): readonly string[] {
  return [savedFolder(principal) + name, contentKey(digest)];
}

type FoldedSaved =
  | { readonly ok: true; readonly keys: readonly never[]; readonly counters: readonly (readonly [string, number])[] }
  | { readonly ok: false; readonly code: 'illegal'; readonly message: string };

/** What is saved is in the log before; what is saved under the same name takes its place. */
export function foldSaved(
  step: SavedStep,
  { position }: { readonly position: number },
  { counter }: { readonly counter: (key: string) => number },
): FoldedSaved {
  const [key = '', content = ''] = savedKeys(step);
  if (step.kind === 'program-saved') {
    if (counter(content) > 0) return { ok: true, keys: [], counters: [[key, position + 1]] };
    return illegal(`the log has no program \`${step.digest}\`, so \`program.saved\` does not fit`);
  }
  if (counter(key) > 0) return { ok: true, keys: [], counters: [[key, 0]] };
  return illegal(`\`${step.principal}\` has no program \`${step.name}\`, so \`program.deleted\` does not fit`);
}

export function isSavedStep(step: { readonly kind: string }): step is SavedStep {
  return step.kind === 'program-saved' || step.kind === 'program-deleted';
}

type ReadSaved = { readonly ok: true; readonly step: SavedStep } | { readonly ok: false; readonly message: string };

/** The step of an entry of such a type. */
export function readSaved(
  type: Extract<EntryType, 'program.saved' | 'program.deleted'>,
  { principal, name, digest }: JsonObject,
): ReadSaved {
  if (typeof principal !== 'string' || !principal.isWellFormed()) return missing('principal');
  if (!isName(name) || name.includes('/')) return missing('name');
  if (!isName(digest)) return missing('digest');
  const kind = type === 'program.saved' ? 'program-saved' : 'program-deleted';
  return { ok: true, step: { kind, principal, name, digest } };
}

function isName(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value !== '';
}

function illegal(message: string): FoldedSaved {
  return { ok: false, code: 'illegal', message };
}

function missing(field: string): ReadSaved {
  return { ok: false, message: `the entry lacks a usable \`${field}\`` };
}
