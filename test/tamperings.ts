/** What can be done to a log and to what stands beside it, and as what it must be found: the table in docs/ledger.md. */

import assert from 'node:assert/strict';
import { textOf } from '../src/audit/problem.ts';
import type { Entry } from '../src/ledger/entry.ts';
import { signedText } from '../src/ledger/signed-text.ts';
import { canonicalText } from '../src/value/canonical.ts';
import { digestOf } from '../src/value/digest.ts';
import type { JsonObject } from '../src/value/json.ts';
import { type Repair, approver } from './tampered-log.ts';

type Entries = Entry[];

/** One tampering, how far its traces were covered up, and what must be found. */
export interface Tampering {
  readonly name: string;
  readonly edit: (entries: Entries) => readonly (JsonObject | Uint8Array)[];
  readonly repair: Repair;
  readonly finds: string;
  /** The entry that is named; a root names the first of a range. */
  readonly at?: (entries: Entries) => number;
}

export const placeOf = (entries: Entries, wanted: (entry: Entry) => boolean): number => entries.findIndex(wanted);
const code = (entry: Entry): unknown => (entry['policy'] as JsonObject | undefined)?.['code'];
export const decided =
  (said: string) =>
  (entry: Entry): boolean =>
    code(entry) === said;
const isType =
  (type: string) =>
  (entry: Entry): boolean =>
    entry.type === type;
export const charged =
  (charge: string, type = 'call.intent') =>
  (entry: Entry): boolean =>
    entry.type === type && (entry['args'] as JsonObject)['charge'] === charge;

/** Changes the first entry that `wanted` finds. */
function changing(wanted: (entry: Entry) => boolean, change: (entry: Entry) => JsonObject) {
  return (entries: Entries): readonly JsonObject[] => {
    const at = placeOf(entries, wanted);
    assert.ok(at >= 0);
    return entries.map((entry, position) => (position === at ? change(entry) : entry));
  };
}

const policyWith =
  (more: JsonObject) =>
  (entry: Entry): JsonObject => {
    return { ...entry, policy: { ...(entry['policy'] as JsonObject), ...more } };
  };

/** The configuration with another rule, under its own digest, named by every decision. */
function anotherPolicy(entries: Entries): readonly JsonObject[] {
  const content = entries.find(({ type, text }) => type === 'policy.content' && textOf(text).includes('"rules"'));
  const data = JSON.parse(textOf(content?.['text'])) as JsonObject & { readonly rules: readonly JsonObject[] };
  const wider = {
    ...data,
    rules: data.rules.map((rule) => ({ ...rule, ...(rule['id'] === 'small' ? { when: 'true' } : {}) })),
  };
  const renamed = (text: string): string => text.replaceAll(textOf(content?.['content']), digestOf(wider));
  return entries.map((entry) => {
    const said = entry === content ? { ...entry, text: canonicalText(wider) } : entry;
    return JSON.parse(renamed(JSON.stringify(said))) as JsonObject;
  });
}

/** The denied call as if it had been allowed, sent and answered. */
export function allowing(entries: Entries): readonly JsonObject[] {
  const denied = entries.find(decided('no-rule'));
  const intent = entries.find(charged('a'));
  const ended = entries.find(({ type, call }) => type === 'call.succeeded' && call === intent?.['call']);
  assert.ok(denied !== undefined && intent !== undefined && ended !== undefined);
  const { id, at, call, args } = denied;
  const policy = { ...(intent['policy'] as JsonObject), facts: { 'budget/x': 1 } };
  const { facts: _facts, ...said } = policy;
  const forged = { ...intent, id, at, call: call ?? '', args: args ?? {}, keys: [], attempt: 'x', policy: said };
  return entries.flatMap((entry): JsonObject[] => (entry === denied ? [forged] : [entry]));
}

const swapped = (one: number, other: number) => (entries: Entries) =>
  entries.map((entry, at) => entries[at === one ? other : at === other ? one : at] ?? entry);

export const PLAIN: readonly Tampering[] = [
  {
    name: 'an amount in an entry',
    edit: changing(charged('a'), (entry) => ({ ...entry, args: { charge: 'a', amount: 1 } })),
    repair: 'none',
    finds: 'checkpoint-root',
  },
  {
    name: 'an entry deleted from the middle',
    edit: (all) => all.toSpliced(5, 1),
    repair: 'none',
    finds: 'log-truncated',
    at: (all) => all.length - 1,
  },
  {
    name: 'an entry inserted',
    edit: (all) => all.toSpliced(5, 0, ...all.slice(5, 6)),
    repair: 'none',
    finds: 'entry-illegal',
    at: () => 6,
  },
  { name: 'two entries swapped', edit: swapped(4, 9), repair: 'none', finds: 'entry-time', at: () => 5 },
  {
    name: 'the end cut off',
    edit: (all) => all.slice(0, -3),
    repair: 'none',
    finds: 'log-truncated',
    at: (all) => all.length - 3,
  },
  {
    name: 'an entry edited, and the tree made right without a signature',
    edit: changing(charged('a'), (entry) => ({ ...entry, run: { id: 'other' } })),
    repair: 'hashed',
    finds: 'checkpoint-root',
  },
  {
    name: 'an entry that is no canonical JSON',
    edit: (all) => all.map((entry, at) => (at === 7 ? Buffer.from(JSON.stringify(entry, undefined, 1)) : entry)),
    repair: 'signed',
    finds: 'entry-not-canonical',
    at: () => 7,
  },
  {
    name: 'an entry of another log',
    edit: (all) => all.map((entry, at) => (at === 7 ? { ...entry, log: 'interlock/other' } : entry)),
    repair: 'signed',
    finds: 'entry-log',
    at: () => 7,
  },
  {
    name: 'a time that goes back',
    edit: (all) => all.map((entry, at) => (at === 7 ? { ...entry, at: '2020-01-01T00:00:00.000Z' } : entry)),
    repair: 'signed',
    finds: 'entry-time',
    at: () => 7,
  },
];

export const REPAIRED: readonly Tampering[] = [
  {
    name: 'a denial that became an allowance',
    edit: allowing,
    repair: 'all',
    finds: 'decision-wrong',
    at: (all) => placeOf(all, decided('no-rule')),
  },
  {
    name: 'another code for a denial',
    edit: changing(decided('denied-by-rule'), policyWith({ code: 'no-rule', rules: [] })),
    repair: 'all',
    finds: 'decision-wrong',
    at: (all) => placeOf(all, decided('denied-by-rule')),
  },
  {
    name: 'another rule for an allowance',
    edit: changing(charged('a'), policyWith({ rules: ['stolen'] })),
    repair: 'all',
    finds: 'decision-wrong',
    at: (all) => placeOf(all, charged('a')),
  },
  {
    name: 'arguments that the policy would deny',
    edit: changing(charged('b'), (entry) => ({ ...entry, args: { charge: 'b', amount: 30_000 } })),
    repair: 'all',
    finds: 'decision-wrong',
    at: (all) => placeOf(all, charged('b')),
  },
  {
    name: 'facts that the log does not come to',
    edit: changing(charged('b'), policyWith({ facts: {} })),
    repair: 'all',
    finds: 'decision-facts',
    at: (all) => placeOf(all, charged('b')),
  },
  {
    name: 'a smaller charge',
    edit: changing(charged('b'), (entry) => {
      const { reserved } = entry['policy'] as { readonly reserved: JsonObject };
      const free = Object.fromEntries(Object.keys(reserved).map((key) => [key, 0]));
      return policyWith({ reserved: free })(entry);
    }),
    repair: 'all',
    finds: 'decision-reservation',
    at: (all) => placeOf(all, charged('b')),
  },
  {
    name: 'a tool under another definition',
    edit: changing(charged('a'), (entry) => ({
      ...entry,
      tool: { ...(entry['tool'] as JsonObject), definition: digestOf(1) },
    })),
    repair: 'all',
    finds: 'decision-tool',
    at: (all) => placeOf(all, charged('a')),
  },
  {
    name: 'a tool that is declared harmless afterwards',
    edit: changing(charged('a'), (entry) => ({ ...entry, tool: { ...(entry['tool'] as JsonObject), effect: 'read' } })),
    repair: 'all',
    finds: 'decision-tool',
    at: (all) => placeOf(all, charged('a')),
  },
  {
    name: 'a question with a smaller quorum of other people',
    edit: changing(isType('call.parked'), (entry) => ({
      ...entry,
      approval: { ...(entry['approval'] as JsonObject), approvers: ['local'] },
    })),
    repair: 'all',
    finds: 'decision-question',
    at: (all) => placeOf(all, isType('call.parked')),
  },
  {
    name: 'another policy under the same digest',
    edit: changing(
      ({ type, text }) => type === 'policy.content' && textOf(text).includes('"rules"'),
      (entry) => ({ ...entry, text: textOf(entry['text']).replace('20000', '90000') }),
    ),
    repair: 'all',
    finds: 'content-wrong',
    at: (all) => placeOf(all, isType('policy.content')),
  },
  {
    name: 'another policy under its own digest, named by every decision',
    edit: anotherPolicy,
    repair: 'all',
    finds: 'decision-wrong',
    at: (all) => placeOf(all, decided('no-rule')),
  },
  {
    name: 'a policy that is left out',
    edit: (all) => all.filter((entry) => entry !== all.find(isType('policy.content'))),
    repair: 'all',
    finds: 'decision-unfounded',
    at: (all) => placeOf(all, charged('a')) - 1,
  },
  {
    name: 'an approval that nobody signed',
    edit: changing(isType('call.approved'), (entry) => ({
      ...entry,
      signature: Buffer.alloc(64, 1).toString('base64'),
    })),
    repair: 'all',
    finds: 'approval-signature',
    at: (all) => placeOf(all, isType('call.approved')),
  },
  {
    name: 'the use of an approval that nobody signed',
    edit: changing(isType('call.approved'), (entry) => ({
      ...entry,
      signature: Buffer.alloc(64, 1).toString('base64'),
    })),
    repair: 'all',
    finds: 'decision-wrong',
    at: (all) => placeOf(all, charged('d')),
  },
  {
    name: 'an approval by somebody whom no policy names',
    edit: changing(isType('call.approved'), (entry) => ({ ...entry, by: 'mallory' })),
    repair: 'all',
    finds: 'approval-signer',
    at: (all) => placeOf(all, isType('call.approved')),
  },
  {
    name: 'an approval that is left out',
    edit: (all) => all.filter(({ type }) => type !== 'call.approved'),
    repair: 'all',
    finds: 'decision-wrong',
    at: (all) => placeOf(all, charged('d')) - 1,
  },
  {
    name: 'an exception for another rule',
    edit: changing(isType('policy.exception'), (entry) => ({
      ...entry,
      rules: [{ id: 'small', digest: digestOf(1) }],
    })),
    repair: 'all',
    finds: 'entry-signature',
    at: (all) => placeOf(all, isType('policy.exception')),
  },
  {
    name: 'an exception signed with a key that no policy names',
    edit: changing(isType('policy.exception'), (entry) => resigned(entry)),
    repair: 'all',
    finds: 'policy-signer',
    at: (all) => placeOf(all, isType('policy.exception')),
  },
  {
    name: 'a kill switch that is left out',
    edit: (all) => all.filter(({ type, target }) => target !== 'tool:bank.pay' || !type.startsWith('kill.')),
    repair: 'all',
    finds: 'decision-wrong',
    at: (all) => placeOf(all, decided('kill-switch')) - 1,
  },
  {
    name: 'denials that were counted and not one of them recorded',
    edit: (all) => [...all, counted(all, { recorded: 1 })],
    repair: 'all',
    finds: 'denial-count',
    at: (all) => all.length,
  },
  {
    name: 'denials that are counted before they happened',
    edit: (all) => [...all, counted(all, { recorded: 0, first: LATE, last: LATE })],
    repair: 'all',
    finds: 'denial-count',
    at: (all) => all.length,
  },
  {
    name: 'denials that are counted over more than a minute',
    edit: (all) => [...all, counted(all, { recorded: 0, last: LATE })],
    repair: 'all',
    finds: 'entry-illegal',
    at: (all) => all.length,
  },
  {
    name: 'an outcome for another attempt',
    edit: changing(isType('call.succeeded'), (entry) => ({ ...entry, attempt: 'another' })),
    repair: 'all',
    finds: 'entry-illegal',
    at: (all) => placeOf(all, isType('call.succeeded')),
  },
  {
    name: 'an outcome told twice',
    edit: (all) =>
      all.flatMap((entry, at) => (at === placeOf(all, isType('call.succeeded')) ? [entry, entry] : [entry])),
    repair: 'all',
    finds: 'entry-illegal',
    at: (all) => placeOf(all, isType('call.succeeded')) + 1,
  },
  {
    name: 'an intent that is left out',
    edit: (all) => all.filter((entry) => entry !== all.find(charged('a'))),
    repair: 'all',
    finds: 'entry-illegal',
    at: (all) => placeOf(all, isType('call.succeeded')) - 1,
  },
  {
    name: 'another commitment to a result',
    edit: changing(isType('call.succeeded'), (entry) => ({ ...entry, output: { $body: 'x'.repeat(43) } })),
    repair: 'all',
    finds: 'body-wrong',
    at: (all) => placeOf(all, isType('call.succeeded')),
  },
];

const LATE = '9999-12-31T23:59:59.000Z';

/** An entry that counts denials `more` than the log has, as the last one. */
function counted(entries: Entries, more: JsonObject): JsonObject {
  const last = entries.at(-1);
  assert.ok(last !== undefined);
  const { v, log, id, at } = last;
  const said = { principal: 'local', code: 'unknown-tool', count: 7, first: at, last: at, instance: 'x', tools: [] };
  return { v, log, id, at, type: 'denial.repeated', ...said, ...more };
}

function resigned(entry: Entry): JsonObject {
  const mallory = approver();
  const { type, log } = entry;
  return { ...entry, key: mallory.key, signature: mallory.sign(signedText(type, log, entry) ?? '') };
}

export const TABLES: readonly (readonly [name: string, sql: string, finds: string])[] = [
  ['the state of a call', "UPDATE calls SET state = 'denied' WHERE state = 'succeeded'", 'table-call'],
  ['a call that is left out', "DELETE FROM calls WHERE state = 'unknown'", 'table-call'],
  [
    'a call that nobody made',
    "INSERT INTO calls SELECT 'x', principal, tool, state, attempt, attempts, instance, deadline, keys, position, more, salt, fingerprint FROM calls LIMIT 1",
    'table-call',
  ],
  [
    'an approval in a table',
    `UPDATE calls SET more = replace(more, '"approvals":[]', '"approvals":[{"by":"ann","position":1}]') WHERE state = 'parked'`,
    'table-call',
  ],
  ['a counter', "UPDATE counters SET value = 1 WHERE key LIKE 'budget/%'", 'table-counter'],
  ['a counter that is left out', "DELETE FROM counters WHERE key LIKE 'budget/%'", 'table-counter'],
  ['a key that is free again', 'DELETE FROM keys', 'table-key'],
  ['a key that another call took', 'UPDATE keys SET call = (SELECT max(id) FROM calls)', 'table-key'],
  ['a slot that is free again', 'DELETE FROM leases', 'table-lease'],
  ['a kill switch that is lifted', 'DELETE FROM kills', 'table-kill'],
  ['trust in another definition', "UPDATE trusted SET digest = 'sha256:00'", 'table-trusted'],
  [
    'two results swapped',
    'UPDATE bodies SET ciphertext = (SELECT ciphertext FROM bodies b WHERE b.call <> bodies.call LIMIT 1)',
    'body-wrong',
  ],
  ['a result that is gone', 'DELETE FROM bodies WHERE position = (SELECT min(position) FROM bodies)', 'body-missing'],
];
