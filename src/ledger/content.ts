/** What decisions are made from, in the log once a digest: configurations, lists of tools, definitions, as texts in parts. Pure. */

import type { JsonObject } from '../value/json.ts';

/** What folding reads of `policy.content`: one part of a text that is known by its digest. */
export interface ContentStep {
  readonly kind: 'content';
  readonly digest: string;
  /** From 0. */
  readonly part: number;
  readonly parts: number;
  /** None: it is about no single call. */
  readonly call?: never;
}

type ReadContent = { readonly ok: true; readonly step: ContentStep } | { readonly ok: false; readonly message: string };

type FoldedContent =
  | { readonly ok: true; readonly keys: readonly never[]; readonly counters: readonly (readonly [string, number])[] }
  | { readonly ok: false; readonly code: 'illegal'; readonly message: string };

/** Code units of a part: within an entry each of them takes three bytes at most. */
const PART_LENGTH = 20_000;
const DIGEST = /^sha256:[0-9a-f]{64}$/u;

/** Under this key stands how many parts of the text are in the log: none, or, after their transaction, all. */
export function contentKey(digest: string): string {
  return `content/${digest}`;
}

/** Under this key stands where the text begins: the position of its first part, plus one. */
export function contentPlaceKey(digest: string): string {
  return `content-at/${digest}`;
}

/** The counters that `step` looks at or moves. */
export function contentKeys({ digest }: ContentStep): readonly string[] {
  return [contentKey(digest), contentPlaceKey(digest)];
}

/** The fields of the entries that hold `text`, canonical JSON whose digest is `digest`. */
export function contentFields(digest: string, text: string): readonly JsonObject[] {
  const starts = [0];
  while (text.length - (starts.at(-1) ?? 0) > PART_LENGTH) {
    const next = (starts.at(-1) ?? 0) + PART_LENGTH;
    // Half of a surrogate pair has no UTF-8.
    starts.push(isLowSurrogate(text, next) ? next - 1 : next);
  }
  return starts.map((start, part) => {
    return { content: digest, part, parts: starts.length, text: text.slice(start, starts[part + 1]) };
  });
}

function isLowSurrogate(text: string, index: number): boolean {
  const unit = text.charCodeAt(index);
  return unit >= 0xdc00 && unit <= 0xdfff;
}

/** The step of an entry `policy.content` or `program.content`. */
export function readContent({ content, part, parts, text }: JsonObject): ReadContent {
  if (typeof content !== 'string' || !DIGEST.test(content)) return missing('content');
  if (typeof text !== 'string') return missing('text');
  if (!Number.isSafeInteger(parts) || Number(parts) < 1) return missing('parts');
  if (!Number.isSafeInteger(part) || Number(part) < 0 || Number(part) >= Number(parts)) return missing('part');
  return { ok: true, step: { kind: 'content', digest: content, part: Number(part), parts: Number(parts) } };
}

/** Each part comes once, in order. */
export function foldContent(
  { digest, part }: ContentStep,
  { position }: { readonly position: number },
  counter: (key: string) => number,
): FoldedContent {
  const key = contentKey(digest);
  const known = counter(key);
  const place: readonly (readonly [string, number])[] = part === 0 ? [[contentPlaceKey(digest), position + 1]] : [];
  if (known === part) return { ok: true, keys: [], counters: [[key, part + 1], ...place] };
  const message = `${known} parts of \`${digest}\` are there, so part ${part} of its content does not fit`;
  return { ok: false, code: 'illegal', message };
}

function missing(field: string): ReadContent {
  return { ok: false, message: `the entry lacks a usable \`${field}\`` };
}
