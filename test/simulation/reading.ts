/** Reads the fields of entries for the onlooker, who does not use the ledger's own reading of them. */

import type { Entry } from '../../src/ledger/entry.ts';
import { type JsonObject, type JsonValue, isJsonObject } from '../../src/value/json.ts';
import { WINDOW_MS } from './bank.ts';

/** The text in `field`; the world is broken when there is none. */
export function textOf(entry: JsonObject, field: string): string {
  const value = entry[field];
  if (typeof value !== 'string') throw new Error(`expected \`${field}\` in ${JSON.stringify(entry)}`);
  return value;
}

export function objectOf(entry: JsonObject, field: string): JsonObject {
  const value = entry[field];
  if (!isJsonObject(value)) throw new Error(`expected \`${field}\` in ${JSON.stringify(entry)}`);
  return value;
}

export function textsOf(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}

export function instantOf(entry: JsonObject, field: string): number {
  return Date.parse(textOf(entry, field));
}

export function toolOf(entry: Entry): string {
  return textOf(objectOf(entry, 'tool'), 'name');
}

export function amountOf(entry: Entry): number {
  return Number(objectOf(entry, 'args')['amount'] ?? 0);
}

/** Where the onlooker keeps what `principal` was charged in the window of an instant. */
export function windowOf(principal: string, at: number): string {
  return `${principal}@${Math.floor(at / WINDOW_MS) * WINDOW_MS}`;
}

/** Tools that are paid from the budget. */
export function isPriced(tool: string): boolean {
  return tool === 'bank.pay' || tool === 'bank.move' || tool === 'bank.order';
}

/** Tools that are declared to read: they may run as often as one likes. */
export function isRead(tool: string): boolean {
  return tool === 'bank.balance' || tool === 'bank.seen';
}
