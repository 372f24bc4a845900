/** Invariants of consent: kill switches and approvals hold for every intent. */

import { canonicalText } from '../../../src/value/canonical.ts';
import { approvalsNeeded, isSignedBy, termsByDigest } from '../bank.ts';
import { amountOf, instantOf, objectOf, textOf, toolOf } from '../reading.ts';
import type { Invariant } from './invariant.ts';

export const CONSENT: readonly Invariant[] = [
  {
    name: 'killed',
    promise: 'after a kill switch is on there is no intent of what it stops, until it is lifted',
    entry: ({ history }, entry) => {
      if (entry.type !== 'call.intent') return undefined;
      const tool = toolOf(entry);
      const targets = ['all', `principal:${textOf(entry, 'principal')}`, 'server:bank', `tool:${tool}`];
      const on = targets.find((target) => history.kills.has(target));
      return on === undefined ? undefined : `call ${textOf(entry, 'call')} gets an intent while ${on} is killed`;
    },
  },
  {
    name: 'approved',
    promise: 'a call that needs approvals runs on enough of them: signed, by different approvers, for this very call',
    entry: ({ history }, entry) => {
      if (entry.type !== 'call.intent') return undefined;
      const needed = approvalsNeeded(toolOf(entry), amountOf(entry));
      if (needed === 0) return undefined;
      const id = textOf(entry, 'call');
      const call = history.calls.get(id);
      if (call?.question === undefined) return `call ${id} was never asked about`;
      const { question } = call;
      if (canonicalText(question['args'] ?? {}) !== canonicalText(entry['args'] ?? {})) {
        return `call ${id} runs with other arguments than were approved`;
      }
      const terms = termsByDigest(textOf(objectOf(entry, 'policy'), 'digest'));
      const digest = textOf(objectOf(question, 'approval'), 'digest');
      const valid = call.approvals.filter(
        (approval) =>
          approval.digest === digest &&
          approval.by !== call.principal &&
          isSignedBy(terms, approval.by, digest, approval.signature ?? ''),
      );
      const people = new Set(valid.map(({ by }) => by)).size;
      return people >= needed ? undefined : `call ${id} runs on ${people} of ${needed} approvals`;
    },
  },
  {
    name: 'approved-once',
    promise: 'what was approved runs once: another attempt is asked about again',
    entry: ({ history }, entry) => {
      if (entry.type !== 'call.intent' || approvalsNeeded(toolOf(entry), amountOf(entry)) === 0) return undefined;
      const state = history.calls.get(textOf(entry, 'call'))?.state ?? 'new';
      return state === 'parked'
        ? undefined
        : `call ${textOf(entry, 'call')} runs from ${state}, without a new question`;
    },
  },
  {
    name: 'approved-in-time',
    promise: 'no approval is taken, and none is used, after it expired',
    entry: ({ history }, entry) => {
      if (entry.type !== 'call.intent' && entry.type !== 'call.approved') return undefined;
      const call = history.calls.get(textOf(entry, 'call'));
      if (call?.state !== 'parked' || call.question === undefined) return undefined;
      const expires = instantOf(objectOf(call.question, 'approval'), 'expires');
      return instantOf(entry, 'at') < expires ? undefined : `${entry.type} of call ${call.id} comes after its expiry`;
    },
  },
];
