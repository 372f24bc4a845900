/** The recorded result of a call that is asked for again, with its secrets only as long as these are kept. */

import type { CallRow, Ledger } from '../ledger/ledger.ts';
import { wasRedacted } from '../ledger/recorded.ts';
import { SECRETS } from '../policy/document/settings.ts';
import type { Policy } from '../policy/policy.ts';
import type { JsonValue } from '../value/json.ts';
import { parseInstant } from '../value/time.ts';

/** `redacted` where it was told once and is kept without its secrets; nothing where it is not kept at all. */
export type RecordedResult = { readonly value: JsonValue; readonly redacted: boolean } | undefined;

/**
 * As it came, as long as it is kept like that: the time that `policy` gives is over when it is over, whether or not
 * somebody has destroyed it by then. `at` is in milliseconds since the epoch. Throws `LedgerError`.
 */
export async function resultOf(
  ledger: Pick<Ledger, 'entry' | 'body'>,
  row: CallRow,
  at: number,
  policy: Policy | undefined,
): Promise<RecordedResult> {
  const entry = await ledger.entry(row.position);
  const redacted = wasRedacted(entry?.['output']);
  const { replayMs } = policy?.configuration.secrets ?? SECRETS;
  if (redacted && at < (parseInstant(entry?.at ?? '') ?? 0) + replayMs) {
    const live = await ledger.body(row.id, 'live');
    if (live !== undefined) return { value: live, redacted: false };
  }
  const value = await ledger.body(row.id, 'output');
  return value === undefined ? undefined : { value, redacted };
}
