/** Invariants of what is signed for the policy itself: exceptions to its rules, and changes that may allow more. */

import type { Entry } from '../../../src/ledger/entry.ts';
import { digestOf } from '../../../src/value/digest.ts';
import type { JsonObject } from '../../../src/value/json.ts';
import { DENYING, type DenyingRule, TERMS, isSignedFor, isWidening, policyNamed, termsByDigest } from '../bank.ts';
import type { History } from '../history.ts';
import { amountOf, instantOf, objectOf, textOf, toolOf } from '../reading.ts';
import type { Change, Invariant } from './invariant.ts';

type Terms = (typeof TERMS)[keyof typeof TERMS];

/** Why `entry` is no exception from `rule` under these terms when `at` is the time; nothing when it is one. */
function whyNone(entry: Entry, terms: Terms, rule: DenyingRule, at: number): string | undefined {
  const { exception, rules, expires, reason, log } = entry;
  const named = Array.isArray(rules) ? (rules as readonly JsonObject[]) : [];
  const wanted = terms.denying[rule];
  if (!named.some(({ id, digest }) => id === wanted.id && digest === wanted.digest)) return 'it is for another rule';
  if (at >= instantOf(entry, 'expires')) return 'it has expired';
  const digest = digestOf({ log, exception, rules, expires, reason } as JsonObject);
  const said = { by: textOf(entry, 'by'), digest, signature: textOf(entry, 'signature') };
  return isSignedFor(terms, 'exception', said) ? undefined : 'nobody who may has signed it';
}

/** Why the log does not have an approval of this change under that id; nothing when it has. */
function whyUnapproved({ entries }: History, { before, after, approved }: Change): string | undefined {
  if (before === undefined || approved === undefined) return 'it names none';
  const entry = entries.find(({ type, reload }) => type === 'policy.approved' && reload === approved);
  if (entry === undefined) return 'the log has none';
  const { log, reload, before: from, after: to } = entry;
  if (from !== TERMS[before].policy.digest || to !== TERMS[after].policy.digest) return 'it is for another change';
  const digest = digestOf({ log, reload, before: from, after: to } as JsonObject);
  const said = { by: textOf(entry, 'by'), digest, signature: textOf(entry, 'signature') };
  return isSignedFor(TERMS[before], 'reload', said) ? undefined : 'nobody who may has signed it';
}

const DECISIONS: ReadonlySet<string> = new Set(['call.intent', 'call.parked', 'call.denied']);

export const SEALS: readonly Invariant[] = [
  {
    name: 'excepted',
    promise: 'what a rule denies is allowed only by an exception that is signed, for this very rule, and not over yet',
    entry: ({ history }, entry) => {
      if (entry.type !== 'call.intent' || entry['probes'] !== undefined) return undefined;
      const terms = termsByDigest(textOf(objectOf(entry, 'policy'), 'digest'));
      const rule = (['frozen', 'closed'] as const).find((id) => DENYING[id] === toolOf(entry));
      if (rule === undefined || amountOf(entry) <= terms.above[rule]) return undefined;
      const why = [...history.exceptions.values()].map((each) => whyNone(each, terms, rule, instantOf(entry, 'at')));
      if (why.includes(undefined)) return undefined;
      return `call ${textOf(entry, 'call')} is allowed against ${rule}: ${why.join('; ') || 'there is no exception'}`;
    },
  },
  {
    name: 'approved-reload',
    promise: 'a process takes a change that may allow more only when it was signed, for this change, and once',
    enforced: ({ history }, instance, change) => {
      const { before, after, approved } = change;
      if (before === undefined || !isWidening(before, after)) return undefined;
      if (history.taken.has(`${instance} ${approved ?? ''}`)) return `${instance} takes ${approved ?? ''} again`;
      const why = whyUnapproved(history, change);
      return why === undefined ? undefined : `${instance} goes from ${before} to ${after} by an approval: ${why}`;
    },
  },
  {
    name: 'decided-in-force',
    promise: 'a call is decided under a policy that its process took, and that was in force since it was asked for',
    entry: ({ history }, entry, writer) => {
      if (!DECISIONS.has(entry.type) || entry['probes'] !== undefined) return undefined;
      const { digest } = objectOf(entry, 'policy');
      if (typeof digest !== 'string') return undefined;
      const asked = history.proposals.get(textOf(objectOf(entry, 'run'), 'id'))?.asked ?? 0;
      const enforced = history.enforced.get(writer) ?? [];
      const isKnown = enforced.some((each, at) => {
        const until = enforced[at + 1]?.since ?? Number.POSITIVE_INFINITY;
        return each.digest === digest && asked <= until;
      });
      if (isKnown) return undefined;
      return `${entry.type} of ${textOf(entry, 'call')} is decided under ${policyNamed(digest) ?? digest}`;
    },
  },
];
