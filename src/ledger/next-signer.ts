/** Makes the key that will sign a log next, and has the one in force vouch for it. */

import { formatVerifierKey } from '../tlog/note.ts';
import { toBase64, utf8 } from '../value/encoding.ts';
import type { World } from '../world/world.ts';
import type { DataFiles } from './directory.ts';
import { LedgerError } from './ledger.ts';
import { openSigner, readSigner, verifierKeyOf } from './signer.ts';
import { vouchText } from './verify/signers.ts';

/** What the entry `key.added` says of it, by which every verifier tells that the log wanted it. */
export interface Vouched {
  /** The new key, and the one that vouches for it, as verifier keys. */
  readonly key: string;
  readonly voucher: string;
  /** Of `vouchText`, base64. */
  readonly signature: string;
}

/**
 * The new key lies in its own file until the log has its entry; only then it takes the place of the old one. A crash
 * leaves a key that nobody knows, which the next try uses. Throws `cannot-open` for files that cannot be used.
 */
export function prepareNextSigner(files: DataFiles, log: string, random: World['random']): Vouched {
  const signer = readSigner(files.signer);
  if (signer === undefined) throw new LedgerError('cannot-open', `\`${files.signer}\` is missing: restore it`);
  const key = formatVerifierKey(verifierKeyOf(openSigner(files.nextSigner, random), log));
  const voucher = formatVerifierKey(verifierKeyOf(signer, log));
  return { key, voucher, signature: toBase64(signer.sign(utf8(vouchText(log, key, voucher)))) };
}
