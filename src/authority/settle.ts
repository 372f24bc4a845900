/** Settles a call of unknown outcome: a person says what happened, and that is recorded. */

import type { CallRow, Composition, Ledger } from '../ledger/ledger.ts';
import type { JsonValue } from '../value/json.ts';
import { draft } from './draft.ts';
import type { Surroundings } from './prepare.ts';

export interface Settlement {
  readonly call: string;
  readonly as: 'executed' | 'not-executed';
  /** What the call returned, as far as the person knows; it answers later proposals under the same key. */
  readonly output?: JsonValue;
  /** Who settles, recorded as a claim. */
  readonly by: string;
  readonly reason: string;
}

export type Settled =
  | { readonly ok: true; readonly row: CallRow }
  | { readonly ok: false; readonly code: 'no-such-call' | 'not-unknown' | 'owner-alive'; readonly message: string };

/**
 * Moves an `unknown` call to settled. Refused while it is anything else, and `not-executed` also while the
 * instance that dispatched it lives: its answer may still arrive.
 */
export async function settle(
  ledger: Ledger,
  around: Pick<Surroundings, 'vault' | 'world'>,
  settlement: Settlement,
): Promise<Settled> {
  const before = await ledger.call(settlement.call);
  if (before === undefined) {
    return { ok: false, code: 'no-such-call', message: `there is no call \`${settlement.call}\` in this ledger` };
  }
  if (settlement.as === 'not-executed' && before.state === 'unknown' && (await ledger.isAlive(before.instance))) {
    const message = 'the process that sent this call still runs and may yet get its answer; stop it first';
    return { ok: false, code: 'owner-alive', message };
  }
  return ledger.transact({ call: settlement.call }, ({ call: row }): Composition<Settled> => {
    if (row?.state !== 'unknown') {
      const message = `only a call of unknown outcome can be settled; this one is \`${row?.state ?? 'gone'}\``;
      return { result: { ok: false, code: 'not-unknown', message } };
    }
    const { call, as, by, reason, output } = settlement;
    const sealed = output === undefined ? undefined : around.vault.seal(call, 'output', output);
    const fields = { call, attempt: row.attempt, as, by, reason };
    const entry = draft(
      around.world,
      'call.settled',
      sealed === undefined ? fields : { ...fields, output: { $body: sealed.commitment } },
    );
    return {
      writes: { entries: [entry], bodies: sealed === undefined ? [] : [sealed.body] },
      result: { ok: true, row },
    };
  });
}
