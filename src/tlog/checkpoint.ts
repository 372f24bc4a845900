/** Checkpoints (C2SP tlog-checkpoint): what a log signs of itself, its name, its size and its root. */

import { fromBase64, toBase64 } from '../value/encoding.ts';
import { TlogError } from './error.ts';
import { parseNote } from './note.ts';
import type { Read, SignedNote } from './note.ts';
import { HASH_BYTES } from './tree.ts';

export interface Checkpoint {
  /** Which log this is of; not empty, one line. */
  readonly origin: string;
  /** Number of leaves, at most 2^53−1. */
  readonly size: number;
  /** The root hash of the tree of that size, 32 bytes. */
  readonly root: Uint8Array;
  /** Further lines that the log signed, kept as they are; a log of ours writes none. */
  readonly extensions: readonly string[];
}

const SIZE = /^(0|[1-9]\d*)$/;

/** The text of the note to sign. Throws `malformed-text` when `parseCheckpoint` would not read it back. */
export function formatCheckpoint({ origin, size, root, extensions }: Checkpoint): string {
  const text = `${[origin, String(size), toBase64(root), ...extensions].join('\n')}\n`;
  const read = parseCheckpoint(text);
  if (!read.ok) throw new TlogError('malformed-text', read.message);
  if (read.value.origin !== origin || read.value.extensions.length !== extensions.length) {
    throw new TlogError('malformed-text', 'expected an origin and extensions of one line each');
  }
  return text;
}

/** Reads the text of a note as a checkpoint; the signatures are the note's and not checked here. */
export function parseCheckpoint(text: string): Read<Checkpoint> {
  const lines = text.split('\n');
  if (lines.pop() !== '') return { ok: false, message: 'expected a checkpoint that ends in a newline' };
  if (lines.length < 3 || lines.includes('')) {
    return { ok: false, message: 'expected a checkpoint of origin, size and root, each a line that is not empty' };
  }
  const [origin = '', sizeText = '', rootText = '', ...extensions] = lines;
  const size = SIZE.test(sizeText) ? Number(sizeText) : NaN;
  if (!Number.isSafeInteger(size)) {
    return { ok: false, message: `expected a size below 2^53 without leading zeros, got \`${sizeText.slice(0, 80)}\`` };
  }
  const root = fromBase64(rootText);
  if (root?.length !== HASH_BYTES) {
    return { ok: false, message: `expected a root of 32 bytes in base64, got \`${rootText.slice(0, 80)}\`` };
  }
  return { ok: true, value: { origin, size, root, extensions } };
}

/** A checkpoint and the note that signs it. */
export interface SignedCheckpoint {
  readonly note: SignedNote;
  readonly checkpoint: Checkpoint;
}

/** Reads a signed note as a checkpoint; its signatures are not checked yet. */
export function parseSignedCheckpoint(text: string | Uint8Array): Read<SignedCheckpoint> {
  const note = parseNote(text);
  if (!note.ok) return note;
  const checkpoint = parseCheckpoint(note.value.text);
  return checkpoint.ok ? { ok: true, value: { note: note.value, checkpoint: checkpoint.value } } : checkpoint;
}
