/** What a parked call asks, read from its entry: what an approver is shown is what an approval binds. */

import type { ApprovalRequest, CallRow, Ledger } from '../ledger/ledger.ts';
import { commitmentsIn, literalOf } from '../ledger/recorded.ts';
import { canonicalText } from '../value/canonical.ts';
import { type JsonObject, type JsonValue, isJsonObject } from '../value/json.ts';
import { parseInstant } from '../value/time.ts';
import { approvalDigest, boundArgs } from './approval.ts';

export interface Asked {
  readonly row: CallRow;
  readonly approval: ApprovalRequest;
  /** As they would be sent. */
  readonly args: JsonValue;
  /** The run that it was proposed in. */
  readonly session: string;
}

/**
 * The question of a parked call; none when its row does not follow from its entry or its arguments are gone: rows are
 * tables that others might write, so the digest is computed again from what the log says. Throws `LedgerError`.
 */
export async function askedOf(
  ledger: Pick<Ledger, 'log' | 'entry' | 'argument'>,
  row: CallRow,
): Promise<Asked | undefined> {
  const { approval, id: call } = row;
  const entry = await ledger.entry(row.position);
  if (approval === undefined || entry?.type !== 'call.parked' || entry['call'] !== call) return undefined;
  const { principal, tool, args: recorded, keys, approval: asks } = entry;
  const { name, definition = '' } = isJsonObject(tool) ? tool : {};
  if (typeof principal !== 'string' || typeof name !== 'string' || typeof definition !== 'string') return undefined;
  if (principal !== row.principal || name !== row.tool) return undefined;
  if (canonicalText(keys ?? []) !== canonicalText([...row.keys])) return undefined;
  const { expires } = approval;
  const until = isJsonObject(asks) ? asks['expires'] : undefined;
  if (typeof until !== 'string' || parseInstant(until) !== expires) return undefined;
  const args = await recordedArgs(ledger, row.position, recorded);
  if (args === undefined) return undefined;
  const isSealed = commitmentsIn(recorded ?? {}).size > 0;
  if (isSealed && row.salt === undefined) return undefined;
  const bound = isSealed && row.salt !== undefined ? boundArgs(row.salt, principal, name, args) : args;
  const digest = approvalDigest({ log: ledger.log, call, tool: name, definition, principal, args: bound, expires });
  return digest === approval.digest ? { row, approval, args, session: runOf(entry) } : undefined;
}

/** The run that an entry names; empty when it names none. */
export function runOf({ run }: JsonObject): string {
  const id = isJsonObject(run) ? run['id'] : undefined;
  return typeof id === 'string' ? id : '';
}

/** The arguments that the entry at `position` recorded; none when some of them are gone. Throws `LedgerError`. */
export async function recordedArgs(
  ledger: Pick<Ledger, 'argument'>,
  position: number,
  recorded: JsonValue = {},
): Promise<JsonValue | undefined> {
  const opened = new Map<string, JsonValue>();
  for (const pointer of commitmentsIn(recorded).keys()) {
    const value = await ledger.argument(position, pointer);
    if (value === undefined) return undefined;
    opened.set(pointer, value);
  }
  return literalOf(recorded, opened);
}
