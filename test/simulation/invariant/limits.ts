/** Invariants of limits: budgets, rates and slots, counted by the onlooker itself. */

import type { Entry } from '../../../src/ledger/entry.ts';
import { EFFECT_TIMEOUT_MS, RATE, SLOTS, termsByDigest } from '../bank.ts';
import type { History } from '../history.ts';
import { amountOf, instantOf, isPriced, objectOf, textOf, toolOf, windowOf } from '../reading.ts';
import type { Invariant, Sight } from './invariant.ts';

/** Why the store's counters of the window `of` are not what the onlooker counted. */
function budgetProblem({ history, disk }: Sight, of: string): string | undefined {
  const [principal = '', start = ''] = of.split('@');
  const key = `budget/money/principal=${principal}@${new Date(Number(start)).toISOString()}`;
  const [counted, stored] = [history.spent.get(of) ?? 0, disk.tables.counter(key)];
  return counted === stored ? undefined : `the store says ${stored} of ${key}, and it is ${counted}`;
}

/** The intents of `tool`, the last one first. */
function* intentsOf({ attempts }: History, tool: string) {
  for (const attempt of [...attempts.values()].reverse()) if (attempt.call.tool === tool) yield attempt;
}

/** The window that `entry` may have changed. */
function windowOfEntry({ history }: Pick<Sight, 'history'>, entry: Entry): string | undefined {
  const attempt = 'attempt' in entry ? history.attempts.get(textOf(entry, 'attempt')) : undefined;
  if (attempt === undefined || !isPriced(attempt.call.tool)) return undefined;
  return windowOf(attempt.call.principal, instantOf(attempt.entry, 'at'));
}

export const LIMITS: readonly Invariant[] = [
  {
    name: 'budget-kept',
    promise: 'no intent takes more than the budget of its principal has left',
    entry: ({ history }, entry) => {
      if (entry.type !== 'call.intent' || !isPriced(toolOf(entry))) return undefined;
      const { budget } = termsByDigest(textOf(objectOf(entry, 'policy'), 'digest'));
      const window = windowOf(textOf(entry, 'principal'), instantOf(entry, 'at'));
      const repeated = typeof entry['resends'] === 'string' ? history.attempts.get(entry['resends']) : undefined;
      const own = repeated === undefined || windowOfEntry({ history }, repeated.entry) !== window ? 0 : repeated.charge;
      const spent = (history.spent.get(window) ?? 0) - own;
      if (spent + amountOf(entry) <= budget) return undefined;
      return `call ${textOf(entry, 'call')} takes ${amountOf(entry)} when ${spent} of ${budget} are spent`;
    },
  },
  {
    name: 'budget-is-fold',
    promise: 'what the store counts as spent is what the entries say, each refunded or charged once',
    recorded: (sight, entry) => {
      const window = windowOfEntry(sight, entry);
      return window === undefined ? undefined : budgetProblem(sight, window);
    },
    end: (sight) => {
      for (const window of sight.history.spent.keys()) {
        const problem = budgetProblem(sight, window);
        if (problem !== undefined) return problem;
      }
      return undefined;
    },
  },
  {
    name: 'charge-true',
    promise: 'a charge is what the tool says that it cost',
    entry: ({ history }, entry) => {
      const attempt = entry.type === 'call.succeeded' ? history.attempts.get(textOf(entry, 'attempt')) : undefined;
      if (attempt?.call.tool !== 'bank.pay') return undefined;
      const [charged] = Object.values(entry['charged'] === undefined ? {} : objectOf(entry, 'charged'));
      const cost =
        attempt.reply === undefined ? attempt.amount : objectOf(attempt.reply, 'structuredContent')['charged'];
      return (charged ?? attempt.amount) === cost ? undefined : `attempt ${attempt.id} is charged otherwise`;
    },
  },
  {
    name: 'rate-kept',
    promise: 'no stretch of the length of a rate has more intents than its burst and one refill',
    entry: ({ history }, entry) => {
      if (entry.type !== 'call.intent' || toolOf(entry) !== 'bank.mail') return undefined;
      let calls = 1;
      for (const attempt of intentsOf(history, 'bank.mail')) {
        if (instantOf(attempt.entry, 'at') <= instantOf(entry, 'at') - RATE.everyMs) break;
        calls += 1;
      }
      return calls <= 2 * RATE.calls ? undefined : `${calls} calls of bank.mail in ${RATE.everyMs} ms`;
    },
  },
  {
    name: 'slots-kept',
    promise: 'no more calls than slots run or are unknown at once',
    entry: ({ history }, entry) => {
      const tool = entry.type === 'call.intent' ? toolOf(entry) : '';
      const slots = SLOTS[tool];
      if (slots === undefined) return undefined;
      const at = instantOf(entry, 'at');
      let taken = 1;
      for (const attempt of intentsOf(history, tool)) {
        // What a call holds is taken over by its next attempt.
        if (attempt.call.id === textOf(entry, 'call') || attempt !== attempt.call.attempts.at(-1)) continue;
        // An unknown one began to be so after its intent, so it holds its slot at least for as long after that.
        const holds = attempt.ended === undefined || attempt.ended === 'call.unknown';
        if (holds && (attempt.ended === undefined || instantOf(attempt.entry, 'at') + EFFECT_TIMEOUT_MS > at))
          taken += 1;
      }
      return taken <= slots ? undefined : `${taken} calls of ${tool} at once, with ${slots} slots`;
    },
  },
];
