/** Decides a prepared proposal under the write lock, from what the ledger says at that moment. */

import type { EntryDraft } from '../ledger/entry.ts';
import type { CallRow, Composition, Facts, Reads } from '../ledger/ledger.ts';
import { isHidden } from '../ledger/recorded.ts';
import type { Policy } from '../policy/compile.ts';
import {
  type DeclaredPersonal,
  type FactValues,
  admitCaller,
  admitPin,
  charge,
  judge,
  needs,
  subjectCheckOf,
  withFacts,
} from '../policy/decide/decide.ts';
import { isCapable } from '../policy/decide/capability.ts';
import type { Decision, Request } from '../policy/decide/decision.ts';
import type { JsonObject } from '../value/json.ts';
import { approvalsOf, approvalOf, reasonsToElicit } from './claim.ts';
import { deniedDraft, draft, intentDraft, parkedDraft, runFields } from './draft.ts';
import { EXCEPTION_VERSION } from './exception.ts';
import { existing, fingerprint } from './existing.ts';
import type { Admits } from './flood.ts';
import { hidesResults } from './hidden.ts';
import { type Seen, clauseFields, layerFields, shadowNeeds } from './layers.ts';
import { personalDataOf, recordArgs, sealBody } from './personal.ts';
import { type Checked, type Prepared, type Surroundings, requestOf } from './prepare.ts';
import { firstTrust } from './pin.ts';
import { isResent, withoutOwn } from './resent.ts';
import { type Secrets, textWithoutSecrets } from './secret.ts';
import { denial } from './sentence.ts';

/** What became of a proposal once its entry is durable. */
export type Verdict =
  | {
      readonly kind: 'denied';
      readonly decision: Decision;
      readonly about?: CallRow;
      /** Where other arguments might be allowed: which, is told after the lock is given back. */
      readonly turnable?: Turnable;
    }
  | { readonly kind: 'existing'; readonly row: CallRow }
  | {
      readonly kind: 'parked';
      readonly call: string;
      readonly decision: Decision;
      readonly expires: number;
      /** Set where the person at the caller's host may answer: why it is asked. */
      readonly elicit?: readonly string[];
    }
  /** Other facts are needed than were read: a window began meanwhile. Nothing was written. */
  | { readonly kind: 'again'; readonly at: number }
  /** The subject that it names is to be checked first. Nothing was written. */
  | { readonly kind: 'unchecked'; readonly policy: Policy }
  /** Other exceptions are in force than the proposal was prepared with. Nothing was written. */
  | { readonly kind: 'stale' }
  | Dispatch;

type Denial = Composition<Extract<Verdict, { readonly kind: 'denied' }>>;

/** What `withNearest` needs beside the decision. */
export interface Turnable {
  readonly policy: Policy;
  readonly request: Request;
  readonly facts: FactValues;
}

/** The one permission to send, for exactly these arguments. */
export interface Dispatch {
  readonly kind: 'dispatch';
  readonly call: string;
  readonly attempt: string;
  /** Past either of them nothing is sent: wall clock and monotonic clock, milliseconds. */
  readonly deadline: number;
  readonly monotonicDeadline: number;
  readonly args: JsonObject;
  /** Members of the request's `_meta` that go along. */
  readonly meta?: JsonObject;
  /** What was decided, to settle its cost once the outcome is known. */
  readonly policy: Policy;
  readonly request: Request;
  readonly decision: Decision;
  /** An attempt before this one may have had the effect: that this one did not start does not say that nothing happened. */
  readonly mayHaveHappened: boolean;
  /** Under whose keys the outcome is sealed, beside those of whoever is found in it. */
  readonly subjects: readonly string[];
  readonly secrets: Secrets;
  /** What is personal of the arguments because somebody said so, and not by its form. */
  readonly declared: DeclaredPersonal;
  /** Somebody may ask for the result again, or refer to what is hidden of it. */
  readonly isAskable: boolean;
}

/** What `composeCall` must see of the ledger when it decides at `at`, milliseconds since the epoch. */
export function readsOf(prepared: Prepared, at: number): Reads {
  const { proposal, state, keys } = prepared;
  if (state.kind === 'invalid' || prepared.refused?.code === 'malformed') return {};
  const request = requestOf(proposal, prepared.call, at);
  const facts = [
    ...new Set([EXCEPTION_VERSION, ...needs(state.policy, request), ...shadowNeeds(state.shadow, request)]),
  ];
  if (prepared.refused !== undefined) return { facts };
  const call = prepared.again === undefined ? {} : { call: prepared.again.call };
  if (keys.length > 0) return { keys, facts, ...call };
  if (prepared.reads) return { facts, ...call };
  return { open: { principal: proposal.principal, tool: proposal.tool }, facts, ...call };
}

/** Where a proposal is decided. */
export interface Bench extends Surroundings {
  /** Whether its denial is recorded or only counted. */
  readonly admits: Admits;
}

/** The gates in the order of docs/policy.md, from the kill switch on; `prepared.refused` is the first before the keys. */
export function composeCall(
  around: Bench,
  prepared: Prepared,
  facts: Facts,
  read: ReadonlySet<string>,
): Composition<Verdict> {
  const { proposal, state } = prepared;
  const proposed = requestOf(proposal, prepared.call, facts.at);
  const first: Seen = { request: proposed, facts, read };
  if (prepared.refused?.code === 'malformed') return deny(around, prepared, first, prepared.refused);
  if (state.kind === 'invalid') return deny(around, prepared, first, denial('policy-invalid', state.message));
  const { policy, excepted } = state;
  const version = facts.values.get(EXCEPTION_VERSION) ?? 0;
  if (version !== (excepted?.version ?? 0) || facts.at >= (excepted?.until ?? Number.POSITIVE_INFINITY)) {
    return { result: { kind: 'stale' } };
  }

  if (!needs(policy, proposed).every((key) => read.has(key))) return { result: { kind: 'again', at: facts.at } };
  const refused = refusalOf(policy, proposed, facts.values, prepared.refused);
  if (refused !== undefined) return deny(around, prepared, first, refused);

  const found = existing(around, prepared, facts);
  if (found.kind === 'refused') return deny(around, prepared, first, found.decision, found.row);
  if (found.kind === 'answer') return { result: { kind: 'existing', row: found.row } };

  if (proposal.program !== undefined && !isCapable(policy, proposal.program.capability)) {
    const sentence = `${proposal.tool} is denied: what the run may do is not what it was when it started`;
    return deny(around, prepared, first, denial('contract-violation', sentence));
  }
  if (!prepared.guarded.ok) {
    const { argument, reason } = prepared.guarded;
    const sentence = `${proposal.tool} is denied: its argument \`${argument}\` is refused, ${reason}`;
    return deny(around, prepared, first, denial('guard-refused', sentence));
  }
  const { problem } = prepared.secrets.guarded;
  if (problem !== undefined) {
    const sentence = `${proposal.tool} is denied: its arguments cannot be searched for secrets, ${problem}`;
    return deny(around, prepared, first, denial('guard-refused', sentence));
  }
  const earlier = found.kind === 'none' ? undefined : found.row;
  // The log's time never goes back: after a clock that did, an intent could be void before it is written.
  const isLate = facts.at >= (prepared.again?.until?.wall ?? Number.POSITIVE_INFINITY);
  if (isLate && earlier !== undefined) return { result: { kind: 'existing', row: earlier } };
  // Another attempt of a call is decided under the id that its entry has.
  const call = earlier === undefined ? proposed.call : { ...proposed.call, id: earlier.id };
  const request = { ...proposed, args: prepared.guarded.args, call };
  const values = isResent(earlier) ? withoutOwn(facts.values, earlier, facts.at) : facts.values;
  const judged = judge(policy, request, values);
  const approved = found.kind === 'parked' ? approvalsOf(around, { policy, request }, found.row) : undefined;
  const trust = firstTrust(around.world, policy, proposal.tool, facts);
  const charged = charge(policy, request, values, { judged, ...(approved === undefined ? {} : { approved }) });
  const isChecked = charged.effect === 'deny' || subjectCheckOf(policy, request) === undefined;
  if (!isChecked && prepared.checked === undefined) return { result: { kind: 'unchecked', policy } };
  const decision = isChecked ? charged : afterCheck(charged, request.tool, prepared.checked);
  const seen: Seen = { request, facts: { ...facts, values }, read, approved, isJudged: true };
  const layers = layerFields(state, decision, seen);
  if (decision.effect === 'allow')
    return intend(around, prepared, { policy, request, decision, layers, facts: seen.facts, trust, earlier });
  if (found.kind === 'parked') return stillParked(around, prepared, { policy, decision, row: found.row }, seen);
  // Nobody asked for this attempt: where it is not simply allowed any more, what is known stands.
  if (prepared.again !== undefined && earlier !== undefined) return { result: { kind: 'existing', row: earlier } };
  if (decision.effect === 'deny') {
    const denied = deny(around, prepared, seen, decision);
    return { ...denied, result: { ...denied.result, turnable: { policy, request, facts: values } } };
  }
  return park(around, prepared, { policy, request, decision, layers, facts: seen.facts, trust, earlier });
}

/** A claim that was refused stops what the rules would let through. */
function afterCheck(decision: Decision, tool: string, checked: Checked | undefined): Decision {
  if (checked?.refused === undefined) return decision;
  const sentence = `${tool} is denied: the subject that it names is not confirmed, ${checked.refused}`;
  return denial('obligation-failed', sentence);
}

/** The gates before the keys, with what the ledger says now; `early` is what they said before it was read. */
function refusalOf(
  policy: Policy,
  request: Request,
  facts: FactValues,
  early: Decision | undefined,
): Decision | undefined {
  const caller = admitCaller(policy, request, facts);
  // A server that is away is told before a tool that is unknown only because it is.
  const isAway = early?.code === 'upstream-unavailable' && (caller === undefined || caller.code === 'unknown-tool');
  return isAway ? early : (caller ?? admitPin(policy, request, facts) ?? early);
}

/** What was decided, of what. `earlier` is the call's row when this is not its first entry. */
interface Decided {
  readonly policy: Policy;
  readonly request: Request;
  readonly decision: Decision;
  readonly layers: JsonObject;
  readonly facts: Facts;
  /** What the first use of a tool is written with. */
  readonly trust: readonly EntryDraft[];
  readonly earlier: CallRow | undefined;
}

function common(around: Surroundings, prepared: Prepared, decided: Decided) {
  const { policy, request, decision, facts, earlier } = decided;
  const { proposal } = prepared;
  const call = earlier?.id ?? prepared.call;
  const personal = personalDataOf(around.vault, policy, request, proposal.opened);
  const secrets = secretsFor(prepared, request.args);
  const recorded = recordArgs(around.vault, call, request.args, personal, secrets);
  const tool = policy.tools.get(proposal.tool);
  const definition = tool?.definition.digest;
  const layers = { ...decided.layers, ...clauseFields(policy, request, facts.values, recorded.value) };
  return {
    fields: {
      call,
      principal: proposal.principal,
      run: runFields(proposal),
      // A new entry keeps every key of the call, those that this proposal does not name included.
      keys: [...new Set([...(earlier?.keys ?? []), ...prepared.keys])],
      decision,
      layers,
      policy: policy.digest,
      tool: {
        name: proposal.tool,
        effect: tool?.effect ?? 'irreversible',
        ...(definition === undefined ? {} : { definition }),
      },
      args: recorded.value,
      subject: personal.claims,
      checked: prepared.checked?.call,
    },
    recorded,
    secrets,
    declared: personal.declared,
    bodies: recorded.bodies,
    // A parked call keeps the one it has: what it goes on with may be what a guard made of the arguments.
    fingerprints:
      earlier?.state === 'parked'
        ? []
        : [{ call, salt: prepared.salt, mac: fingerprint(around, prepared, prepared.salt) }],
  };
}

/** Arguments that no guard has changed are those that were proposed. */
function secretsFor({ proposal, secrets }: Prepared, args: JsonObject): Secrets {
  return args === proposal.args ? secrets.proposed : secrets.guarded;
}

function intend(around: Surroundings, prepared: Prepared, decided: Decided): Composition<Verdict> {
  const { attempt, proposal, startedAt, again } = prepared;
  const { policy, request, decision, earlier } = decided;
  const { fields, bodies, fingerprints, recorded, secrets, declared } = common(around, prepared, decided);
  const { wall, monotonic } = again?.until ?? {
    wall: request.now + proposal.timeoutMs,
    monotonic: startedAt + proposal.timeoutMs,
  };
  const key = keyFor(around, decided, fields.call);
  const about = {
    ...(isResent(earlier) ? { resends: earlier.attempt } : {}),
    ...(key === undefined ? {} : { downstreamKey: key.recorded }),
  };
  const entry = intentDraft(around.world, { ...fields, attempt, instance: around.instance, deadlineMs: wall, about });
  const { args = request.args, meta } = key ?? {};
  return {
    writes: { entries: [...decided.trust, entry], bodies, fingerprints },
    result: {
      kind: 'dispatch',
      call: fields.call,
      attempt,
      deadline: wall,
      monotonicDeadline: monotonic,
      args,
      ...(meta === undefined ? {} : { meta }),
      policy,
      request,
      decision,
      mayHaveHappened: mayHaveHappened(policy, request, earlier),
      subjects: recorded.subjects,
      secrets,
      declared,
      isAskable: fields.keys.length > 0 || hidesResults(policy),
    },
  };
}

function mayHaveHappened(policy: Policy, request: Request, earlier: CallRow | undefined): boolean {
  const tool = policy.tools.get(request.tool);
  if (earlier?.state === 'failed') return tool?.failedHasNoEffect !== true;
  return earlier?.state === 'unknown' && tool?.effect !== 'read';
}

/** The tool's own key of the call, the same for all of its attempts, and where it goes. Nobody can guess it. */
function keyFor(
  { vault }: Surroundings,
  { policy, request }: Decided,
  call: string,
): { readonly recorded: JsonObject; readonly args?: JsonObject; readonly meta?: JsonObject } | undefined {
  const place = policy.tools.get(request.tool)?.downstreamKey;
  if (place === undefined) return undefined;
  const key = { [place.name]: vault.keyHmac('downstream', call) };
  const recorded = { [place.in]: place.name, key: key[place.name] ?? '' };
  return place.in === 'arg' ? { recorded, args: { ...request.args, ...key } } : { recorded, meta: key };
}

/** Asks: the call waits, holding its keys, until its approval is given, refused or has expired. */
function park(around: Surroundings, prepared: Prepared, decided: Decided): Composition<Verdict> {
  const { fields, bodies, fingerprints, recorded, secrets } = common(around, prepared, decided);
  const salt = isHidden(fields.args) ? prepared.salt : undefined;
  const { expires, approval } = approvalOf(around, decided, fields.call, salt);
  const { call } = fields;
  // What is secret goes on from here, and lies under a key of the call alone until it does.
  const live =
    secrets.places.size === 0
      ? undefined
      : sealBody(around.vault, call, 'live', { value: decided.request.args }, [call, ...recorded.subjects]);
  const entry = parkedDraft(around.world, { ...fields, approval, ...(live === undefined ? {} : { live: live.value }) });
  return {
    writes: { entries: [...decided.trust, entry], bodies: [...bodies, ...(live?.bodies ?? [])], fingerprints },
    result: parked(decided, fields.call, expires),
  };
}

function stillParked(
  around: Bench,
  prepared: Prepared,
  { policy, decision, row }: { readonly policy: Policy; readonly decision: Decision; readonly row: CallRow },
  seen: Seen,
): Composition<Verdict> {
  if (seen.facts.at >= row.deadline || decision.code === 'approval-expired') {
    const expired = denial('approval-expired', `the approval of call ${row.id} was not given in time`);
    const entry = draft(around.world, 'call.expired', { call: row.id });
    return { writes: { entries: [entry] }, result: { kind: 'denied', decision: expired, about: row } };
  }
  // Nobody waits for it, so what only comes too early is no news: it is looked at again.
  if (decision.retryable && prepared.again?.unattended === true) return { result: { kind: 'existing', row } };
  if (decision.effect === 'deny') return deny(around, prepared, seen, decision, row);
  return { result: parked({ policy, request: seen.request, decision }, row.id, row.deadline) };
}

function parked(asked: Parameters<typeof reasonsToElicit>[0], call: string, expires: number): Verdict {
  const elicit = reasonsToElicit(asked);
  return { kind: 'parked', call, decision: asked.decision, expires, ...(elicit === undefined ? {} : { elicit }) };
}

/** It changes nothing but the log; where that has enough of its kind, not even that. */
function deny(around: Bench, prepared: Prepared, seen: Seen, decision: Decision, about?: CallRow): Denial {
  const { proposal, state, call } = prepared;
  const loaded = state.kind === 'loaded' ? state : undefined;
  const { facts, request } = seen;
  const { principal, tool } = proposal;
  const secrets = secretsFor(prepared, request.args);
  const clean = (text: string): string => textWithoutSecrets(around, loaded?.policy, secrets, text);
  // A tool that nobody declared may be named anything.
  const named = loaded?.policy.tools.has(tool) === true ? tool : clean(tool);
  const told = { ...decision, explanation: clean(decision.explanation) };
  const result = { kind: 'denied', decision: told, ...(about === undefined ? {} : { about }) } as const;
  if (!around.admits({ principal, code: decision.code, tool: named }, facts.at)) return { result };
  const personal = personalDataOf(around.vault, loaded?.policy, request, proposal.opened);
  const recorded = recordArgs(around.vault, call, request.args, personal, secrets);
  const isJudged = seen.isJudged === true && loaded !== undefined;
  const clauses = isJudged ? clauseFields(loaded.policy, request, facts.values, recorded.value) : {};
  const entry = deniedDraft(around.world, {
    call,
    decision: loaded === undefined ? decision : withFacts(loaded.policy, request, facts.values, decision),
    principal,
    run: runFields(proposal),
    tool: named,
    definition: loaded?.policy.tools.get(tool)?.definition.digest,
    policy: loaded?.policy.digest,
    layers: { ...layerFields(loaded, decision, seen), ...clauses },
    args: recorded.value,
    subject: personal.claims,
    checked: prepared.checked?.call,
  });
  return { writes: { entries: [entry], bodies: recorded.bodies }, result };
}
