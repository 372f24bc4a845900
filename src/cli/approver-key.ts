/** The key of an approver: Ed25519, its private half in the approver's own keeping, encrypted under a passphrase. */

import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { errorCodeOf } from '../ledger/directory.ts';
import { LedgerError } from '../ledger/ledger.ts';
import { openSecretFile, readSecretFile } from '../ledger/secret-file.ts';
import { equalBytes } from '../value/digest.ts';
import { fromUtf8, toHex, utf8 } from '../value/encoding.ts';
import type { World } from '../world/world.ts';
import { CliError } from './exit.ts';
import type { Terminal } from './terminal.ts';

export interface ApproverKey {
  /** `ed25519:` and base64, as `principals:` has it. */
  readonly publicKey: string;
  /** The signature of the text (RFC 8032) in base64. */
  sign(text: string): string;
}

/** What stands before the 32 seed bytes in a PKCS #8 private key (RFC 8410, section 7). */
const PKCS8_PREFIX = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20);
const SEED_BYTES = 32;
const CIPHER = 'aes-256-cbc';

/** Where the key of `id` is unless somebody says otherwise: the user's configuration directory (XDG Base Directory). */
export function approverKeyFile({ environment }: Pick<Terminal, 'environment'>, id: string): string {
  const named = environment['XDG_CONFIG_HOME'] ?? '';
  const home = environment['HOME'] ?? '';
  const base = path.isAbsolute(named) ? named : path.join(home === '' ? os.homedir() : home, '.config');
  // An id may hold any character; a file name may not.
  return path.join(base, 'interlock', 'approvers', `${encodeURIComponent(id.toWellFormed())}.key`);
}

/** Whether there is a key at `file` already. Throws `unreadable` when that cannot be told. */
export function hasApproverKey(file: string): boolean {
  return guarded(file, () => readSecretFile(file) !== undefined);
}

/** Makes a new key at `file`, mode 0600, and never replaces one. Throws `usage` for that, `unreadable` for the rest. */
export function createApproverKey(file: string, passphrase: string, world: World): ApproverKey {
  const der = Buffer.concat([PKCS8_PREFIX, world.random(SEED_BYTES)]);
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const pem = utf8(String(key.export({ format: 'pem', type: 'pkcs8', cipher: CIPHER, passphrase })));
  const kept = guarded(file, () => {
    // A crash leaves the directories, a draft that nothing reads, or the whole key.
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    return openSecretFile(file, toHex(world.random(8)), () => pem);
  });
  if (!equalBytes(kept, pem)) throw alreadyThere(file);
  return keyOf(key);
}

/** The key at `file`. Throws `unreadable` when there is none, it is no Ed25519 key, or the passphrase is wrong. */
export function openApproverKey(file: string, passphrase: string): ApproverKey {
  const bytes = guarded(file, () => readSecretFile(file));
  if (bytes === undefined) {
    throw new CliError('unreadable', `there is no key \`${file}\``, {
      hint: 'make one with interlock approver add ID, or name it with --key FILE',
    });
  }
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: fromUtf8(bytes) ?? '', passphrase });
  } catch (error) {
    const message = `\`${file}\` cannot be opened: the passphrase is wrong, or it holds no private key in PEM`;
    throw new CliError('unreadable', message, { cause: error });
  }
  if (key.asymmetricKeyType === 'ed25519') return keyOf(key);
  throw new CliError('unreadable', `\`${file}\` holds a key of another kind, expected Ed25519`);
}

export function alreadyThere(file: string): CliError {
  return new CliError('usage', `there is a key \`${file}\` already`, {
    hint: 'a key is never replaced: name another file with --out FILE',
  });
}

function keyOf(key: KeyObject): ApproverKey {
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' });
  return {
    publicKey: `ed25519:${Buffer.from(x, 'base64url').toString('base64')}`,
    sign: (text) => sign(null, utf8(text), key).toString('base64'),
  };
}

function guarded<T>(file: string, use: () => T): T {
  try {
    return use();
  } catch (error) {
    if (error instanceof LedgerError) throw new CliError('unreadable', error.message, { cause: error });
    const code = errorCodeOf(error);
    if (code === undefined) throw error;
    throw new CliError('unreadable', `\`${file}\` cannot be used: the system says ${code}`, { cause: error });
  }
}
