/** The keys that sign a stored log, read from the entries that brought and revoked them. */

import { parseVerifierKey } from '../../tlog/note.ts';
import type { VerifierKey } from '../../tlog/note.ts';
import { verifyEd25519 } from '../ed25519.ts';
import type { Entry } from '../entry.ts';
import { parseEntry } from '../entry.ts';
import { LedgerError } from '../ledger.ts';
import { LAST_SIGNER_KEY, SIGNER_FOLDER } from '../vault-step.ts';
import type { LogSigner, Signers } from '../verify/signers.ts';
import { signersOf } from '../verify/signers.ts';
import type { Queries } from './row.ts';
import { bytes, counterOf, endOf } from './row.ts';

export interface StoredSigners {
  /** The log's, and that of all its keys. */
  readonly name: string;
  readonly signers: Signers;
  /** The key that signs from now on: the last that was added. */
  readonly inForce: VerifierKey;
}

/** Those of a log that has no entry yet. */
export function firstSigner(key: VerifierKey): StoredSigners {
  const signers = signersOf(verifyEd25519);
  signers.create(key);
  return { name: key.name, signers, inForce: key };
}

/** The first key and all that follow from it. Throws `tampered` where the entries do not say so. */
export function storedSigners(queries: Pick<Queries, 'countersOf' | 'leaf'>, log: string): StoredSigners {
  const first = entryAt(queries, 0);
  const key = typeof first?.['key'] === 'string' ? parseVerifierKey(first['key']) : undefined;
  if (first?.type !== 'ledger.created' || first.log !== log || key?.name !== log) {
    throw tampered('the first entry is not the one that created this log');
  }
  const { signers } = firstSigner(key);
  const counters = queries.countersOf.all(SIGNER_FOLDER, endOf(SIGNER_FOLDER)).map(counterOf);
  const positions = counters.flatMap(([name, n]) => (name === LAST_SIGNER_KEY ? [] : [n - 1]));
  for (const position of positions.toSorted((a, b) => a - b)) {
    const entry = entryAt(queries, position);
    const isOf = entry?.type === 'key.added' || entry?.type === 'key.revoked';
    const fault = isOf ? signers.take(entry.type, entry, position) : 'it is about no key';
    if (fault !== undefined) throw tampered(`entry ${position}: ${fault}`);
  }
  const last: LogSigner | undefined = signers.all().at(-1);
  return { name: log, signers, inForce: last?.key ?? key };
}

function entryAt({ leaf }: Pick<Queries, 'leaf'>, position: number): Entry | undefined {
  const row = leaf.get(position);
  const parsed = row === undefined ? undefined : parseEntry(bytes(row, 'leaf'));
  return parsed?.ok === true ? parsed.value : undefined;
}

function tampered(problem: string): LedgerError {
  return new LedgerError('tampered', `the stored log does not extend what was signed: ${problem}`);
}
