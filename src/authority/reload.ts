/** Reloads at run time that may allow more: they wait until an approver of the policy in force has signed them. */

import { verifyEd25519 } from '../ledger/ed25519.ts';
import type { Entry } from '../ledger/entry.ts';
import { type Composition, type Ledger, LedgerError } from '../ledger/ledger.ts';
import { isSigned, signedText } from '../ledger/signed-text.ts';
import { endedFolder, standingFolder, versionKey } from '../ledger/standing.ts';
import type { Configuration } from '../policy/document/configuration.ts';
import type { JsonObject, JsonValue } from '../value/json.ts';
import { isJsonObject } from '../value/json.ts';
import { toHex } from '../value/encoding.ts';
import type { World } from '../world/world.ts';
import { draft, recordedReason } from './draft.ts';

/** A change from one policy to another, and in lines for people what may widen. */
export interface Reload {
  /** Digests of configurations. */
  readonly before: string;
  readonly after: string;
  readonly widens: readonly string[];
}

/** A reload that waits, as its entry says it. */
export interface WaitingReload extends Reload {
  readonly id: string;
  /** RFC 3339. */
  readonly at: string;
  /** Public keys by id: whose signature counts. Of very many only the first. */
  readonly approvers: ReadonlyMap<string, string>;
}

const ID_BYTES = 8;
const WIDENS_MAX = 32;
const LINE_MAX = 300;
const APPROVERS_MAX = 32;
const TURNS_MAX = 4;

/** Whose signature a widening needs: everybody with a key in the policy in force. */
export function approversOf({ principals }: Configuration): ReadonlyMap<string, string> {
  const named = [...(principals?.values() ?? [])].flatMap(({ id, key }) =>
    key === undefined ? [] : [[id, key] as const],
  );
  return new Map(named);
}

/** What an entry holds of the lines that say what widens. */
export function recordedWidens(widens: readonly string[]): JsonObject {
  const lines = widens.slice(0, WIDENS_MAX).map((line) => line.slice(0, LINE_MAX).toWellFormed());
  return { widens: lines, ...(widens.length > WIDENS_MAX ? { widensTotal: widens.length } : {}) };
}

/**
 * Records that `reload` waits, and answers with its id; a sibling that waits for the same change shares it. Throws
 * `LedgerError`.
 */
export async function awaitReload(
  ledger: Ledger,
  world: World,
  reload: Reload,
  approvers: ReadonlyMap<string, string>,
): Promise<string> {
  const version = versionKey('reload');
  for (let turn = 0; turn < TURNS_MAX; turn += 1) {
    const before = await ledger.transact({ facts: [version] }, ({ values }) => ({ result: values.get(version) ?? 0 }));
    const same = (await waitingReloads(ledger)).find((each) => isSame(each, reload));
    if (same !== undefined) return same.id;
    const id = `reload-${toHex(world.random(ID_BYTES))}`;
    const named = Object.fromEntries([...approvers].slice(0, APPROVERS_MAX));
    const { before: from, after, widens } = reload;
    const fields = { reload: id, before: from, after, ...recordedWidens(widens), approvers: named };
    // A crash leaves a reload that nobody waits for, which can be refused; the policy in force is as it was.
    const written = await ledger.transact({ facts: [version] }, ({ values }): Composition<boolean> => {
      if ((values.get(version) ?? 0) !== before) return { result: false };
      return { writes: { entries: [draft(world, 'policy.waiting', fields)] }, result: true };
    });
    if (written) return id;
  }
  throw new LedgerError('busy', 'others change what waits faster than it can be read');
}

function isSame(one: Reload, other: Reload): boolean {
  return one.before === other.before && one.after === other.after;
}

/** The reloads that wait, oldest first. Throws `LedgerError`. */
export async function waitingReloads(ledger: Pick<Ledger, 'counters' | 'entry'>): Promise<readonly WaitingReload[]> {
  const positions = [...(await ledger.counters(standingFolder('reload'))).values()].toSorted((a, b) => a - b);
  const entries = await Promise.all(positions.map((position) => ledger.entry(position - 1)));
  return entries.map(waitingOf).filter((waiting) => waiting !== undefined);
}

function waitingOf(entry: Entry | undefined): WaitingReload | undefined {
  if (entry?.type !== 'policy.waiting') return undefined;
  const { reload: id, before, after, widens, approvers, at } = entry;
  if (typeof id !== 'string' || typeof before !== 'string' || typeof after !== 'string') return undefined;
  if (!Array.isArray(widens) || !isJsonObject(approvers)) return undefined;
  const keys = Object.entries(approvers).filter((pair): pair is [string, string] => typeof pair[1] === 'string');
  return { id, before, after, widens: widens.map(String), approvers: new Map(keys), at };
}

/**
 * What became of the reload `id`: nothing yet, approved by somebody who may sign under `inForce`, or not to be taken.
 * Throws `LedgerError`.
 */
export async function answerTo(
  ledger: Ledger,
  { id, after }: { readonly id: string; readonly after: string },
  inForce: Configuration,
): Promise<{ readonly taken: boolean; readonly said: string } | undefined> {
  const ended = (await ledger.counters(endedFolder('reload'))).get(endedFolder('reload') + id);
  const entry = ended === undefined ? undefined : await ledger.entry(ended - 1);
  if (entry === undefined) return undefined;
  const by = textOf(entry['by']);
  if (entry.type === 'policy.withdrawn' && entry['reload'] === id) {
    return { taken: false, said: `it was refused by \`${by}\`: ${textOf(entry['reason'])}` };
  }
  const forged = {
    taken: false,
    said: `the approval by \`${by}\` is none: nobody who may sign has signed this change`,
  };
  if (entry.type !== 'policy.approved' || entry['reload'] !== id) return forged;
  if (entry['before'] !== inForce.digest || entry['after'] !== after) return forged;
  // The key that counts is the one in the policy in force, not the one that the entry names.
  const key = inForce.principals?.get(by)?.key ?? '';
  const genuine = isSigned({ type: entry.type, log: ledger.log, fields: entry }, key, verifyEd25519);
  return genuine ? { taken: true, said: `it was approved by \`${by}\`` } : forged;
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

export interface ReloadApproval {
  readonly by: string;
  /** `ed25519:` and base64. */
  readonly key: string;
  /** The base64 Ed25519 signature of a text. */
  readonly sign: (text: string) => string;
}

/**
 * Records that `by` approves `reload`. Whether the signature counts, every gateway that waits decides for itself. False
 * when it does not wait any more. Throws `LedgerError`.
 */
export function approveReload(
  ledger: Ledger,
  world: World,
  { id, before, after }: WaitingReload,
  { by, key, sign }: ReloadApproval,
): Promise<boolean> {
  const fields = { reload: id, before, after, by, key };
  const text = signedText('policy.approved', ledger.log, fields) ?? '';
  // A crash leaves the reload waiting, or approved: gateways take it over when they see it.
  return ending(ledger, () => draft(world, 'policy.approved', { ...fields, signature: sign(text) }));
}

/** Ends a reload that waits without taking it. False when it does not wait any more. Throws `LedgerError`. */
export function withdrawReload(
  ledger: Ledger,
  world: World,
  { id, by, reason }: { readonly id: string; readonly by: string; readonly reason: string },
): Promise<boolean> {
  return ending(ledger, () => draft(world, 'policy.withdrawn', { reload: id, by, reason }));
}

async function ending(ledger: Ledger, entry: () => ReturnType<typeof draft>): Promise<boolean> {
  try {
    // A crash leaves it standing or ended.
    await ledger.append({ entries: [entry()] });
    return true;
  } catch (error) {
    if (error instanceof LedgerError && error.code === 'conflict') return false;
    throw error;
  }
}

/** Records that a file was not taken and which policy stays in force. Throws `LedgerError`. */
export async function recordKept(ledger: Ledger, world: World, message: string, kept: string): Promise<void> {
  await ledger.append({ entries: [draft(world, 'policy.refused', { message: recordedReason(message), kept })] });
}
