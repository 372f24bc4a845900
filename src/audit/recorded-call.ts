/** The request of a recorded decision and what it was decided under, read from its entry. */

import { runOf, stepOf } from '../authority/asked.ts';
import type { Entry } from '../ledger/entry.ts';
import { commitmentsIn, hasSecrets, literalOf, wasRedacted } from '../ledger/recorded.ts';
import type { Request } from '../policy/decide/decision.ts';
import { type JsonObject, type JsonValue, isJsonObject } from '../value/json.ts';
import { parseInstant } from '../value/time.ts';
import { member } from './problem.ts';

/** An entry `call.denied`, `call.parked` or `call.intent`. */
export interface RecordedCall {
  readonly position: number;
  readonly entry: Entry;
  readonly request: Request;
  /** What the entry says under `policy`. */
  readonly said: JsonObject;
  readonly effect: string;
  readonly code: string;
  readonly rules: readonly string[];
}

/** What an entry's output opens to: `redacted` where it was kept without its secrets, `gone` where it was let go of. */
export type OpenedOutput = { readonly value: JsonValue; readonly redacted: boolean } | 'gone';

/** What an entry commits to. */
export interface OpenedEntry {
  /** Absent when some of them are gone, or were secret. */
  readonly args?: JsonValue | undefined;
  /** Absent where the entry has none. */
  readonly output?: OpenedOutput | undefined;
}

/** Whether an entry records how a call was decided. */
export function isDecision({ type }: Entry): boolean {
  return type === 'call.denied' || type === 'call.parked' || type === 'call.intent';
}

/** What the arguments of an entry commit to, by the roles of the sealed values. */
export function sealedArguments({ args = {} }: Entry): ReadonlyMap<string, string> {
  return new Map([...commitmentsIn(args)].map(([pointer, commitment]) => [`args${pointer}`, commitment]));
}

/**
 * The arguments of an entry, by what it says and what `open` finds for its commitments; nothing when some are gone, or
 * were secret.
 */
export function openedArguments(
  entry: Entry,
  open: (role: string, commitment: string) => JsonValue | undefined,
): JsonValue | undefined {
  const sealed = sealedArguments(entry);
  const opened = new Map<string, JsonValue>();
  for (const [role, commitment] of sealed) {
    const value = open(role, commitment);
    if (value !== undefined) opened.set(role.slice('args'.length), value);
  }
  const { args = {} } = entry;
  return opened.size < sealed.size || hasSecrets(args) ? undefined : literalOf(args, opened);
}

/** The output of an entry, by what `open` finds for its commitment. */
export function openedOutput(
  { output }: Entry,
  open: (role: string, commitment: string) => JsonValue | undefined,
): OpenedOutput | undefined {
  const commitment = member(output, '$body');
  if (typeof commitment !== 'string') return undefined;
  const value = open('output', commitment);
  return value === undefined ? 'gone' : { value, redacted: wasRedacted(output) };
}

/** What is left of arguments some of which are gone: their commitments stand in their places. */
function leftOf(entry: Entry): JsonValue {
  return sealedArguments(entry).has('args') ? {} : literalOf(entry['args'] ?? {}, new Map());
}

/** The call of a decision; `args` are its arguments, unless some of them are gone. */
export function recordedCall(entry: Entry, position: number, args: JsonValue | undefined): RecordedCall | undefined {
  const { call, principal, tool, policy } = entry;
  const name = member(tool, 'name');
  if (typeof call !== 'string' || typeof principal !== 'string' || typeof name !== 'string') return undefined;
  if (!isJsonObject(policy)) return undefined;
  const { effect, code, rules } = policy;
  if (typeof effect !== 'string' || typeof code !== 'string' || !Array.isArray(rules)) return undefined;
  const shown = args ?? leftOf(entry);
  const request: Request = {
    principal,
    tool: name,
    args: isJsonObject(shown) ? shown : {},
    call: { id: call, attempt: 1, key: '' },
    run: { id: runOf(entry), depth: 0, ...stepOf(entry) },
    now: parseInstant(entry.at) ?? 0,
  };
  return { position, entry, request, said: policy, effect, code, rules: rules.map(String) };
}
