/** Invariants of floods: what was denied is an entry or counted, once, and few of it are entries. */

import type { Entry } from '../../../src/ledger/entry.ts';
import { type History, denialsOf } from '../history.ts';
import { instantOf, objectOf, textOf } from '../reading.ts';
import type { Invariant } from './invariant.ts';

const ENTRIES_MAX = 20;
const MINUTE_MS = 60_000;

function codeOf(entry: Entry): string {
  return textOf(objectOf(entry, 'policy'), 'code');
}

/** Whether all that the process wrote is known to be written. */
function isSound({ troubled }: History, instance: string): boolean {
  return !troubled.has(instance);
}

export const FLOODS: readonly Invariant[] = [
  {
    name: 'floods-bounded',
    promise: 'a process writes at most 20 denials of a principal and code within a minute',
    entry: ({ history, ...sight }, entry, writer) => {
      if (entry.type !== 'call.denied') return undefined;
      const denials = denialsOf(history, writer, textOf(entry, 'principal'), codeOf(entry));
      const at = instantOf(entry, 'at');
      if (at - denials.since >= MINUTE_MS || sight.monotonic() - denials.began >= MINUTE_MS) {
        Object.assign(denials, { entries: 0, since: at, began: sight.monotonic() });
      }
      denials.entries += 1;
      if (denials.entries <= ENTRIES_MAX || !isSound(history, writer)) return undefined;
      return `${writer} writes ${denials.entries} denials ${codeOf(entry)} within a minute`;
    },
  },
  {
    name: 'floods-recorded',
    promise: 'denials are only counted when 20 of their kind are entries, which the verifier looks for',
    entry: ({ history }, entry, writer) => {
      if (entry.type !== 'denial.repeated' || !isSound(history, writer)) return undefined;
      const { recorded } = entry;
      return recorded === ENTRIES_MAX ? undefined : `${writer} counts denials of which it recorded ${Number(recorded)}`;
    },
  },
  {
    name: 'floods-counted',
    promise: 'the log counts what was denied without an entry: never more, and all of it once a process has ended well',
    entry: ({ history }, entry, writer) => {
      if (entry.type !== 'denial.repeated') return undefined;
      const code = textOf(entry, 'code');
      const denials = denialsOf(history, writer, textOf(entry, 'principal'), code);
      denials.counted += Number(entry['count']);
      if (entry['instance'] !== writer) return `${writer} counts for ${textOf(entry, 'instance')}`;
      if (!ANSWERED.has(code) || denials.counted <= denials.told) return undefined;
      return `${writer} counts ${denials.counted} denials ${code}, and told ${denials.told}`;
    },
    end: ({ history }) => {
      for (const [key, { told, counted }] of history.denials) {
        const [instance = '', , code = ''] = key.split(' ');
        const isWell = history.closed.has(instance) && !history.unsure.has(instance);
        if (isWell && ANSWERED.has(code) && told !== counted)
          return `${key}: ${told} were told, ${counted} are counted`;
      }
      return undefined;
    },
  },
  {
    name: 'floods-change-nothing',
    promise: 'the expiry of an approval is an entry, whatever is counted',
    answer: ({ history }, { session }, { decision, call }) => {
      if (decision?.code !== 'approval-expired') return undefined;
      const state = history.calls.get(call)?.state;
      return state === 'expired' ? undefined : `${session} is told that call ${call} expired, and it is ${state}`;
    },
  },
];

/** Codes of which every denial is somebody's answer. */
const ANSWERED: ReadonlySet<string> = new Set(['denied-by-rule', 'unknown-tool', 'malformed']);
