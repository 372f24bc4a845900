/**
 * The keys that sign a log, as its entries tell: the first one from entry 0, and each further one vouched for by one that
 * held before. Whoever trusts one of them trusts those that follow from it.
 */

import { formatVerifierKey, parseVerifierKey, verifyNote } from '../../tlog/note.ts';
import type { SignatureCheck, SignedNote, VerifierKey } from '../../tlog/note.ts';
import { fromBase64, utf8 } from '../../value/encoding.ts';
import type { JsonObject } from '../../value/json.ts';
import { shown } from './leaf.ts';
import type { VerifyReport } from './report.ts';

/** One key, and the sizes of the trees that it may sign. */
export interface LogSigner {
  readonly key: VerifierKey;
  /** The first size: that of the tree with the entry that brought it. */
  readonly from: number;
  /** The last size: that of the tree before the entry that revoked it; absent while it is not revoked. */
  readonly until?: number;
}

/**
 * `valid`: by a key that is trusted and held then. `untrusted`: by one that held, of which nothing leads from the given key.
 * `revoked`, `early`: by one of the keys, that no longer or did not yet hold. `invalid`: a line names a key and does not
 * verify. `unsigned`: none names one.
 */
export type SignedBy = 'early' | 'invalid' | 'revoked' | 'unsigned' | 'untrusted' | 'valid';

export interface Signers {
  /** The key of entry 0. */
  create(key: VerifierKey): void;
  /** Takes an entry of type `key.added` or `key.revoked`, any other is nothing; answers what is wrong with it. */
  take(type: string, fields: JsonObject, position: number): string | undefined;
  signedBy(note: SignedNote, size: number): SignedBy;
  /** Whether a signature line names one of the keys. */
  isOwn(line: { readonly name: string; readonly keyId: string }): boolean;
  /** In the order in which they came. */
  all(): readonly LogSigner[];
  /** Whether the given key is one of the log's. */
  isGivenKnown(): boolean;
}

/** What a key says of the one that is added after it. It begins like nothing else that a key of a log signs. */
export function vouchText(log: string, added: string, by: string): string {
  return `interlock signer v1\n${log}\n${added}\n${by}\n`;
}

interface Known extends LogSigner {
  until?: number;
  readonly isTrusted: boolean;
}

/** Without a `given` key the one of entry 0 is trusted on first sight. */
export function signersOf(check: SignatureCheck, given?: VerifierKey): Signers {
  const known: Known[] = [];
  const isGiven = (line: string): boolean => given !== undefined && line === formatVerifierKey(given);
  const named = (line: unknown): Known | undefined => known.find(({ key }) => formatVerifierKey(key) === line);
  // A log whose entry 0 names no key, or another one, is still compared with what the given key signed of it.
  const candidates = (): readonly Known[] =>
    given === undefined || named(formatVerifierKey(given)) !== undefined
      ? known
      : [...known, { key: given, from: 0, isTrusted: true }];
  const add = (fields: JsonObject, position: number): string | undefined => {
    const { log, key: line, voucher: by, signature } = fields;
    const key = typeof line === 'string' ? parseVerifierKey(line) : undefined;
    if (key === undefined || typeof line !== 'string')
      return `expected \`key\` to be a verifier key, got ${shown(line)}`;
    if (key.name !== log) return `expected a key of the log, got one of ${shown(key.name)}`;
    if (named(line) !== undefined) return 'expected a new key, got one that the log has';
    const voucher = named(by);
    const bytes = typeof signature === 'string' ? fromBase64(signature) : undefined;
    const holds = voucher !== undefined && voucher.until === undefined;
    if (!holds || bytes === undefined || typeof by !== 'string') {
      return `expected a key that one of the log's keys vouches for, got the word of ${shown(by)}`;
    }
    if (!check(voucher.key.publicKey, utf8(vouchText(key.name, line, by)), bytes)) {
      return 'expected the signature of the key that vouches for the new one, got one that does not verify';
    }
    known.push({ key, from: position + 1, isTrusted: voucher.isTrusted || isGiven(line) });
    return undefined;
  };
  const revoke = ({ key }: JsonObject, position: number): string | undefined => {
    const revoked = named(key);
    if (revoked === undefined || revoked.until !== undefined || revoked === known.at(-1)) {
      return `expected a key that another has followed and nobody revoked, got ${shown(key)}`;
    }
    revoked.until = position;
    return undefined;
  };
  return {
    create: (key) =>
      void known.push({ key, from: 0, isTrusted: given === undefined || isGiven(formatVerifierKey(key)) }),
    take: (type, fields, position) => {
      if (type === 'key.added') return add(fields, position);
      return type === 'key.revoked' ? revoke(fields, position) : undefined;
    },
    signedBy: (note, size) => {
      let found: SignedBy = 'unsigned';
      for (const { key, from, until, isTrusted } of candidates()) {
        const state = verifyNote(note, key, check);
        if (state === 'unsigned') continue;
        if (state === 'valid' && size >= from && size <= (until ?? size)) {
          if (isTrusted) return 'valid';
          found = 'untrusted';
        } else if (found !== 'untrusted') found = state === 'invalid' ? 'invalid' : size < from ? 'early' : 'revoked';
      }
      return found;
    },
    isOwn: ({ name, keyId }) => candidates().some(({ key }) => key.name === name && key.keyId === keyId),
    all: () => known.map(({ key, from, until }) => (until === undefined ? { key, from } : { key, from, until })),
    isGivenKnown: () => given === undefined || named(formatVerifierKey(given)) !== undefined,
  };
}

/** What to say of a checkpoint that no key of the log signed as it should have. */
export function signatureFault(state: Exclude<SignedBy, 'untrusted' | 'valid'>, size: number): string {
  const got = {
    early: 'one of a key that came later',
    invalid: 'one that does not verify',
    revoked: 'one of a key that was revoked before',
    unsigned: 'none of it',
  }[state];
  return `expected a signature of the log's key on size ${size}, got ${got}`;
}

/** The keys as a report has them. */
export function tellSigners(signers: Signers): VerifyReport['signers'] {
  return signers.all().map(({ key, ...sizes }) => ({ vkey: formatVerifierKey(key), ...sizes }));
}
