/** Cosignatures (C2SP tlog-cosignature, version 1): a witness says that it saw a checkpoint follow all it saw before. */

import { utf8 } from '../value/encoding.ts';
import { formatKeyLine, parseKeyLine, PUBLIC_KEY_BYTES } from './note.ts';
import type { NoteSignature, SignatureCheck, SignedNote } from './note.ts';

const COSIGNATURE = 0x04;
/** Seconds since the epoch in 8 bytes, big-endian, before the signature. */
const TIME_BYTES = 8;
const SIGNATURE_BYTES = 64;

/** The key of a witness: Ed25519, 32 bytes. The type in its id keeps it apart from a log's. */
export interface WitnessKey {
  readonly name: string;
  readonly keyId: string;
  readonly publicKey: Uint8Array;
}

/** The key that `text` spells: `name+keyId+base64(0x04 ‖ public key)`; nothing when it is another. */
export function parseWitnessKey(text: string): WitnessKey | undefined {
  const read = parseKeyLine(text);
  if (read?.typed.length !== 1 + PUBLIC_KEY_BYTES || read.typed[0] !== COSIGNATURE) return undefined;
  return { name: read.name, keyId: read.keyId, publicKey: read.typed.slice(1) };
}

export function formatWitnessKey({ name, publicKey }: Pick<WitnessKey, 'name' | 'publicKey'>): string {
  return formatKeyLine(name, Uint8Array.of(COSIGNATURE, ...publicKey));
}

/** What a witness signs: the text of the note, and when it saw it, seconds since the epoch. */
function cosignedText(text: string, time: number): string {
  return `cosignature/v1\ntime ${time}\n${text}`;
}

/** `invalid`: a line names the witness and is no cosignature of its key; `absent`: none names it. */
export type Cosigned =
  | { readonly state: 'valid'; /** Seconds since the epoch. */ readonly time: number }
  | { readonly state: 'absent' | 'invalid' };

/** Whether the witness cosigned `note`; of several cosignatures each must verify, and the last one's time counts. */
export function verifyCosignature(note: SignedNote, key: WitnessKey, check: SignatureCheck): Cosigned {
  let last: Cosigned = { state: 'absent' };
  for (const line of note.signatures) {
    if (line.name !== key.name || line.keyId !== key.keyId) continue;
    const time = cosignatureTime(line);
    if (time === undefined) return { state: 'invalid' };
    const signature = line.signature.subarray(TIME_BYTES);
    if (!check(key.publicKey, utf8(cosignedText(note.text, time)), signature)) return { state: 'invalid' };
    if (last.state !== 'valid' || time > last.time) last = { state: 'valid', time };
  }
  return last;
}

/** When a line says it was made, if it can be a cosignature: seconds since the epoch. */
function cosignatureTime({ signature }: NoteSignature): number | undefined {
  if (signature.length !== TIME_BYTES + SIGNATURE_BYTES) return undefined;
  const time = Number(new DataView(signature.buffer, signature.byteOffset, TIME_BYTES).getBigUint64(0));
  return Number.isSafeInteger(time) ? time : undefined;
}
