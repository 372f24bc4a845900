/** Which calls ended before a moment: what a store looks for when results are kept for a time only. */

import { toHex } from '../value/encoding.ts';
import { parseInstant } from '../value/time.ts';
import { parseEntry } from './entry.ts';
import type { CallRow } from './ledger.ts';

/** How many calls one step of `Ledger.expire` looks at: nobody waits long for it. */
export const EXPIRE_CALLS_MAX = 256;

/** A call that is over, and the position of the entry that ended it: if it went on since, it is another one's. */
export interface EndedCall {
  readonly call: string;
  readonly position: number;
}

/** Whether no entry may need what the call's bodies hold. */
export function isOver({ state }: Pick<CallRow, 'state'>): boolean {
  return state !== 'intent' && state !== 'unknown' && state !== 'parked';
}

/** Whether something of the call was erased: nothing private is kept of it any more. */
export function isErased({ fingerprint }: Pick<CallRow, 'fingerprint'>): boolean {
  return fingerprint?.length === 0;
}

/** Call ids are UUIDv7: those below this one were made before `before`, milliseconds since the epoch. */
export function idBound(before: number): string {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(Math.max(0, before)));
  const hex = toHex(bytes.subarray(2));
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}

/** The position of the first entry that is not before `before`, of `size`: times never go back. */
export function positionOf(leafAt: (position: number) => Uint8Array | undefined, size: number, before: number): number {
  let [low, high] = [0, size];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const leaf = leafAt(middle);
    const parsed = leaf === undefined ? undefined : parseEntry(leaf);
    const at = parsed?.ok === true ? (parseInstant(parsed.value.at) ?? before) : before;
    if (at < before) low = middle + 1;
    else high = middle;
  }
  return low;
}
