/** Invariants of outcomes and answers: what is recorded is what happened, and what is told is recorded. */

import { canonicalText } from '../../../src/value/canonical.ts';
import type { Attempt, History } from '../history.ts';
import { isRead, textOf } from '../reading.ts';
import type { Invariant } from './invariant.ts';

/** How long past its deadline a call is left to its own process, milliseconds. */
const GRACE_MS = 5_000;

const ENDS: ReadonlySet<string> = new Set(['call.not-started', 'call.succeeded', 'call.failed', 'call.unknown']);

function attemptsOf(history: History, call: string): readonly Attempt[] {
  return history.calls.get(call)?.attempts ?? [];
}

export const OUTCOMES: readonly Invariant[] = [
  {
    name: 'one-outcome',
    promise: 'an attempt gets one outcome, and an outcome that is unknown one settlement',
    entry: ({ history }, entry) => {
      const isSettled = entry.type === 'call.settled';
      if (!isSettled && !ENDS.has(entry.type)) return undefined;
      const attempt = history.attempts.get(textOf(entry, 'attempt'));
      if (attempt === undefined) return `${entry.type} is of no attempt`;
      if (attempt.ended === (isSettled ? 'call.unknown' : undefined)) return undefined;
      return `attempt ${attempt.id} gets ${entry.type} after ${attempt.ended ?? 'its intent'}`;
    },
  },
  {
    name: 'own-outcome',
    promise: 'only the process that sent a call says how it ended, and only when it has been answered',
    entry: ({ history }, entry, writer) => {
      if (!ENDS.has(entry.type) || entry.type === 'call.unknown') return undefined;
      const attempt = history.attempts.get(textOf(entry, 'attempt'));
      if (attempt === undefined || attempt.instance === writer) return undefined;
      return `${entry.type} of attempt ${attempt.id} is written by another process`;
    },
  },
  {
    name: 'outcome-true',
    promise: 'an outcome says what happened: success is an effect, not started and settled as not executed are none',
    entry: ({ history }, entry) => {
      const attempt = 'attempt' in entry ? history.attempts.get(textOf(entry, 'attempt')) : undefined;
      if (attempt === undefined) return undefined;
      if (isRead(attempt.call.tool)) return undefined;
      const hadEffect = attempt.call.attempts.some(({ effects }) => effects > 0);
      if (entry.type === 'call.succeeded' && !hadEffect) return `attempt ${attempt.id} had no effect`;
      const isNone = entry.type === 'call.not-started' || entry['as'] === 'not-executed';
      return isNone && hadEffect ? `attempt ${attempt.id} had an effect and gets ${entry.type}` : undefined;
    },
    effect: (_sight, { id, ended }) =>
      ended === 'call.not-started' || ended === 'call.settled-not-executed'
        ? `the effect of attempt ${id} happens after ${ended}`
        : undefined,
  },
  {
    name: 'sibling-lives',
    promise: 'the intent of a living process is not declared unknown by another one before its deadline and a grace',
    entry: ({ history, disk, ...sight }, entry, writer) => {
      if (entry.type !== 'call.unknown') return undefined;
      const attempt = history.attempts.get(textOf(entry, 'attempt'));
      if (attempt === undefined || attempt.instance === writer || !disk.alive.has(attempt.instance)) return undefined;
      const passed = sight.monotonic() - attempt.since;
      return passed < GRACE_MS ? `attempt ${attempt.id} is declared unknown while its process lives` : undefined;
    },
  },
  {
    name: 'owner-gone',
    promise: 'nobody else settles a call as not executed while the process that sent it lives',
    entry: ({ history, disk }, entry, writer) => {
      if (entry.type !== 'call.settled' || entry['as'] !== 'not-executed') return undefined;
      const attempt = history.attempts.get(textOf(entry, 'attempt'));
      if (attempt === undefined || attempt.instance === writer || !disk.alive.has(attempt.instance)) return undefined;
      return `attempt ${attempt.id} is settled while its process lives`;
    },
  },
  {
    name: 'durable-answer',
    promise: 'no result is answered before its outcome is durable, and what is answered is what the tool said',
    answer: ({ history }, _proposed, { call, state, output }) => {
      if (state !== 'succeeded' && state !== 'failed') return undefined;
      // A process that learns the outcome of its own call after that was declared unknown settles it with what it knows.
      const isRecorded = ({ ended }: Attempt): boolean =>
        ended === `call.${state}` || ended === 'call.settled-executed';
      const attempt = attemptsOf(history, call).findLast(isRecorded);
      if (attempt === undefined) return `call ${call} is answered ${state}, which the log does not say`;
      const isSame = output !== undefined && canonicalText(output) === canonicalText(attempt.reply ?? {});
      return isSame ? undefined : `call ${call} is answered with another result than the tool gave`;
    },
  },
  {
    name: 'true-answer',
    promise: 'what is told is true: not started and denied mean that nothing was done for this proposal',
    answer: ({ history }, { session }, { call, state }) => {
      const own = history.intents.get(session) ?? [];
      const sent = own.filter(({ call: of, effects, inFlight }) => !isRead(of.tool) && (effects > 0 || inFlight));
      if (state === 'denied' && sent.length > 0) return `${session} is denied and had an effect`;
      if (state === 'not-started' && sent.length > 0) return `${session} is told that it did not start`;
      if (state === 'not-started' || state === 'unknown') {
        return attemptsOf(history, call).length === 0 ? `call ${call} is ${state} without an intent` : undefined;
      }
      return undefined;
    },
  },
];
