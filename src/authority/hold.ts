/** Legal holds: what may not be erased, nor expire, until somebody lifts that. */

import { type Composition, type Ledger, LedgerError } from '../ledger/ledger.ts';
import { holdKey } from '../ledger/vault-step.ts';
import type { World } from '../world/world.ts';
import { draft } from './draft.ts';

export interface HoldOrder {
  /** `s_…`, or the id of a call. */
  readonly target: string;
  readonly held: boolean;
  readonly reason: string;
  /** Who says so, recorded as a claim. */
  readonly by: string;
}

export type HoldSet =
  | { readonly ok: true }
  | { readonly ok: false; readonly code: 'held' | 'not-held'; readonly message: string };

/** Throws `LedgerError`. A crash leaves the entry, and with it the hold, or neither. */
export async function setHold(ledger: Ledger, world: World, { target, held, reason, by }: HoldOrder): Promise<HoldSet> {
  const already: HoldSet = held
    ? { ok: false, code: 'held', message: `\`${target}\` is on hold already` }
    : { ok: false, code: 'not-held', message: `\`${target}\` is not on hold` };
  try {
    return await ledger.transact({ facts: [holdKey(target)] }, ({ values }): Composition<HoldSet> => {
      if (values.has(holdKey(target)) === held) return { result: already };
      const entry = draft(world, held ? 'hold.added' : 'hold.lifted', { target, reason, by });
      return { writes: { entries: [entry] }, result: { ok: true } };
    });
  } catch (error) {
    // Somebody else set it within the same batch.
    if (error instanceof LedgerError && error.code === 'conflict') return already;
    throw error;
  }
}
