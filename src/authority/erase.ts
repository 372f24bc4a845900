/** Erases what is kept of a subject: destroys its key, everything that needs it, and the copies in freed pages. */

import { type CallRow, LedgerError, type Writes } from '../ledger/ledger.ts';
import type { StoredLedger } from '../ledger/sqlite/stored-ledger.ts';
import { ERASED_FOLDER, ERASURE_FOLDER, disclosedFolder, holdKey } from '../ledger/vault-step.ts';
import type { JsonObject } from '../value/json.ts';
import type { World } from '../world/world.ts';
import { draft } from './draft.ts';

/** How often an erasure is tried again when a call of the subject moved meanwhile. */
const TURNS_MAX = 8;
/** How long readers are waited for, milliseconds, and how often they are looked at. */
const READERS_WAIT_MS = 10_000;
const READERS_LOOK_MS = 50;
/** Entries that one transaction refuses parked calls with, or lists disclosures of. */
const LISTED_MAX = 256;

export interface EraseOrder {
  /** `s_…`, or the id of a call. */
  readonly subject: string;
  readonly reason: string;
  /** Who asks for it, recorded as a claim. */
  readonly by: string;
  /** After how many days the key that wrapped the subject's is destroyed, in every backup that lacks it. */
  readonly backupDays: number;
}

/**
 * `position` is that of the entry `erasure.executed`; `again`: it was erased before, and nothing has come since.
 * `pending`: destroyed, but a reader keeps pages alive in which copies lie; a gateway, or the same command, goes on.
 */
export type Erased =
  | { readonly ok: true; readonly position: number; readonly again: boolean }
  | { readonly ok: false; readonly code: 'held' | 'nothing-kept' | 'pending' | 'busy'; readonly message: string };

/** Throws `LedgerError`. A crash anywhere leaves the subject as it was, or its erasure requested: then it goes on. */
export async function eraseSubject(ledger: StoredLedger, world: World, order: EraseOrder): Promise<Erased> {
  const { subject } = order;
  const calls = ledger.persons.callsOf(subject);
  const pending = await ledger.counters(ERASURE_FOLDER);
  const isKept = ledger.persons.holds(subject);
  if (!isKept && !pending.has(ERASURE_FOLDER + subject)) {
    const before = (await ledger.counters(ERASED_FOLDER)).get(ERASED_FOLDER + subject);
    if (before !== undefined) return { ok: true, position: before - 1, again: true };
    return { ok: false, code: 'nothing-kept', message: `nothing is kept of \`${subject}\`` };
  }
  const held = isKept ? await holdOf(ledger, subject, calls) : undefined;
  if (held !== undefined) return heldAnswer(held);
  if (isKept) {
    const refused = await destroy(ledger, world, order);
    if (refused !== undefined) return refused;
  }
  const until = world.monotonic() + READERS_WAIT_MS;
  while ((await ledger.emptyWal()) === 'busy') {
    if (world.monotonic() >= until) {
      const message =
        'a reader keeps the database from being cleaned: close it, or let a gateway finish, and ask again';
      return { ok: false, code: 'pending', message };
    }
    await world.sleep(READERS_LOOK_MS);
  }
  return execute(ledger, world, subject, order.backupDays);
}

/**
 * Goes on with erasures that were requested and not executed, once; resolves with how many it finished. Throws
 * `LedgerError`: then it is tried again.
 */
export async function finishErasures(ledger: StoredLedger, world: World, backupDays: number): Promise<number> {
  const pending = [...(await ledger.counters(ERASURE_FOLDER)).keys()];
  if (pending.length === 0 || (await ledger.emptyWal()) === 'busy') return 0;
  for (const key of pending) await execute(ledger, world, key.slice(ERASURE_FOLDER.length), backupDays);
  return pending.length;
}

/** Everything at once, in the transaction of the entry that says so; nothing where somebody has put it on hold. */
async function destroy(ledger: StoredLedger, world: World, order: EraseOrder): Promise<Erased | undefined> {
  const { subject } = order;
  for (let turn = 0; turn < TURNS_MAX; turn += 1) {
    try {
      const { values } = ledger.persons.kept(subject);
      await ledger.erase(subject, values, await requested(ledger, world, order, values));
      return undefined;
    } catch (error) {
      if (!(error instanceof LedgerError) || error.code !== 'conflict') throw error;
      const held = await holdOf(ledger, subject, ledger.persons.callsOf(subject));
      if (held !== undefined) return heldAnswer(held);
    }
  }
  return { ok: false, code: 'busy', message: 'calls of the subject move faster than they can be erased: ask again' };
}

/** A call that waits for an approval can never run again without its arguments: it is refused, and frees its keys. */
async function requested(
  ledger: StoredLedger,
  world: World,
  { subject, reason, by }: EraseOrder,
  values: number,
): Promise<Writes> {
  const calls = ledger.persons.callsOf(subject);
  const rows = await Promise.all(calls.map((call) => ledger.call(call)));
  const parked = rows.filter((row): row is CallRow => row?.state === 'parked').slice(0, LISTED_MAX);
  const given = await Promise.all(calls.map((call) => ledger.counters(disclosedFolder(call))));
  const disclosures = given.flatMap((one) => [...one.values()].map((at) => at - 1)).slice(0, LISTED_MAX);
  const fields = {
    subject,
    by,
    reason,
    calls: calls.length,
    values,
    ...(disclosures.length > 0 ? { disclosures } : {}),
  };
  const refusals = parked.map((row) => draft(world, 'call.refused', { call: row.id, by, reason: 'it was erased' }));
  return { entries: [draft(world, 'erasure.requested', fields), ...refusals] };
}

/** Only now is nothing left in any file. A crash before leaves the erasure requested. */
async function execute(ledger: StoredLedger, world: World, subject: string, backupDays: number): Promise<Erased> {
  const at = (await ledger.counters(ERASURE_FOLDER)).get(ERASURE_FOLDER + subject);
  const request = at === undefined ? undefined : await ledger.entry(at - 1);
  const { calls = 0, values = 0, disclosures } = (request ?? {}) as JsonObject;
  const more = disclosures === undefined ? {} : { disclosures };
  const fields = { subject, request: (at ?? 1) - 1, calls, values, backupDays, ...more };
  try {
    await ledger.append({ entries: [draft(world, 'erasure.executed', fields)] });
  } catch (error) {
    // A gateway was faster.
    if (!(error instanceof LedgerError) || error.code !== 'conflict') throw error;
  }
  const position = (await ledger.counters(ERASED_FOLDER)).get(ERASED_FOLDER + subject) ?? 0;
  return { ok: true, position: position - 1, again: false };
}

async function holdOf(ledger: StoredLedger, subject: string, calls: readonly string[]): Promise<string | undefined> {
  const holds = await ledger.counters('hold/');
  return [subject, ...calls].find((target) => holds.has(holdKey(target)));
}

function heldAnswer(target: string): Erased {
  const message = `\`${target}\` is on hold and may not be erased; lift it with interlock hold lift ${target}`;
  return { ok: false, code: 'held', message };
}
