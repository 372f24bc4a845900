/** Signed notes (C2SP signed-note): text, a blank line, and signature lines that name their key. */

import { sha256 } from '../value/digest.ts';
import { fromBase64, fromUtf8, toBase64, toHex, utf8 } from '../value/encoding.ts';
import { TlogError } from './error.ts';

/** One signature line. */
export interface NoteSignature {
  readonly name: string;
  /** 8 lower-case hexadecimal digits. With the name it says which key signed; it is no strong hash. */
  readonly keyId: string;
  readonly signature: Uint8Array;
}

export interface SignedNote {
  /** What is signed, with its last newline, without the blank line that separates the signatures. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** A key that signatures are checked under: Ed25519, 32 bytes. */
export interface VerifierKey {
  readonly name: string;
  readonly keyId: string;
  readonly publicKey: Uint8Array;
}

/** A value, or in one line what was expected and what came. */
export type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly message: string };

/** Whether `signature` of `message` verifies under the Ed25519 key `publicKey` (32 bytes); never throws. */
export type SignatureCheck = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;

const ED25519 = 0x01;
export const PUBLIC_KEY_BYTES = 32;
const KEY_ID_BYTES = 4;
/** The specification asks for at least 16 signatures; the rest is against notes made to cost. */
const SIGNATURES_MAX = 100;
const NOTE_CHARACTERS_MAX = 1_000_000;

const KEY_NAME = /^[^\p{White_Space}\p{Cc}+]+$/u;
const KEY_LINE = /^([^+]*)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/;
const SIGNATURE_LINE = /^\u2014 ([^ ]+) ([A-Za-z0-9+/=]+)$/;
/** A control character of ASCII below the space, but the newline. */
const CONTROL = /[^\P{Cc}\n\u007f-\u009f]/u;

function isKeyName(name: string): boolean {
  return KEY_NAME.test(name) && name.isWellFormed();
}

function keyIdOf(name: string, typed: Uint8Array): string {
  return toHex(sha256(utf8(`${name}\n`), typed).subarray(0, KEY_ID_BYTES));
}

/** A key in its one-line form: its name, its id, and `typed`, the type's byte with what it says of the key after it. */
export function formatKeyLine(name: string, typed: Uint8Array): string {
  return `${name}+${keyIdOf(name, typed)}+${toBase64(typed)}`;
}

/** What a key's one-line form says; nothing when it is malformed or its id is not the key's. */
export function parseKeyLine(
  text: string,
): { readonly name: string; readonly keyId: string; readonly typed: Uint8Array } | undefined {
  const [, name = '', keyId = '', encoded = ''] = KEY_LINE.exec(text) ?? [];
  const typed = fromBase64(encoded);
  if (typed === undefined || typed.length === 0 || !isKeyName(name)) return undefined;
  return keyIdOf(name, typed) === keyId ? { name, keyId, typed } : undefined;
}

/** The verifier key of an Ed25519 public key. Throws `malformed-key` when the name or the key cannot be one. */
export function verifierKey(name: string, publicKey: Uint8Array): VerifierKey {
  if (!isKeyName(name)) {
    throw new TlogError('malformed-key', `expected a key name without spaces and \`+\`, got \`${name}\``);
  }
  if (publicKey.length !== PUBLIC_KEY_BYTES) {
    throw new TlogError('malformed-key', `expected a public key of 32 bytes, got ${publicKey.length}`);
  }
  return { name, keyId: keyIdOf(name, Uint8Array.of(ED25519, ...publicKey)), publicKey };
}

/** A verifier key in its one-line form: `name+keyId+base64(0x01 ‖ public key)`. */
export function formatVerifierKey({ name, publicKey }: VerifierKey): string {
  return formatKeyLine(name, Uint8Array.of(ED25519, ...publicKey));
}

/** The verifier key that `text` spells; nothing when it is malformed, of another algorithm, or its id is not the key's. */
export function parseVerifierKey(text: string): VerifierKey | undefined {
  const read = parseKeyLine(text);
  if (read?.typed.length !== 1 + PUBLIC_KEY_BYTES || read.typed[0] !== ED25519) return undefined;
  return { name: read.name, keyId: read.keyId, publicKey: read.typed.slice(1) };
}

function textProblem(text: string): string | undefined {
  if (!text.endsWith('\n')) return 'expected text that ends in a newline';
  if (CONTROL.test(text)) return 'expected no control characters but newlines';
  return text.isWellFormed() ? undefined : 'expected well-formed Unicode';
}

/**
 * The note as text: what `parseNote` reads back. Throws `malformed-text` when it could not: the text does not end in a
 * newline or has control characters, there is no signature, or one names an impossible key.
 */
export function formatNote({ text, signatures }: SignedNote): string {
  const note = `${text}\n${signatures.map(formatSignatureLine).join('')}`;
  const read = parseNote(note);
  if (!read.ok) throw new TlogError('malformed-text', read.message);
  if (read.value.text !== text || read.value.signatures.length !== signatures.length) {
    throw new TlogError('malformed-text', 'expected a text and signatures that can be told apart');
  }
  return note;
}

/** One signature as a line of a note, with its newline. */
function formatSignatureLine({ name, keyId, signature }: NoteSignature): string {
  const bytes = new Uint8Array(KEY_ID_BYTES + signature.length);
  new DataView(bytes.buffer).setUint32(0, Number.parseInt(keyId, 16));
  bytes.set(signature, KEY_ID_BYTES);
  return `\u2014 ${name} ${toBase64(bytes)}\n`;
}

/** `note` with those of `more` after its own signatures that it does not have yet. */
export function withSignatures(note: SignedNote, more: readonly NoteSignature[]): SignedNote {
  const lines = new Map([...note.signatures, ...more].map((signature) => [formatSignatureLine(signature), signature]));
  return { text: note.text, signatures: [...lines.values()] };
}

/** Reads a signed note; its signatures are not checked yet. */
export function parseNote(note: string | Uint8Array): Read<SignedNote> {
  if (note.length > NOTE_CHARACTERS_MAX) return refuse(`expected at most ${NOTE_CHARACTERS_MAX} characters, got more`);
  const whole = typeof note === 'string' ? note : fromUtf8(note);
  if (whole === undefined) return refuse('expected UTF-8, got bytes that are not');
  const blank = whole.lastIndexOf('\n\n');
  if (blank === -1) return refuse('expected a text, a blank line and signatures, got no blank line');
  const problem = textProblem(whole);
  if (problem !== undefined) return refuse(problem);
  const lines = whole.slice(blank + 2, -1).split('\n');
  if (lines.length > SIGNATURES_MAX)
    return refuse(`expected at most ${SIGNATURES_MAX} signatures, got ${lines.length}`);
  const signatures: NoteSignature[] = [];
  for (const line of lines) {
    const signature = parseSignatureLine(line);
    if (signature === undefined) return refuse(`expected a signature line, got \`${line.slice(0, 80)}\``);
    signatures.push(signature);
  }
  return { ok: true, value: { text: whole.slice(0, blank + 1), signatures } };
}

function refuse(message: string): { readonly ok: false; readonly message: string } {
  return { ok: false, message };
}

/** The signature of a line without its newline; nothing for a line that is none. */
export function parseSignatureLine(line: string): NoteSignature | undefined {
  const [, name = '', encoded = ''] = SIGNATURE_LINE.exec(line) ?? [];
  const bytes = fromBase64(encoded);
  if (!isKeyName(name) || bytes === undefined || bytes.length <= KEY_ID_BYTES) return undefined;
  return { name, keyId: toHex(bytes.subarray(0, KEY_ID_BYTES)), signature: bytes.slice(KEY_ID_BYTES) };
}

/** The note that a log signs: `text` under `key`, the signature made by `sign` over the text in UTF-8. */
export function signNote(text: string, key: VerifierKey, sign: (message: Uint8Array) => Uint8Array): string {
  return formatNote({ text, signatures: [{ name: key.name, keyId: key.keyId, signature: sign(utf8(text)) }] });
}

/**
 * Whether `note` is signed under `key`. `unsigned`: no line names that key; lines of other keys are ignored.
 * `invalid`: a line names it and does not verify, which spoils the note even when another line does.
 */
export function verifyNote(
  note: SignedNote,
  key: VerifierKey,
  check: SignatureCheck,
): 'valid' | 'invalid' | 'unsigned' {
  const own = note.signatures.filter(({ name, keyId }) => name === key.name && keyId === key.keyId);
  if (own.length === 0) return 'unsigned';
  const message = utf8(note.text);
  return own.every(({ signature }) => check(key.publicKey, message, signature)) ? 'valid' : 'invalid';
}
