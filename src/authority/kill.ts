/** The kill switch: a person stops everything, a principal, a server or a tool, and lifts that again. */

import { LedgerError } from '../ledger/ledger.ts';
import type { Composition, Ledger } from '../ledger/ledger.ts';
import type { World } from '../world/world.ts';
import { draft } from './draft.ts';

/** `all`, `principal:ID`, `server:NAME` or `tool:NAME`. */
export type KillTarget = 'all' | `principal:${string}` | `server:${string}` | `tool:${string}`;

export interface KillOrder {
  readonly target: KillTarget;
  readonly reason: string;
  /** Who says so, recorded as a claim. */
  readonly by: string;
}

export type Lifted =
  | { readonly ok: true }
  | { readonly ok: false; readonly code: 'not-killed'; readonly message: string };

/** Characters of a target: it stands in an entry and in a key. */
const TARGET_MAX = 512;
/** A principal's id is any text; names of servers and tools as docs/policy.md writes them. */
const TARGETS: readonly RegExp[] = [
  /^all$/u,
  /^principal:[^\p{Cc}]+$/u,
  /^server:[a-z][a-z0-9-]{0,31}$/u,
  /^tool:[a-z][a-z0-9-]{0,31}\.[^\p{Cc}*]+$/u,
];

/** The target that `text` names; none when it names nothing a switch can stop. A pattern is none: it would stop nothing. */
export function parseKillTarget(text: string): KillTarget | undefined {
  if (text.length > TARGET_MAX || !text.isWellFormed()) return undefined;
  return TARGETS.some((target) => target.test(text)) ? (text as KillTarget) : undefined;
}

/**
 * Stops the target from the next decision on, in every process on the data directory and after a restart. Setting a
 * switch that is on replaces its reason. What is dispatched already runs on. Throws `LedgerError`.
 */
export async function setKill(ledger: Ledger, world: World, { target, reason, by }: KillOrder): Promise<void> {
  // A crash leaves the entry, and with it the switch, or neither.
  await ledger.append({ entries: [draft(world, 'kill.set', { target, reason, by })] });
}

/** Lifts the switch of exactly this target; another one that stops the same calls stays on. Throws `LedgerError`. */
export async function liftKill(ledger: Ledger, world: World, { target, reason, by }: KillOrder): Promise<Lifted> {
  const notKilled = { ok: false, code: 'not-killed', message: `\`${target}\` is not killed` } as const;
  const key = `kill/${target}`;
  try {
    // A crash leaves the entry, and with it the switch off, or neither.
    return await ledger.transact({ facts: [key] }, ({ values }): Composition<Lifted> => {
      if ((values.get(key) ?? 0) === 0) return { result: notKilled };
      return { writes: { entries: [draft(world, 'kill.lifted', { target, reason, by })] }, result: { ok: true } };
    });
  } catch (error) {
    // Somebody else lifted it within the same batch.
    if (error instanceof LedgerError && error.code === 'conflict') return notKilled;
    throw error;
  }
}
