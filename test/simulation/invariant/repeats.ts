/** Invariants of what finds out and what repeats: probes, keys that the tool knows again, and sending once more. */

import { isRead, textOf, toolOf } from '../reading.ts';
import type { Invariant } from './invariant.ts';

/** Of an intent: the key that its tool gets. */
function keyOf(entry: { readonly [field: string]: unknown } | undefined): unknown {
  return (entry?.['downstreamKey'] as { readonly key?: unknown } | undefined)?.key;
}

export const REPEATS: readonly Invariant[] = [
  {
    name: 'probe-reads',
    promise: 'a probe is recorded before it is asked, of a call that is unknown, reads, and takes no key and no budget',
    entry: ({ history }, entry) => {
      if (entry.type !== 'call.intent' || entry['probes'] === undefined) return undefined;
      const of = history.calls.get(textOf(entry, 'probes'));
      if (of?.state !== 'unknown') return `a probe looks after a call that is ${of?.state ?? 'nowhere'}`;
      const keys = entry['keys'];
      if (Array.isArray(keys) && keys.length > 0) return 'a probe takes a key';
      return isRead(toolOf(entry)) ? undefined : `${toolOf(entry)} is asked as a probe`;
    },
    probe: (_sight, attempt) => (attempt === undefined ? 'a probe is asked without an intent in the log' : undefined),
  },
  {
    name: 'probe-patience',
    promise: 'a probe settles as not executed only when no effect can come any more, and as executed only what was',
    entry: ({ history }, entry) => {
      if (entry.type !== 'call.settled' || entry['by'] !== 'probe') return undefined;
      const attempts = history.attempts.get(textOf(entry, 'attempt'))?.call.attempts ?? [];
      const hadEffect = attempts.some(({ effects }) => effects > 0);
      if (entry['as'] === 'executed') return hadEffect ? undefined : 'a probe found an effect that there was not';
      const isOpen = attempts.some(({ inFlight }) => inFlight);
      return hadEffect || isOpen ? 'a probe gave up a call whose effect came, or may still come' : undefined;
    },
  },
  {
    name: 'one-downstream-key',
    promise: 'all attempts of a call give the tool one key, and no other call gives it',
    entry: ({ history }, entry) => {
      if (entry.type !== 'call.intent' || toolOf(entry) !== 'bank.order') return undefined;
      const key = keyOf(entry);
      if (typeof key !== 'string') return 'an intent of bank.order says no key';
      for (const attempt of history.attempts.values()) {
        const isSame = attempt.call.id === entry['call'];
        if (attempt.call.tool === 'bank.order' && isSame !== (keyOf(attempt.entry) === key))
          return isSame ? `call ${attempt.call.id} has two keys` : `call ${attempt.call.id} has the same key`;
      }
      return undefined;
    },
    dispatch: (_sight, _proposed, attempt) =>
      attempt?.call.tool === 'bank.order' && attempt.key !== keyOf(attempt.entry)
        ? `attempt ${attempt.id} is sent with another key than its intent says`
        : undefined,
  },
  {
    name: 'resent-alone',
    promise: 'a call that may have had its effect is sent again only when no other living process waits for its answer',
    entry: ({ history, disk }, entry, writer) => {
      if (entry.type !== 'call.intent' || entry['resends'] === undefined || isRead(toolOf(entry))) return undefined;
      const before = history.attempts.get(textOf(entry, 'resends'));
      if (before === undefined) return 'an intent repeats an attempt that there is not';
      if (before.ended !== 'call.unknown' || before.instance === writer || !disk.alive.has(before.instance))
        return undefined;
      return `attempt ${before.id} is repeated while its process lives`;
    },
  },
  {
    name: 'repeat-undoes-nothing',
    promise: 'an attempt that did not start says nothing of one before it that may have had its effect',
    entry: ({ history }, entry) => {
      if (entry.type !== 'call.not-started') return undefined;
      const attempt = history.attempts.get(textOf(entry, 'attempt'));
      if (attempt?.resends === undefined || isRead(attempt.call.tool)) return undefined;
      return `call ${attempt.call.id} becomes not-started, and attempt ${attempt.resends} may have had its effect`;
    },
  },
];
