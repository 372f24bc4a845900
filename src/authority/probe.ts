/** Finds out by itself what became of calls of unknown outcome, where the policy names a tool that knows. */

import { type CallRow, type Composition, type Ledger, LedgerError } from '../ledger/ledger.ts';
import type { Policy } from '../policy/compile.ts';
import { admitArguments, admitCaller, admitPin, needs, probeOf, probeSays } from '../policy/decide/decide.ts';
import type { Code } from '../policy/decide/code.ts';
import type { Decision, Request } from '../policy/decide/decision.ts';
import { isJsonObject } from '../value/json.ts';
import { parseInstant } from '../value/time.ts';
import { recordedArgs, runOf } from './asked.ts';
import { basisOf, withBasis, withBasisReads } from './basis.ts';
import type { Dispatch } from './compose.ts';
import { dispatchCall } from './dispatch.ts';
import { intentDraft, newId } from './draft.ts';
import { madeWith } from './layers.ts';
import { personalDataOf, recordArgs } from './personal.ts';
import { firstTrust } from './pin.ts';
import { type Surroundings, guard } from './prepare.ts';
import type { Sending } from './projection.ts';
import type { Reach } from './proposal.ts';
import { recordOutcome } from './record.ts';
import { isAbandoned } from './retry.ts';
import { keptOutput, secretsIn } from './secret.ts';
import { settledWrites, subjectsOfRow } from './settle.ts';

/** The pause after the first probe of a call that settled nothing, milliseconds; it doubles up to the longest. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 300_000;
/** Probes at once. */
const PROBES_MAX = 4;
const PROBE = 'probe';
/** The declaration of a probe is what allows it: no rule, limit or budget speaks of it. */
const DECLARED: Decision = { effect: 'allow', code: 'allowed', rules: [], explanation: '', retryable: false };

/** What stops a probe too; that the caller may not know the tool does not. */
const STOPPING: ReadonlySet<Code> = new Set<Code>(['policy-invalid', 'unknown-principal', 'kill-switch', 'clock-jump']);

interface Attention {
  /** When the unknown attempt was first seen here. */
  readonly monotonic: number;
  next: number;
  pause: number;
}

/** `one` looks into the call of `row` unless it did just now; `all` into those whose time has come. */
export interface Prober {
  one(policy: Policy, row: CallRow): Promise<void>;
  all(policy: Policy): Promise<void>;
}

export function prober(
  ledger: Ledger,
  around: Surroundings,
  sending: Sending,
  isOurs: (call: string) => boolean,
): Prober {
  const attention = new Map<string, Attention>();
  const under = new Map<string, Promise<void>>();
  const look = async (policy: Policy, row: CallRow, seen: Attention): Promise<void> => {
    try {
      if (around.reach !== undefined)
        await probeCall({ ledger, around, reach: around.reach, sending, isOurs, policy }, row, seen);
    } catch (error) {
      // What the ledger refuses now is asked again later.
      if (!(error instanceof LedgerError)) throw error;
    } finally {
      under.delete(row.attempt);
    }
  };
  const start = (policy: Policy, row: CallRow, everyMs: number): Promise<void> => {
    const running = under.get(row.attempt);
    if (running !== undefined) return running;
    const now = around.world.monotonic();
    const fresh = { monotonic: now, next: now, pause: FIRST_PAUSE_MS };
    const seen = attention.get(row.attempt) ?? fresh;
    attention.set(row.attempt, seen);
    if (now < Math.min(seen.next, seen.next - seen.pause + everyMs)) return Promise.resolve();
    seen.pause = Math.min(seen.pause * 2, LONGEST_PAUSE_MS);
    seen.next = now + seen.pause;
    const probing = look(policy, row, seen);
    under.set(row.attempt, probing);
    return probing;
  };
  return {
    one: (policy, row) => start(policy, row, FIRST_PAUSE_MS),
    all: async (policy) => {
      const rows = await ledger.unsettled('unknown');
      const open = new Set(rows.map(({ attempt }) => attempt));
      for (const attempt of attention.keys()) if (!open.has(attempt)) attention.delete(attempt);
      const probed = rows.filter((row) => policy.tools.get(row.tool)?.probe !== undefined && !under.has(row.attempt));
      const due = probed.filter(({ attempt }) => (attention.get(attempt)?.next ?? 0) <= around.world.monotonic());
      await Promise.all(due.slice(0, PROBES_MAX).map((row) => start(policy, row, Number.POSITIVE_INFINITY)));
    },
  };
}

interface Probing {
  readonly ledger: Ledger;
  readonly around: Surroundings;
  readonly reach: Reach;
  readonly sending: Sending;
  readonly isOurs: (call: string) => boolean;
  readonly policy: Policy;
}

/** Asks once. What errs, cannot be reached or is no plain yes or no settles nothing. */
async function probeCall(probing: Probing, row: CallRow, seen: Attention): Promise<void> {
  const { ledger, around, policy, reach } = probing;
  const request = await recordedRequest(ledger, row);
  const probe = request === undefined ? undefined : probeOf(policy, request);
  if (request === undefined || probe?.ok !== true) return;
  const reached = reach(probe.tool);
  if (reached === undefined) return;
  const isLate = mayBeOver(probing, row, seen) && (await isAbandoned(ledger, row, probing.isOurs));
  const dispatch = await intendProbe(
    probing,
    row,
    { ...request, tool: probe.tool, args: probe.args },
    reached.timeoutMs,
  );
  if (dispatch === undefined) return;
  const performed = await dispatchCall(around.world, probing.sending, reached.perform, dispatch);
  const answer = await recordOutcome(ledger, around, dispatch, performed);
  if (performed.kind !== 'succeeded' || answer.state !== 'succeeded') return;
  const subjects = await subjectsOfRow(ledger, row);
  const executed = probeSays(policy, request, performed.output);
  if (executed === undefined || (!executed && !isLate)) return;
  const kept = keptOutput(around, policy, { tool: probe.tool, secrets: dispatch.secrets }, performed.output);
  await ledger.transact({ call: row.id }, ({ call: now }): Composition<void> => {
    if (now?.state !== 'unknown' || now.attempt !== row.attempt) return { result: undefined };
    const reason = `${probe.tool} (call ${dispatch.call}) says that it was ${executed ? '' : 'not '}executed`;
    const found = executed ? ({ as: 'executed', output: kept } as const) : ({ as: 'not-executed' } as const);
    return { writes: settledWrites(around, now, { ...found, by: PROBE, reason }, subjects), result: undefined };
  });
}

/**
 * Whether the effect can no longer arrive: this process has known the call as unknown for the tool's `effectTimeout`. On
 * the monotonic clock alone, because a wall clock that jumped before would tell that it is over.
 */
function mayBeOver({ policy, around: { world } }: Probing, row: CallRow, seen: Attention): boolean {
  const timeoutMs = policy.tools.get(row.tool)?.effectTimeoutMs;
  return timeoutMs !== undefined && world.monotonic() - seen.monotonic >= timeoutMs;
}

/** What was decided when the call was sent, from its intent. */
async function recordedRequest(ledger: Ledger, row: CallRow): Promise<Request | undefined> {
  const entry = row.intent === undefined ? undefined : await ledger.entry(row.intent);
  if (entry?.type !== 'call.intent' || entry['attempt'] !== row.attempt) return undefined;
  const args = await recordedArgs(ledger, row.intent ?? row.position, entry['args']);
  if (!isJsonObject(args)) return undefined;
  const now = parseInstant(entry.at) ?? 0;
  const call = { id: row.id, attempt: row.attempts, key: '' };
  const run = { id: runOf(entry), depth: 0 };
  return { principal: row.principal, tool: row.tool, args, call, run, now };
}

/** Makes the intent of a probe durable, unless a kill switch, a schema or a guard is in its way. */
async function intendProbe(
  { ledger, around, policy }: Probing,
  row: CallRow,
  asked: Request,
  timeoutMs: number,
): Promise<Dispatch | undefined> {
  const { world, vault, instance } = around;
  const [call, attempt, startedAt] = [newId(world), newId(world), world.monotonic()];
  const proposed: Request = { ...asked, call: { id: call, attempt: 1, key: '' }, now: world.now() };
  const guarded = await guard(around, policy, proposed);
  if (!guarded.ok || admitArguments(policy, proposed) !== undefined) return undefined;
  const request = { ...proposed, args: guarded.args };
  const basis = basisOf({ policy }, [request.tool], around.recorded);
  const known = await subjectsOfRow(ledger, row);
  return ledger.transact(
    withBasisReads({ call: row.id, facts: needs(policy, request) }, basis),
    (facts): Composition<Dispatch | undefined> => {
      if (facts.call?.state !== 'unknown' || facts.call.attempt !== row.attempt) return { result: undefined };
      const refused = admitCaller(policy, request, facts.values);
      if (refused !== undefined && STOPPING.has(refused.code)) return { result: undefined };
      if (admitPin(policy, request, facts.values) !== undefined) return { result: undefined };
      const trust = firstTrust(world, policy, request.tool, facts);
      const deadline = facts.at + timeoutMs;
      // What is found out of a call is about the same people.
      const { claims, declared } = personalDataOf(vault, policy, request);
      const personal = { claims, more: known, declared };
      const secrets = secretsIn(around, policy, request);
      const recorded = recordArgs(vault, call, request.args, personal, secrets);
      const definition = policy.tools.get(request.tool)?.definition.digest;
      const entry = intentDraft(world, {
        call,
        attempt,
        instance,
        deadlineMs: deadline,
        principal: request.principal,
        run: { id: request.run.id },
        keys: [],
        tool: { name: request.tool, effect: 'read', ...(definition === undefined ? {} : { definition }) },
        policy: policy.digest,
        decision: DECLARED,
        layers: madeWith(policy),
        args: recorded.value,
        subject: personal.claims,
        about: { probes: row.id },
      });
      const times = { deadline, monotonicDeadline: startedAt + timeoutMs };
      const { args } = request;
      return withBasis(world, basis, facts, {
        writes: { entries: [...trust, entry], bodies: recorded.bodies },
        result: {
          kind: 'dispatch',
          call,
          attempt,
          ...times,
          args,
          policy,
          request,
          decision: DECLARED,
          mayHaveHappened: false,
          subjects: recorded.subjects,
          secrets,
          declared,
          isAskable: false,
        },
      });
    },
  );
}
