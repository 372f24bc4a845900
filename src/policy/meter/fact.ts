/** The numbers that a decision reads of what happened before, and the keys they stand under. Docs: docs/policy.md. */

import type { Request } from '../decide/decision.ts';

/**
 * Integers by key, as the ledger folds them from its entries; an absent one is 0. `decide` trusts none of them: what is
 * no whole number counts as exhausted, what is below 0 as 0.
 */
export type FactValues = ReadonlyMap<string, number>;

export const NO_FACTS: FactValues = new Map();

/** The switches that stop a call of `request`: everything, its principal, its server, its tool. 0 is off. */
export function killKeys({ principal, tool }: Request): readonly string[] {
  const dot = tool.indexOf('.');
  const server = dot === -1 ? tool : tool.slice(0, dot);
  return ['kill/all', `kill/principal:${principal}`, `kill/server:${server}`, `kill/tool:${tool}`];
}

/** 1 while a leap of the clock waits for a person to accept it. */
export const CLOCK_JUMP_KEY = 'clock/jump';

/** How many calls of `principal` wait for an approval. */
export function parkedKey(principal: string): string {
  return `parked/principal=${principal}`;
}

/** 0 while `tool` was never trusted, 1 when it was under the definition of `digest`, and 2 when under another one. */
export function pinKey(tool: string, digest: string): string {
  return `pin/${digest}/${tool}`;
}

/** What was counted under `key`: never below 0, and more than any limit when the fact is no whole number. */
export function countedOf(facts: FactValues, key: string): number {
  const value = facts.get(key) ?? 0;
  if (!Number.isSafeInteger(value)) return Number.POSITIVE_INFINITY;
  return Math.max(0, value);
}

/** Whether any of the switches of `killKeys` is on. */
export function isKilled(facts: FactValues, request: Request): boolean {
  if (facts.size === 0) return false;
  return killKeys(request).some((key) => (facts.get(key) ?? 0) !== 0);
}

/** Whether the clock leapt and nobody accepted that yet. */
export function isClockOff(facts: FactValues): boolean {
  return (facts.get(CLOCK_JUMP_KEY) ?? 0) !== 0;
}
