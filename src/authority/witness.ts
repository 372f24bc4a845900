/** Asks a witness for its cosignature on a checkpoint (C2SP tlog-witness), and tells a refusal from a contradiction. */

import { guardedFetch } from '../guard/net/fetch.ts';
import type { NetAnswer } from '../guard/net/fetch.ts';
import { verifyEd25519 } from '../ledger/ed25519.ts';
import type { WitnessedLog } from '../ledger/sqlite/witnessed-log.ts';
import type { SignedCheckpoint } from '../tlog/checkpoint.ts';
import { verifyCosignature } from '../tlog/cosignature.ts';
import type { WitnessKey } from '../tlog/cosignature.ts';
import { formatNote } from '../tlog/note.ts';
import type { NoteSignature } from '../tlog/note.ts';
import { formatAddCheckpoint, parseCosignatures, parseSizeSeen } from '../tlog/witness.ts';
import { fromUtf8, utf8 } from '../value/encoding.ts';
import type { World } from '../world/world.ts';

/** A witness as the operator names it. */
export interface Witness {
  /** Where it listens: `add-checkpoint` is below it. */
  readonly url: string;
  /** Without it the word of whoever answers is taken as it is. */
  readonly key?: WitnessKey;
}

/** A few signature lines, or a number. */
const ANSWER_BYTES_MAX = 64 * 1024;
/** It may know of another size once or twice; one that always does is not answering. */
const ASKED_MAX = 3;

export type WitnessAnswer =
  | {
      readonly kind: 'cosigned';
      readonly checkpoint: SignedCheckpoint;
      readonly signatures: readonly NoteSignature[];
    }
  /** It saw `size` entries of this log, and here are fewer: this log is an older copy, or the witness lies. */
  | { readonly kind: 'ahead'; readonly size: number }
  /** It saw another history of this log, of `size` entries, or it lies. */
  | { readonly kind: 'differs'; readonly size: number }
  /** It cannot be asked, does not know this log, or its answer is none. `message` is for people. */
  | { readonly kind: 'failed'; readonly message: string };

/** What is remembered of a witness between two questions. */
export interface Seen {
  /** The size that it saw last, as far as is known; 0 at first. */
  size: number;
}

export interface Asking {
  readonly log: WitnessedLog;
  readonly world: World;
  /** For each request, milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** Has the witness see the last checkpoint; `seen` is brought up to date. Rejects only with what reading the log does. */
export async function askWitness(witness: Witness, seen: Seen, asking: Asking): Promise<WitnessAnswer> {
  for (let asked = 0; asked < ASKED_MAX; asked += 1) {
    const checkpoint = asking.log.last();
    if (checkpoint === undefined) return failed('there is no checkpoint yet');
    const { size } = checkpoint.checkpoint;
    if (seen.size > size) return { kind: 'ahead', size: seen.size };
    const isNew = seen.size === 0 || seen.size === size;
    const proof = isNew ? [] : await asking.log.proof(seen.size, size, asking.signal);
    const answer = await post(witness, formatAddCheckpoint(seen.size, proof, formatNote(checkpoint.note)), asking);
    if (!answer.ok) return failed(answer.reason);
    if (answer.status === 200) return cosigned(witness, seen, checkpoint, answer.body);
    if (answer.status === 422 && seen.size > 0) return { kind: 'differs', size: seen.size };
    if (answer.status !== 409) return failed(`it answers ${answer.status}${meaningOf(answer.status)}`);
    const known = parseSizeSeen(fromUtf8(answer.body) ?? '');
    if (known === undefined) return failed('it answers 409 and no size');
    // That it saw a tree of this size, and it was not this one, is what 409 under the same size says.
    if (known === seen.size)
      return known === size ? { kind: 'differs', size } : failed('it answers 409 and the same size');
    seen.size = known;
  }
  return failed(`it answered 409 with another size ${ASKED_MAX} times`);
}

function failed(message: string): WitnessAnswer {
  return { kind: 'failed', message };
}

function post({ url }: Witness, body: string, { world, timeoutMs, signal }: Asking): Promise<NetAnswer> {
  return guardedFetch(
    { method: 'POST', url: `${url.replace(/\/+$/u, '')}/add-checkpoint`, body: utf8(body) },
    // The operator named it, so that it may stand in a private network.
    {
      reach: { private: true },
      world,
      timeoutMs,
      bytesMax: ANSWER_BYTES_MAX,
      ...(signal === undefined ? {} : { signal }),
    },
  );
}

function meaningOf(status: number): string {
  if (status === 404) return ': it does not know this log';
  if (status === 403) return ': it does not trust the key of this log';
  return '';
}

/** Only what verifies is taken. Without a key to verify with, all lines are: they are its word and nothing else. */
function cosigned({ key }: Witness, seen: Seen, checkpoint: SignedCheckpoint, body: Uint8Array): WitnessAnswer {
  const { size } = checkpoint.checkpoint;
  const lines = parseCosignatures(fromUtf8(body) ?? '');
  if (lines === undefined) return failed('it answers 200 and no cosignature');
  const own = new Set(checkpoint.note.signatures.map(({ name }) => name));
  const foreign = lines.filter(({ name, keyId }) =>
    key === undefined ? !own.has(name) : name === key.name && keyId === key.keyId,
  );
  if (foreign.length === 0) return failed('its answer holds no cosignature of the key that was named for it');
  const note = { text: checkpoint.note.text, signatures: foreign };
  if (key !== undefined && verifyCosignature(note, key, verifyEd25519).state !== 'valid') {
    return failed('its cosignature does not verify under the key that was named for it');
  }
  seen.size = size;
  return { kind: 'cosigned', checkpoint, signatures: foreign };
}
