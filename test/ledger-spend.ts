/** Spending from a limit, as an authority does: look and reserve in one transaction. */

import type { Ledger } from '../src/ledger/ledger.ts';
import { intent, newId } from './ledger-drafts.ts';

/** Reserves one of `limit`, if `key` has room; says whether it did. */
export function spend(ledger: Ledger, key: string, limit: number): Promise<boolean> {
  const [call, attempt] = [newId(), newId()];
  const held = key.startsWith('slots/') ? { slots: [key] } : { reserved: { [key]: 1 } };
  return ledger.transact({ facts: [key] }, ({ values }) => {
    if ((values.get(key) ?? 0) >= limit) return { result: false };
    return { writes: intent({ call, attempt, instance: ledger.instance, ...held }), result: true };
  });
}
