/** Entries as they are found in a store. */

import type { Entry } from './entry.ts';
import { parseEntry } from './entry.ts';
import { LedgerError } from './ledger.ts';

/** The entry in the leaf at `position`; none without a leaf. Throws `tampered` when the leaf holds no entry. */
export function storedEntry(leaf: Uint8Array | undefined, position: number): Entry | undefined {
  if (leaf === undefined) return undefined;
  const parsed = parseEntry(leaf);
  if (parsed.ok) return parsed.value;
  throw new LedgerError('tampered', `entry ${position} is none: ${parsed.issues[0]?.message ?? 'unreadable'}`);
}
