/** The request of a recorded decision and what it was decided under, read from its entry. */

import { literalOf } from '../authority/asked.ts';
import type { Entry } from '../ledger/entry.ts';
import type { Request } from '../policy/decision.ts';
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

/** Whether an entry records how a call was decided. */
export function isDecision({ type }: Entry): boolean {
  return type === 'call.denied' || type === 'call.parked' || type === 'call.intent';
}

/** The commitment to arguments that are not in the entry itself. */
export function sealedArguments(entry: Entry): string | undefined {
  const commitment = member(entry['args'], '$body');
  return typeof commitment === 'string' ? commitment : undefined;
}

/** The call of a decision; `args` are those that the entry only commits to, where they could be opened. */
export function recordedCall(entry: Entry, position: number, args: JsonValue | undefined): RecordedCall | undefined {
  const { call, principal, tool, run, policy } = entry;
  const name = member(tool, 'name');
  if (typeof call !== 'string' || typeof principal !== 'string' || typeof name !== 'string') return undefined;
  if (!isJsonObject(policy)) return undefined;
  const { effect, code, rules } = policy;
  if (typeof effect !== 'string' || typeof code !== 'string' || !Array.isArray(rules)) return undefined;
  const opened = sealedArguments(entry) === undefined ? literalOf(entry['args'] ?? {}) : args;
  const session = member(run, 'id');
  const request: Request = {
    principal,
    tool: name,
    args: isJsonObject(opened) ? opened : {},
    call: { id: call, attempt: 1, key: '' },
    run: { id: typeof session === 'string' ? session : '', depth: 0 },
    now: parseInstant(entry.at) ?? 0,
  };
  return { position, entry, request, said: policy, effect, code, rules: rules.map(String) };
}
