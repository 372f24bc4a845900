/** What is said to a witness and what it answers (C2SP tlog-witness), as text. */

import { toBase64 } from '../value/encoding.ts';
import { parseSignatureLine } from './note.ts';
import type { NoteSignature } from './note.ts';

/** The body of `add-checkpoint`: that the tree of the note grew from that of `oldSize` entries, and the proof of it. */
export function formatAddCheckpoint(oldSize: number, proof: readonly Uint8Array[], note: string): string {
  return `old ${oldSize}\n${proof.map((hash) => `${toBase64(hash)}\n`).join('')}\n${note}`;
}

/** The signatures of an answer, each line with its newline; nothing when it holds anything else, or none. */
export function parseCosignatures(text: string): readonly NoteSignature[] | undefined {
  if (!text.endsWith('\n')) return undefined;
  const signatures = text.slice(0, -1).split('\n').map(parseSignatureLine);
  return signatures.every((signature) => signature !== undefined) ? signatures : undefined;
}

/** The size that a witness says it has seen: a number below 2^53 and a newline. */
export function parseSizeSeen(text: string): number | undefined {
  const size = /^(0|[1-9]\d{0,15})\n$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(size) ? size : undefined;
}
