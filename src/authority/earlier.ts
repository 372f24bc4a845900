/** What the log already holds of a session: its calls in their order, for a process that was not there. */

import type { Entry } from '../ledger/entry.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { isUuid, timeOfUuidV7 } from '../value/id.ts';
import { isJsonObject } from '../value/json.ts';
import { parseInstant } from '../value/time.ts';
import type { Scope } from './referred.ts';

export interface EarlierCall {
  readonly position: number;
  readonly entry: Entry;
}

/** Entries that are looked through; a session that began before them is not told whole. */
const ENTRIES_MAX = 100_000;

/**
 * Finds the intents of a session whose id is a UUIDv7, the oldest first: it looks back from the end of the log to the
 * time of the id. Any other id is of a session that began in this process. Rejects with `LedgerError`.
 */
export function earlierCalls(ledger: Pick<Ledger, 'entry'>): (scope: Scope) => Promise<readonly EarlierCall[]> {
  let end = 0;
  return async ({ principal, session }) => {
    const since = isUuid(session) ? timeOfUuidV7(session) : undefined;
    if (since === undefined) return [];
    end = await endOf(ledger, end);
    const found: EarlierCall[] = [];
    for (let position = end - 1; position >= Math.max(0, end - ENTRIES_MAX); position -= 1) {
      const entry = await ledger.entry(position);
      // Times in the log never go back.
      if (entry === undefined || (parseInstant(entry.at) ?? 0) < since) break;
      const { type, run } = entry;
      if (type !== 'call.intent' || entry['principal'] !== principal) continue;
      if (isJsonObject(run) && run['id'] === session) found.push({ position, entry });
    }
    return found.toReversed();
  };
}

/** How many entries there are, `known` of which are known to be. */
async function endOf(ledger: Pick<Ledger, 'entry'>, known: number): Promise<number> {
  const has = async (count: number): Promise<boolean> => (await ledger.entry(count - 1)) !== undefined;
  let [end, step] = [known, 1];
  for (; await has(end + step); step *= 2) end += step;
  for (; step >= 1; step /= 2) if (await has(end + step)) end += step;
  return end;
}
