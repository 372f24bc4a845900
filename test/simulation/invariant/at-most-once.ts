/** Invariants of dispatch: who may send what, when, and how often. */

import type { Attempt } from '../history.ts';
import { isRead, textOf, toolOf } from '../reading.ts';
import type { Invariant } from './invariant.ts';

function total(attempts: readonly Attempt[], what: 'effects' | 'dispatches'): number {
  return attempts.reduce((sum, attempt) => sum + attempt[what], 0);
}

/** The states after which a call of a tool may be attempted once more although it may have had its effect. */
const MAY_REPEAT: Readonly<Record<string, readonly string[]>> = {
  'bank.balance': ['unknown'],
  'bank.order': ['unknown', 'failed'],
};

export const AT_MOST_ONCE: readonly Invariant[] = [
  {
    name: 'intent-first',
    promise: 'nothing is dispatched before its intent is durable',
    dispatch: (_sight, { session }, attempt) =>
      attempt === undefined ? `${session} has no intent in the log` : undefined,
  },
  {
    name: 'attempt-once',
    promise: 'an attempt id stands in one intent, is dispatched at most once and has at most one effect',
    entry: ({ history }, entry) =>
      entry.type === 'call.intent' && history.attempts.has(textOf(entry, 'attempt'))
        ? `the intent at ${history.entries.length} has the attempt id of an earlier one`
        : undefined,
    dispatch: (_sight, _proposed, attempt) =>
      attempt !== undefined && attempt.dispatches > 0 ? `attempt ${attempt.id} is dispatched again` : undefined,
    effect: (_sight, { id, effects }) => (effects > 1 ? `attempt ${id} has ${effects} effects` : undefined),
  },
  {
    name: 'own-attempt',
    promise: 'an attempt is dispatched by the process that wrote its intent, while nothing else is known of it',
    dispatch: (_sight, _proposed, attempt, instance) => {
      if (attempt === undefined) return undefined;
      if (attempt.instance !== instance) return `attempt ${attempt.id} is dispatched by another process`;
      const last = attempt.call.attempts.at(-1);
      if (attempt.ended === undefined && last === attempt) return undefined;
      return `attempt ${attempt.id} is dispatched after ${attempt.ended ?? 'a later attempt'}`;
    },
  },
  {
    name: 'before-deadline',
    promise: 'nothing is dispatched after its deadline, on the wall clock or on the monotonic clock',
    dispatch: (sight, _proposed, attempt) => {
      if (attempt === undefined) return undefined;
      const { deadline, since, entry, id } = attempt;
      if (sight.now() >= deadline) return `attempt ${id} is dispatched ${sight.now() - deadline} ms too late`;
      const allowed = deadline - Date.parse(entry.at);
      const took = sight.monotonic() - since;
      return took >= allowed
        ? `attempt ${id} is dispatched ${took} ms after its intent, with ${allowed} ms`
        : undefined;
    },
  },
  {
    name: 'key-once',
    promise:
      'under one key there is at most one effect of a call that does not only read, whatever is retried and settled',
    effect: ({ history }, { call }) => {
      if (isRead(call.tool)) return undefined;
      for (const key of call.keys) {
        const holders = [...history.calls.values()].filter(({ keys }) => keys.includes(key));
        const effects = holders.reduce((sum, holder) => sum + total(holder.attempts, 'effects'), 0);
        if (effects > 1) return `key ${key} has ${effects} effects`;
      }
      return undefined;
    },
  },
  {
    name: 'proposal-once',
    promise: 'one proposal has at most one effect, also without any key',
    effect: ({ history }, { session, call }) => {
      if (isRead(call.tool)) return undefined;
      const effects = total(history.intents.get(session) ?? [], 'effects');
      return effects > 1 ? `${session} has ${effects} effects` : undefined;
    },
  },
  {
    name: 'unknown-stays',
    promise: 'a call is attempted again only when its last attempt certainly had no effect, or where two are one',
    entry: ({ history }, entry) => {
      if (entry.type !== 'call.intent') return undefined;
      const { state = 'new' } = history.calls.get(textOf(entry, 'call')) ?? {};
      const isFree = ['new', 'parked', 'not-started', 'settled-not-executed'].includes(state);
      if (MAY_REPEAT[toolOf(entry)]?.includes(state) === true) return undefined;
      return isFree ? undefined : `call ${textOf(entry, 'call')} gets an intent while it is ${state}`;
    },
  },
];
