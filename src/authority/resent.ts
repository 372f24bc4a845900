/** What a call of which nobody knows whether it had its effect has taken, when it is decided whether to send it again. */

import type { CallRow } from '../ledger/ledger.ts';
import { leasesOf } from '../ledger/tables.ts';
import type { FactValues } from '../policy/decide/decide.ts';

/** Whether another attempt of the call repeats what may have had its effect. */
export function isResent(row: CallRow | undefined): row is CallRow {
  return row?.state === 'unknown' || row?.state === 'failed';
}

/**
 * `facts` as if the last attempt of `row` held nothing: all attempts of a call are one effect at most, so it does not
 * stand in its own way. The new intent takes the place of what the last attempt reserved and of the slots it holds.
 * `at`: when it is decided, milliseconds since the epoch.
 */
export function withoutOwn(facts: FactValues, row: CallRow, at: number): FactValues {
  const held = new Map(Object.entries(row.reserved));
  for (const { key, until } of leasesOf(row)) if (until === undefined || at < until) held.set(key, 1);
  const freed = [...held].filter(([key]) => facts.has(key));
  if (freed.length === 0) return facts;
  return new Map([...facts, ...freed.map(([key, own]): [string, number] => [key, (facts.get(key) ?? 0) - own])]);
}
