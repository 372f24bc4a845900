/** The key that signs checkpoints: Ed25519, created at first start, in a file of its own. */

import type { KeyObject } from 'node:crypto';
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { fromUtf8, toHex, utf8 } from '../value/encoding.ts';
import { formatCheckpoint, parseSignedCheckpoint } from '../tlog/checkpoint.ts';
import type { VerifierKey } from '../tlog/note.ts';
import { formatVerifierKey, signNote, verifierKey } from '../tlog/note.ts';
import type { Frontier } from '../tlog/tree.ts';
import { rootOf } from '../tlog/tree.ts';
import { equalBytes } from '../value/digest.ts';
import type { DataFiles } from './directory.ts';
import { errorCodeOf, syncDirectory } from './directory.ts';
import { LedgerError } from './ledger.ts';
import { openSecretFile, readSecretFile } from './secret-file.ts';
import type { Signers } from './verify/signers.ts';

/** A checkpoint is due when this many leaves are not signed yet … */
const UNSIGNED_LEAVES_MAX = 256;
/** … or the last one is this old, milliseconds. */
export const CHECKPOINT_EVERY_MS = 1_000;

/** What stands before the 32 seed bytes in a PKCS #8 private key (RFC 8410, section 7). */
const PKCS8_PREFIX = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20);
const SEED_BYTES = 32;

export interface Signer {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** The Ed25519 signature of `message` (RFC 8032), 64 bytes. */
  sign(message: Uint8Array): Uint8Array;
}

/** The signer of a 32-byte seed. */
export function signerFromSeed(seed: Uint8Array): Signer {
  return signerOf(privateKeyOf(seed));
}

function privateKeyOf(seed: Uint8Array): KeyObject {
  const der = Buffer.concat([PKCS8_PREFIX, seed]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}

function signerOf(key: KeyObject): Signer {
  const { x } = createPublicKey(key).export({ format: 'jwk' });
  return {
    publicKey: new Uint8Array(Buffer.from(x ?? '', 'base64url')),
    sign: (message) => new Uint8Array(sign(null, message, key)),
  };
}

/** The signer kept at `path`; none when the file is missing. Throws `cannot-open` as `readSecretFile` and for no key. */
export function readSigner(path: string): Signer | undefined {
  const bytes = readSecretFile(path);
  return bytes === undefined ? undefined : parseSigner(path, bytes);
}

/** The signer kept at `path`, created with `random` bytes at first start. */
export function openSigner(path: string, random: (length: number) => Uint8Array): Signer {
  const make = (): Uint8Array =>
    utf8(String(privateKeyOf(random(SEED_BYTES)).export({ format: 'pem', type: 'pkcs8' })));
  return parseSigner(path, openSecretFile(path, toHex(random(8)), make));
}

function parseSigner(path: string, bytes: Uint8Array): Signer {
  let key: KeyObject;
  try {
    key = createPrivateKey(fromUtf8(bytes) ?? '');
  } catch (error) {
    throw new LedgerError('cannot-open', `\`${path}\` is damaged, expected a private key in PEM: restore it`, {
      cause: error,
    });
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new LedgerError('cannot-open', `\`${path}\` holds a key of another kind, expected Ed25519: restore it`);
  }
  return signerOf(key);
}

/** The key that checkpoints of `log` are checked under; its name is the log's. */
export function verifierKeyOf(signer: Signer, log: string): VerifierKey {
  return verifierKey(log, signer.publicKey);
}

/** A checkpoint (C2SP tlog-checkpoint) of the tree as a signed note. */
export function signCheckpoint(signer: Signer, log: string, frontier: Frontier): string {
  const text = formatCheckpoint({ origin: log, size: frontier.size, root: rootOf(frontier), extensions: [] });
  return signNote(text, verifierKeyOf(signer, log), (message) => signer.sign(message));
}

/**
 * The signer of the key in force among those at `files`, which is moved to its place where a rotation was cut before that:
 * a crash leaves one of both names. Throws `cannot-open` when that key is not there.
 */
export function signerInForce(files: Pick<DataFiles, 'nextSigner' | 'signer'>, key: VerifierKey): Signer {
  const signer = readSigner(files.signer);
  if (signer !== undefined && equalBytes(signer.publicKey, key.publicKey)) return signer;
  const next = readSigner(files.nextSigner);
  if (next !== undefined && equalBytes(next.publicKey, key.publicKey)) {
    try {
      renameSync(files.nextSigner, files.signer);
    } catch (error) {
      // Another process has moved it in the same moment.
      if (errorCodeOf(error) !== 'ENOENT') throw error;
    }
    syncDirectory(dirname(files.signer));
    return next;
  }
  // Moved between the two looks.
  const moved = next === undefined ? readSigner(files.signer) : undefined;
  if (moved !== undefined && equalBytes(moved.publicKey, key.publicKey)) return moved;
  const message =
    signer === undefined
      ? `\`${files.signer}\` is missing, and a new key could not sign for this log: restore it`
      : `signer.key is not the key that this ledger is signed with, ${formatVerifierKey(key)}: restore that one`;
  throw new LedgerError('cannot-open', message);
}

/** Why `note` is not a checkpoint that one of `keys` signed of the tree `frontier` while it held; nothing when it is. */
export function checkpointProblem(
  note: string,
  keys: { readonly name: string; readonly signers: Signers },
  frontier: Frontier,
): string | undefined {
  const read = parseSignedCheckpoint(note);
  if (!read.ok) return `the checkpoint of size ${frontier.size} cannot be read: ${read.message}`;
  if (keys.signers.signedBy(read.value.note, frontier.size) !== 'valid') {
    return `the checkpoint of size ${frontier.size} is not signed by this ledger's key`;
  }
  const { origin, size, root } = read.value.checkpoint;
  if (origin !== keys.name) return `the checkpoint of size ${frontier.size} is of another log`;
  if (size === frontier.size && equalBytes(root, rootOf(frontier))) return undefined;
  return `the checkpoint of size ${frontier.size} does not sign the tree stored with it`;
}

/** Whether whoever takes the write lock now signs what is committed: `unsigned` leaves, the last signed `ageMs` ago. */
export function isCheckpointDue(unsigned: number, ageMs: number): boolean {
  return unsigned > 0 && (unsigned >= UNSIGNED_LEAVES_MAX || ageMs >= CHECKPOINT_EVERY_MS);
}
