/** The keys that sign the log, for people: which there are, a new one, and the end of one that must not be trusted. */

import { dataFiles } from '../ledger/directory.ts';
import type { Entry } from '../ledger/entry.ts';
import { type Ledger, LedgerError } from '../ledger/ledger.ts';
import { prepareNextSigner } from '../ledger/next-signer.ts';
import { LAST_SIGNER_KEY, SIGNER_FOLDER } from '../ledger/vault-step.ts';
import { parseVerifierKey } from '../tlog/note.ts';
import type { World } from '../world/world.ts';
import { draft } from './draft.ts';

/** One key, as the log has it. */
export interface SignerKey {
  /** The verifier key, one line. */
  readonly key: string;
  /** Eight hexadecimal digits: what signature lines call it. */
  readonly id: string;
  /** The entry that brought it, and when. */
  readonly entry: number;
  readonly at: string;
  /** Whether checkpoints are signed with it now. */
  readonly signs: boolean;
  readonly revoked?: { readonly entry: number; readonly at: string };
}

/** Who does it, and why, as far as they say. */
export interface SignerOrder {
  readonly by: string;
  readonly reason?: string;
}

/** In the order in which they came. Throws `LedgerError`. */
export async function listSigners(ledger: Ledger): Promise<readonly SignerKey[]> {
  const counters = await ledger.counters(SIGNER_FOLDER);
  const positions = [...counters].flatMap(([name, n]) => (name === LAST_SIGNER_KEY ? [] : [n - 1]));
  const entries: { readonly entry: Entry; readonly position: number }[] = [];
  for (const position of [0, ...positions.toSorted((a, b) => a - b)]) {
    const entry = await ledger.entry(position);
    if (entry === undefined) throw new LedgerError('tampered', `entry ${position} is missing`);
    entries.push({ entry, position });
  }
  const brought = entries.filter(({ entry }) => entry.type !== 'key.revoked');
  return brought.map(({ entry, position }, nth) => {
    const named = entry['key'];
    const key = typeof named === 'string' ? named : '';
    const id = parseVerifierKey(key)?.keyId ?? '';
    const end = entries.find((one) => one.entry.type === 'key.revoked' && one.entry['key'] === key);
    const known = { key, id, entry: position, at: entry.at, signs: nth === brought.length - 1 };
    return end === undefined ? known : { ...known, revoked: { entry: end.position, at: end.entry.at } };
  });
}

/**
 * From the entry on all processes sign with a new key; the one before it vouches for it, and goes. A crash before the
 * entry leaves everything as it was, one after it is finished by whoever opens the log next. Throws `LedgerError`.
 */
export async function addSigner(
  ledger: Ledger,
  world: World,
  dataDirectory: string,
  { by, reason }: SignerOrder,
): Promise<string> {
  const vouched = prepareNextSigner(dataFiles(dataDirectory), ledger.log, (length) => world.random(length));
  const why = reason === undefined ? {} : { reason };
  await ledger.append({ entries: [draft(world, 'key.added', { ...vouched, by, ...why })] });
  // Signed at once, so that whoever looks next finds the new key at work.
  await ledger.checkpoint();
  return vouched.key;
}

export type SignerRevoked =
  | { readonly ok: true; readonly key: string }
  | { readonly ok: false; readonly code: 'in-force' | 'revoked-before' | 'unknown-key'; readonly message: string };

/** From the entry on what `which` (a verifier key, or its id) signs is bad. Throws `LedgerError`. */
export async function revokeSigner(
  ledger: Ledger,
  world: World,
  which: string,
  { by, reason }: SignerOrder,
): Promise<SignerRevoked> {
  const found = (await listSigners(ledger)).find(({ key, id }) => key === which || id === which);
  if (found === undefined) return { ok: false, code: 'unknown-key', message: `no key of this log is \`${which}\`` };
  if (found.signs) {
    const message = 'it is the key that signs: add another one first, with interlock key add';
    return { ok: false, code: 'in-force', message };
  }
  const before = { ok: false, code: 'revoked-before', message: 'it was revoked before' } as const;
  if (found.revoked !== undefined) return before;
  const why = reason === undefined ? {} : { reason };
  try {
    await ledger.append({ entries: [draft(world, 'key.revoked', { key: found.key, by, ...why })] });
  } catch (error) {
    if (error instanceof LedgerError && error.code === 'conflict') return before;
    throw error;
  }
  await ledger.checkpoint();
  return { ok: true, key: found.key };
}
