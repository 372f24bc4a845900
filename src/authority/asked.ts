/** What a parked call asks, read from its entry: what an approver is shown is what an approval binds. */

import type { ApprovalRequest, CallRow, Ledger } from '../ledger/ledger.ts';
import {
  commitmentsIn,
  hasSecrets,
  isHidden,
  literalOf,
  secretPlacesIn,
  shownOf,
  valueUnder,
} from '../ledger/recorded.ts';
import type { Request } from '../policy/decide/decision.ts';
import { scalarsIn } from '../policy/decide/decide.ts';
import { canonicalText } from '../value/canonical.ts';
import { type JsonObject, type JsonValue, isJsonObject } from '../value/json.ts';
import { parseInstant } from '../value/time.ts';
import { approvalDigest, boundArgs } from './approval.ts';
import type { Opened } from './proposal.ts';

/** Texts that are looked for when a call is recorded again; others are found as they were the first time. */
const HIDDEN_MAX = 200;

export interface Asked {
  readonly row: CallRow;
  readonly approval: ApprovalRequest;
  /** As they would be sent. */
  readonly args: JsonValue;
  /** As anybody may be shown them: `{"$secret": kind}` stands in the place of a secret, and of nothing else. */
  readonly shown: JsonValue;
  readonly hasSecrets: boolean;
  /** What of them is not recorded in clear, and is not to be when they are recorded again. */
  readonly hidden: Opened;
  /** The run that it was proposed in. */
  readonly session: string;
  /** Whether a step of a program proposed it. */
  readonly isOfProgram: boolean;
}

/**
 * The question of a parked call; none when its row does not follow from its entry or its arguments are gone: rows are
 * tables that others might write, so the digest is computed again from what the log says. Throws `LedgerError`.
 */
export async function askedOf(
  ledger: Pick<Ledger, 'log' | 'entry' | 'argument' | 'body' | 'subjectsOf'>,
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
  const opened = await openedArgs(ledger, row.position, recorded);
  if (opened === undefined) return undefined;
  const isSecret = hasSecrets(recorded ?? {});
  const args = isSecret ? await ledger.body(call, 'live') : literalOf(recorded ?? {}, opened);
  if (args === undefined) return undefined;
  const isSealed = isHidden(recorded ?? {});
  if (isSealed && row.salt === undefined) return undefined;
  const bound = isSealed && row.salt !== undefined ? boundArgs(row.salt, principal, name, args) : args;
  const digest = approvalDigest({ log: ledger.log, call, tool: name, definition, principal, args: bound, expires });
  if (digest !== approval.digest) return undefined;
  const shown = shownOf(recorded ?? {}, opened);
  const hidden = hiddenOf(recorded ?? {}, args, await ledger.subjectsOf(call));
  return {
    row,
    approval,
    args,
    shown,
    hasSecrets: isSecret,
    hidden,
    session: runOf(entry),
    isOfProgram: stepOf(entry) !== undefined,
  };
}

/** The texts that stand in `args` where `recorded` has a commitment or a mark; those that are sealed as a whole stay so. */
function hiddenOf(recorded: JsonValue, args: JsonValue, subjects: readonly string[]): Opened {
  const texts = (places: Iterable<string>): string[] =>
    [...places].flatMap((pointer) => (pointer === '' ? [] : scalarsIn(valueUnder(args, pointer)))).slice(0, HIDDEN_MAX);
  const personal = texts(commitmentsIn(recorded).keys());
  return { personal, secrets: texts(secretPlacesIn(recorded)), subjects };
}

/** The run that an entry names; empty when it names none. */
export function runOf({ run }: JsonObject): string {
  const id = isJsonObject(run) ? run['id'] : undefined;
  return typeof id === 'string' ? id : '';
}

/** The step of a program that an entry names, as conditions see it; nothing of other calls. */
export function stepOf({ run }: JsonObject): Required<Pick<Request['run'], 'program' | 'step' | 'depth'>> | undefined {
  const { program, step, depth = 0 } = isJsonObject(run) ? run : {};
  const isStep = typeof program === 'string' && typeof step === 'string' && typeof depth === 'number';
  return isStep ? { program, step, depth } : undefined;
}

/** The arguments of the entry at `position`; none when some of them are gone, or were secret. Throws `LedgerError`. */
export async function recordedArgs(
  ledger: Pick<Ledger, 'argument'>,
  position: number,
  recorded: JsonValue = {},
): Promise<JsonValue | undefined> {
  return hasSecrets(recorded) ? undefined : knownArgs(ledger, position, recorded);
}

/** The same with `{"$secret": kind}` in the place of each secret. Throws `LedgerError`. */
export async function knownArgs(
  ledger: Pick<Ledger, 'argument'>,
  position: number,
  recorded: JsonValue,
): Promise<JsonValue | undefined> {
  const opened = await openedArgs(ledger, position, recorded);
  return opened === undefined ? undefined : literalOf(recorded, opened);
}

/** The sealed arguments of the entry at `position`, by their pointers; nothing when some of them are gone. */
async function openedArgs(
  ledger: Pick<Ledger, 'argument'>,
  position: number,
  recorded: JsonValue = {},
): Promise<ReadonlyMap<string, JsonValue> | undefined> {
  const opened = new Map<string, JsonValue>();
  for (const pointer of commitmentsIn(recorded).keys()) {
    const value = await ledger.argument(position, pointer);
    if (value === undefined) return undefined;
    opened.set(pointer, value);
  }
  return opened;
}
