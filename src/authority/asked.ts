/** What a parked call asks, read from its entry: what an approver is shown is what an approval binds. */

import type { ApprovalRequest, CallRow, Ledger } from '../ledger/ledger.ts';
import { canonicalText } from '../value/canonical.ts';
import { type JsonObject, type JsonValue, isJsonObject } from '../value/json.ts';
import { parseInstant } from '../value/time.ts';
import { approvalDigest } from './approval.ts';

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
  ledger: Pick<Ledger, 'log' | 'entry' | 'body'>,
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
  const args = await recordedArgs(ledger, call, recorded);
  if (args === undefined) return undefined;
  const digest = approvalDigest({ log: ledger.log, call, tool: name, definition, principal, args, expires });
  return digest === approval.digest ? { row, approval, args, session: runOf(entry) } : undefined;
}

/** The run that an entry names; empty when it names none. */
export function runOf({ run }: JsonObject): string {
  const id = isJsonObject(run) ? run['id'] : undefined;
  return typeof id === 'string' ? id : '';
}

/** The arguments that an entry of `call` recorded; none when they are gone. Throws `LedgerError`. */
export async function recordedArgs(
  ledger: Pick<Ledger, 'body'>,
  call: string,
  recorded: JsonValue | undefined,
): Promise<JsonValue | undefined> {
  return isBody(recorded) ? ledger.body(call, 'args') : literalOf(recorded ?? {});
}

function isBody(value: JsonValue | undefined): boolean {
  return isJsonObject(value) && Object.hasOwn(value, '$body');
}

/** The arguments that an entry holds literally: `{"$lit": object}` stands for an object with keys that begin with `$`. */
export function literalOf(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(literalOf);
  if (!isJsonObject(value)) return value;
  const inner = Object.keys(value).length === 1 && Object.hasOwn(value, '$lit') ? value['$lit'] : undefined;
  return membersOf(isJsonObject(inner) ? inner : value);
}

function membersOf(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, literalOf(member)]));
}
