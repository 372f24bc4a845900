/** Defects planted in the real source, one at a time: a simulator that does not find them proves nothing. */

import { type Mutant, type Replacement, one } from './mutant.ts';
import { POLICY_MUTANTS } from './policy-mutants.ts';

const COMMIT = 'authority/commit.ts';
const FOLD = 'ledger/fold.ts';
const EXISTING = 'authority/existing.ts';
const FREE_ROW = "return row.state === 'not-started' || row.state === 'settled-not-executed';";
const FREE_STATE = "return state === 'not-started' || state === 'settled-not-executed';";

/** Calls in the state `also` may be attempted again, as the authority and as the ledger see it. */
function freeing(also: string): readonly Replacement[] {
  return [
    {
      file: EXISTING,
      find: FREE_ROW,
      replace: `return row.state === '${also}' || ${FREE_ROW.slice('return '.length)}`,
    },
    { file: FOLD, find: FREE_STATE, replace: `return state === '${also}' || ${FREE_STATE.slice('return '.length)}` },
  ];
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'dispatch before the commit',
    breaks: ['intent-first'],
    replacements: [
      ...one(
        COMMIT,
        'composed = composition.result;',
        'composed = composition.result; early.resolve(composition.result);',
      ),
      ...one(
        COMMIT,
        'let composed: Verdict | undefined;',
        'let composed: Verdict | undefined; const early = Promise.withResolvers<Verdict>();',
      ),
      ...one(
        COMMIT,
        'const verdict = await around.floods.denying((admits) => {',
        'const late = around.floods.denying((admits) => {',
      ),
      ...one(
        COMMIT,
        'return withBasis(around.world, basis, facts, composition);\n      });\n    });',
        'return withBasis(around.world, basis, facts, composition);\n      });\n    });\n    late.catch(early.reject);\n    const verdict = await early.promise;',
      ),
    ],
  },
  {
    name: 'dispatch when the commit was lost',
    breaks: ['intent-first', 'own-attempt'],
    replacements: one(
      COMMIT,
      "if (row?.attempt !== prepared.attempt || row.state !== 'intent') throw error;",
      'void row;',
    ),
  },
  {
    name: 'answer before the outcome is durable',
    breaks: ['durable-answer'],
    replacements: one(
      'authority/record.ts',
      'await ledger.append(outcomeWrites(around, dispatch, outcome));',
      'ledger.append(outcomeWrites(around, dispatch, outcome)).catch(() => undefined);',
    ),
  },
  {
    name: 'answer although the outcome was lost',
    breaks: ['durable-answer'],
    replacements: one(
      'authority/record.ts',
      'if (landed?.attempt !== attempt || landed.state !== performed.kind) {',
      'if (landed?.attempt !== attempt) {',
    ),
  },
  {
    name: 'use an attempt id again',
    breaks: ['attempt-once'],
    replacements: one('authority/prepare.ts', 'attempt: newId(world)', "attempt: 'again'"),
  },
  {
    name: 'send twice',
    breaks: ['attempt-once'],
    replacements: one(
      'authority/dispatch.ts',
      'const performing = perform(sent.args, dispatch.meta);',
      'void perform(sent.args, dispatch.meta).catch(() => undefined); const performing = perform(sent.args, dispatch.meta);',
    ),
  },
  {
    name: 'do not look at the deadline',
    breaks: ['before-deadline', 'own-attempt'],
    replacements: one(
      'authority/dispatch.ts',
      'if (world.now() >= dispatch.deadline ||',
      'if (false && world.now() >= dispatch.deadline ||',
    ),
  },
  {
    name: 'do not look at the monotonic clock',
    breaks: ['before-deadline', 'own-attempt'],
    replacements: one('authority/dispatch.ts', '|| world.monotonic() >= dispatch.monotonicDeadline', ''),
  },
  {
    name: 'take a broken pipe for one that was never written to',
    breaks: ['outcome-true', 'true-answer'],
    replacements: one('authority/dispatch.ts', "kind: 'unknown',", "kind: 'not-started',"),
  },
  {
    name: "take over a sibling's intent",
    breaks: ['unknown-stays', 'no-twin'],
    replacements: freeing('intent'),
  },
  {
    name: 'retry what is unknown',
    breaks: ['unknown-stays'],
    replacements: freeing('unknown'),
  },
  {
    name: "declare a living sibling's call unknown at once",
    breaks: ['sibling-lives'],
    replacements: one(
      'authority/recover.ts',
      'if (alive.get(row.instance) === false) {',
      'if (alive.has(row.instance)) {',
    ),
  },
  {
    name: 'declare it unknown at its deadline',
    breaks: ['sibling-lives'],
    replacements: one('authority/recover.ts', 'OVERDUE_GRACE_MS = 5_000;', 'OVERDUE_GRACE_MS = 0;'),
  },
  {
    name: 'settle as not executed while the process lives',
    breaks: ['owner-gone', 'outcome-true'],
    replacements: one(
      'authority/settle.ts',
      '(await ledger.isAlive(before.instance))',
      '(await Promise.resolve(false))',
    ),
  },
  {
    name: 'run a twin',
    breaks: ['no-twin'],
    replacements: one(
      EXISTING,
      "const open = equal.find(({ state }) => state !== 'parked') ?? equal[0];",
      'const open = equal.find(() => false);',
    ),
  },
  {
    name: 'take any call under a key for the same call',
    breaks: ['same-call', 'approved', 'args-as-proposed'],
    replacements: one(
      EXISTING,
      'equalBytes(fingerprint(around, prepared, row.salt), row.fingerprint)',
      'row.fingerprint.length > 0',
    ),
  },
  {
    name: "forget the caller's key",
    breaks: ['keys-recorded'],
    replacements: one(
      'authority/prepare.ts',
      'if (proposal.key !== undefined) keys.push(',
      'if (proposal.key === "none") keys.push(',
    ),
  },
  {
    name: 'ignore the kill switch',
    breaks: ['killed'],
    replacements: one('policy/decide/gates.ts', 'if (isKilled(facts, request))', 'if (isKilled(NO_FACTS, request))'),
  },
  {
    name: 'look at the kill switch before the transaction',
    breaks: ['killed', 'decided-again'],
    replacements: stale('kill/'),
  },
  {
    name: 'do not check signatures of approvals',
    breaks: ['approved'],
    replacements: one('authority/claim.ts', ' || !verifyApproval(key, approval.digest, by, signature)', ''),
  },
  {
    name: 'let an approval be for every attempt',
    breaks: ['approved-once'],
    replacements: one(
      'authority/compose.ts',
      "found.kind === 'parked' ? approvalsOf(",
      "found.kind !== 'none' ? approvalsOf(",
    ),
  },
  {
    name: 'run an approved call after its approval expired',
    breaks: ['approved-in-time'],
    replacements: [
      ...one(
        FOLD,
        "if (before.state === 'parked' && hasExpired(before, moment))",
        "if (before.state === 'intent' && hasExpired(before, moment))",
      ),
      ...one(
        'policy/approval/approval.ts',
        'if (satisfied(approvals.filter((approval) => request.now < approval.expires)))',
        'if (satisfied(approvals))',
      ),
    ],
  },
  {
    name: 'refund twice',
    breaks: ['budget-is-fold'],
    replacements: one(
      FOLD,
      'if (isRefund) for (const [key, n] of Object.entries(before.reserved)) deltas.set(key, -n);',
      'if (isRefund) for (const [key, n] of Object.entries(before.reserved)) deltas.set(key, -Math.min(lookups.counter(key), 2 * n));',
    ),
  },
  {
    name: 'refund what is unknown',
    breaks: ['budget-is-fold'],
    replacements: one(
      FOLD,
      "return changed({ ...before, state: 'unknown', ...until, intent: before.position, ...at(moment) });",
      "return { ok: true, row: { ...before, state: 'unknown', ...until, intent: before.position, ...at(moment) }, keys: [], counters: Object.entries(before.reserved).map(([key]) => [key, 0] as const) };",
    ),
  },
  {
    name: 'count a budget outside of the transaction',
    breaks: ['budget-kept', 'decided-again'],
    replacements: stale('budget/'),
  },
  {
    name: 'count slots outside of the transaction',
    breaks: ['slots-kept', 'decided-again'],
    replacements: stale('slots/'),
  },
  {
    name: 'give the tool another key with each attempt',
    breaks: ['one-downstream-key'],
    replacements: one(
      'authority/compose.ts',
      "vault.keyHmac('downstream', call)",
      "vault.keyHmac('downstream', call + request.now)",
    ),
  },
  {
    name: 'send an unknown call again although its process lives',
    breaks: ['resent-alone'],
    replacements: one(
      'authority/retry.ts',
      'return tool.downstreamKey !== undefined && (await isAbandoned(ledger, row, isOurs));',
      'return tool.downstreamKey !== undefined && isOurs(ledger.instance) === false;',
    ),
  },
  {
    name: 'send any unknown call again',
    breaks: ['unknown-stays', 'key-once'],
    replacements: one(
      'authority/retry.ts',
      'return tool.downstreamKey !== undefined && (await isAbandoned(',
      'return (await isAbandoned(',
    ),
  },
  {
    name: 'try what failed again without a key that the tool knows',
    breaks: ['unknown-stays', 'key-once', 'proposal-once'],
    replacements: one(
      'authority/retry.ts',
      'failed: tool.failedHasNoEffect || tool.downstreamKey !== undefined,',
      'failed: true,',
    ),
  },
  {
    name: 'take a call that was not sent again for one that never started',
    breaks: ['repeat-undoes-nothing', 'outcome-true', 'budget-is-fold', 'true-answer'],
    replacements: one(
      'authority/record.ts',
      "if (!mayHaveHappened || ended.kind !== 'not-started') return ended;",
      'if (mayHaveHappened || true) return ended;',
    ),
  },
  {
    name: 'believe a probe that finds nothing at once',
    breaks: ['probe-patience', 'outcome-true'],
    replacements: one(
      'authority/probe.ts',
      'return timeoutMs !== undefined && world.monotonic() - seen.monotonic >= timeoutMs;',
      'return timeoutMs !== undefined && world.monotonic() >= seen.monotonic;',
    ),
  },
  {
    name: 'take the wall clock for the patience of a probe',
    breaks: ['probe-patience', 'outcome-true'],
    replacements: [
      ...one(
        'authority/probe.ts',
        'return timeoutMs !== undefined && world.monotonic() - seen.monotonic >= timeoutMs;',
        'return timeoutMs !== undefined && seen !== undefined && world.now() >= Number.parseInt(row.attempt.replaceAll("-", "").slice(0, 12), 16) + timeoutMs;',
      ),
    ],
  },
  {
    name: 'believe a probe that failed',
    breaks: ['probe-patience', 'outcome-true'],
    replacements: one(
      'authority/probe.ts',
      "if (performed.kind !== 'succeeded' || answer.state !== 'succeeded') return;",
      "if (!('output' in performed)) return; void answer;",
    ),
  },
  {
    name: 'ask a probe before its intent is durable',
    breaks: ['probe-reads', 'intent-first'],
    replacements: one(
      'authority/probe.ts',
      'const dispatch = await intendProbe(',
      'void reached.perform(probe.args).catch(() => undefined); const dispatch = await intendProbe(',
    ),
  },
  {
    name: 'charge an attempt that stands for two twice',
    breaks: ['budget-is-fold'],
    replacements: one(
      FOLD,
      'deltas.set(key, (deltas.get(key) ?? 0) - held);',
      'deltas.set(key, (deltas.get(key) ?? 0) - held * 0);',
    ),
  },
  {
    name: 'write to a table without an entry',
    breaks: ['tables-are-fold', 'budget-is-fold', 'onlooker-agrees'],
    replacements: one(
      'ledger/batch.ts',
      'tables.apply({ counters: changes.counters });',
      "tables.apply({ counters: [...changes.counters, ['count/planted', start.position + 1]] });",
    ),
  },
  ...POLICY_MUTANTS,
];

/** Facts of this folder are read in a transaction before the one that decides. */
function stale(folder: string): readonly Replacement[] {
  return [
    ...one(
      COMMIT,
      'const read = new Set(reads.facts);',
      'const read = new Set(reads.facts); const earlier = await ledger.transact(reads, (facts) => ({ result: facts.values }));',
    ),
    ...one(
      COMMIT,
      'composeCall(bench, prepared, facts, read)',
      `composeCall(bench, prepared, { ...facts, values: new Map([...[...facts.values].filter(([key]) => !key.startsWith('${folder}')), ...[...earlier].filter(([key]) => key.startsWith('${folder}'))]) }, read)`,
    ),
  ];
}
