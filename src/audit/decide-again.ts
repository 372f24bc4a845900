/** Decides a recorded call again, from the log alone, and compares everything that its entry says of the decision. */

import { approvalOf, approvalsOf } from '../authority/claim.ts';
import { policyFields, reservationFields } from '../authority/draft.ts';
import { type StandingExceptions, exceptedAt } from '../authority/exception.ts';
import { type ShadowState, TOO_MANY, clauseFields, layerFields, shadowNeeds } from '../authority/layers.ts';
import { isResent, withoutOwn } from '../authority/resent.ts';
import { hasReferences } from '../authority/reference.ts';
import { stepOf } from '../authority/asked.ts';
import type { CallRow } from '../ledger/ledger.ts';
import { hasSecrets, hiddenPlacesIn, isHidden } from '../ledger/recorded.ts';
import type { Policy } from '../policy/compile.ts';
import {
  type Approval,
  type FactValues,
  admit,
  admitArguments,
  admitCaller,
  admitPin,
  charge,
  decide,
  keyOf,
  needs,
  subjectCheckOf,
  withClauses,
  withFacts,
} from '../policy/decide/decide.ts';
import { type Capability, isCapable } from '../policy/decide/capability.ts';
import type { Decision } from '../policy/decide/decision.ts';
import type { JsonObject } from '../value/json.ts';
import type { RecordedPolicies } from './policies.ts';
import { type DeepCode, difference, isSame, member, textOf, told } from './problem.ts';
import type { RecordedCall } from './recorded-call.ts';

/** What the entries before a decision come to. */
export interface Past {
  readonly log: string;
  /** The facts under `keys` at a time, milliseconds since the epoch; those that are 0 left out. */
  readonly values: (keys: readonly string[], at: number) => FactValues;
  /** With its salt, where that is kept. */
  readonly call: (id: string) => CallRow | undefined;
  /** What approvals of the call are bound under where some of its arguments are sealed; absent once it is gone. */
  readonly salt: (id: string) => Uint8Array | undefined;
  readonly policies: RecordedPolicies;
  readonly standing: StandingExceptions;
  /** What a run of a program may do, while it is under way. */
  readonly capability: (run: string) => Capability | undefined;
}

export type Again =
  | { readonly kind: 'same' }
  | { readonly kind: 'attested'; readonly why: string }
  | { readonly kind: 'wrong'; readonly code: DeepCode; readonly message: string };

/** Decided by what only the world knew: the gates before them are looked at, and their answer is taken. */
const WORLD: Readonly<Record<string, string>> = {
  'upstream-unavailable': 'whether its server could be reached',
  'guard-refused': 'where its paths or references led',
  'key-conflict': 'which call its key belonged to',
  'key-taken': 'whose its key was',
  'twin-unsettled': 'which calls were equal',
  erased: 'what its references led to',
};

const SAME: Again = { kind: 'same' };

/** Whether the decision of `recorded` is the one that its policy gives. `hasArgs`: its arguments are known. */
export function decideAgain(recorded: RecordedCall, past: Past, hasArgs: boolean): Again {
  const under = underOf(recorded, past);
  if ('kind' in under) return under;
  const differing = compare(recorded, past, under);
  // What clauses said of arguments that are gone cannot be the same but by chance.
  const isBlind = !hasArgs && recorded.said['clauses'] !== undefined && differing.kind === 'same';
  if (differing.kind !== 'wrong' && !isBlind) return differing;
  if (isUnbound(recorded, past)) return attested('what its approval is bound to is gone');
  if (!hasArgs) return decideByClauses(recorded, past, under);
  // The caller's key is kept as HMAC only.
  if (readsKey(under.policy, recorded.request.tool)) return attested('a condition read the key of the call');
  return differing;
}

/** Whether an approval is bound to arguments that are sealed, under a salt that is gone: no digest can tell of them. */
export function isUnbound({ entry, request: { call } }: RecordedCall, { call: rowOf, salt }: Past): boolean {
  if (!isHidden(entry['args'] ?? {})) return false;
  const isAsked = entry.type === 'call.parked' || rowOf(call.id)?.approval !== undefined;
  return isAsked && salt(call.id) === undefined;
}

/** What a decision was made under. */
export interface Under {
  readonly policy: Policy;
  readonly shadow?: ShadowState;
  readonly loaded: Parameters<typeof layerFields>[0];
  readonly facts: FactValues;
  readonly read: ReadonlySet<string>;
}

export function underOf({ entry, request, said, code }: RecordedCall, past: Past): Under | Again {
  const { digest, tools, shadow } = said;
  if (typeof digest !== 'string') {
    if (code === 'policy-invalid' || code === 'malformed') return attested('no policy was in force');
    return wrong('decision-unfounded', 'expected the digest of the policy it was made under');
  }
  if (code === 'malformed') return attested('it was no call');
  const catalog = typeof tools === 'string' ? tools : '';
  const own = past.policies.policy(digest, catalog, request.tool);
  if (own === undefined) return wrong('decision-unfounded', `the log does not hold the policy ${told(digest)}`);
  const among = { standing: past.standing, signers: own.configuration, log: past.log };
  const { policy, exceptions, until } = exceptedAt(own, among, request.now);
  const beside = member(shadow, 'digest');
  const second =
    typeof beside === 'string' ? past.policies.shadow(own.configuration, beside, catalog, request.tool) : undefined;
  if (typeof beside === 'string' && second === undefined) {
    return wrong('decision-unfounded', `the log does not hold the shadow ${told(beside)}`);
  }
  const state: ShadowState | undefined =
    second === undefined ? undefined : { kind: 'loaded', policy: exceptedAt(second, among, request.now).policy };
  const excepted = { version: past.standing.version, until, exceptions };
  const loaded = { policy, excepted, ...(state === undefined ? {} : { shadow: state }) };
  const read = new Set([...needs(policy, request), ...shadowNeeds(state, request)]);
  const before = factsBefore(past, policy, request.tool, [...read], request.now, said);
  const row = past.call(request.call.id);
  const facts = entry.type === 'call.intent' && isResent(row) ? withoutOwn(before, row, request.now) : before;
  return { policy, ...(state === undefined ? {} : { shadow: state }), loaded, facts, read };
}

/** The entry that trusts a tool may stand before the first decision about it, which did not know of it. */
function factsBefore(
  past: Past,
  policy: Policy,
  tool: string,
  keys: readonly string[],
  at: number,
  said: JsonObject,
): FactValues {
  const values = past.values(keys, at);
  const trustKey = policy.tools.get(tool)?.pin.trustKey;
  if (trustKey === undefined || values.get(trustKey) !== 1) return values;
  if (member(said['facts'], trustKey) !== undefined) return values;
  const before = new Map(values);
  before.delete(trustKey);
  return before;
}

function compare(recorded: RecordedCall, past: Past, under: Under): Again {
  const { entry, request, said } = recorded;
  const world = WORLD[recorded.code];
  if (typeof entry['probes'] === 'string') return compareProbe(recorded, past, under, entry['probes']);
  if (world !== undefined && recorded.effect === 'deny') return compareWorld(recorded, under, world);
  const contract = compareCapability(recorded, past, under);
  if (contract !== undefined) return contract;
  if (isRefusedByCheck(recorded, under)) return compareWorld(recorded, under, 'whether its subject was confirmed');
  const unchecked = checkMisfit(recorded, past, under);
  if (unchecked !== undefined) return unchecked;
  const row = past.call(request.call.id);
  const approved =
    entry.type === 'call.intent' && row?.state === 'parked' ? approvalsOf(past, { ...under, request }, row) : undefined;
  const { decision, taken } = decisionOf(recorded, under, approved);
  const layers = { ...layersOf(recorded, under, decision, approved), ...clausesOf(recorded, under) };
  const reserved = entry.type === 'call.intent' ? reservationFields(decision) : {};
  const expected = { ...policyFields(under.policy.digest, decision, layers), ...reserved };
  const differing = difference(expected, said);
  if (differing !== undefined) return differs(differing, expected, recorded);
  if (entry.type !== TYPES[decision.effect]) {
    return wrong('decision-wrong', `\`${entry.type}\` records a decision that is ${decision.effect}`);
  }
  return compareTool(recorded, under) ?? compareQuestion(recorded, past, { ...under, decision }) ?? taken;
}

/** What a run may do is what it was when it started, or its call is denied for that and nothing else. */
function compareCapability(recorded: RecordedCall, past: Past, under: Under): Again | undefined {
  const { entry, request, code } = recorded;
  const isDenied = code === VIOLATION && recorded.effect === 'deny';
  const capability = stepOf(entry) === undefined ? undefined : past.capability(request.run.id);
  if (capability === undefined) return isDenied ? attested('its run is not under way any more') : undefined;
  if (isDenied) {
    if (isCapable(under.policy, capability)) {
      return wrong('decision-wrong', `expected another decision: what the run may do has not changed`);
    }
    const gates = compareWorld(recorded, under, '');
    return gates.kind === 'attested' ? SAME : gates;
  }
  const isPast = admit(under.policy, request, under.facts) === undefined && keyOf(under.policy, request).ok;
  if (!isPast || isCapable(under.policy, capability)) return undefined;
  return wrong('decision-wrong', `expected ${told(VIOLATION)}: what the run may do has changed, got ${told(code)}`);
}

const VIOLATION = 'contract-violation';

/** A denial after a tool did not confirm the subject. */
function isRefusedByCheck({ request, code, effect }: RecordedCall, { policy, facts }: Under): boolean {
  if (effect !== 'deny' || code !== 'obligation-failed' || subjectCheckOf(policy, request) === undefined) return false;
  return decide(policy, request, facts).effect !== 'deny';
}

/** What was let through although its subject is to be checked names the call that confirmed it. */
function checkMisfit({ request, entry, effect }: RecordedCall, past: Past, { policy }: Under): Again | undefined {
  const check = effect === 'deny' ? undefined : subjectCheckOf(policy, request);
  if (check === undefined) return undefined;
  const row = past.call(textOf(entry['checked']));
  if (row?.tool === check.tool && row.state === 'succeeded' && row.principal === request.principal) return undefined;
  return wrong(
    'decision-wrong',
    `expected a call of ${told(check.tool)} that confirmed the subject, got ${told(entry['checked'])}`,
  );
}

const TYPES = { allow: 'call.intent', ask: 'call.parked', deny: 'call.denied' } as const;

/** What is decided now. Arguments that a guard resolved were checked before that: as they came they are not recorded. */
function decisionOf(
  { request, code }: RecordedCall,
  { policy, facts }: Under,
  approved: readonly Approval[] | undefined,
): { readonly decision: Decision; readonly taken: Again } {
  const options = approved === undefined ? {} : { approved };
  const decision = decide(policy, request, facts, options);
  const isEarly = decision.code === 'schema-mismatch' || decision.code === 'obligation-failed';
  if (!isEarly || decision.code === code || policy.tools.get(request.tool)?.guard === undefined) {
    return { decision, taken: SAME };
  }
  return {
    decision: charge(policy, request, facts, options),
    taken: attested('its arguments were checked before its paths were resolved'),
  };
}

/** A shadow that said why it could not be asked is believed: it never counts. */
function layersOf(
  { request, said }: RecordedCall,
  { loaded, facts, read }: Under,
  decision: Decision,
  approved: readonly Approval[] | undefined,
): JsonObject {
  const seen = { at: request.now, keys: new Map(), open: [], values: facts };
  const layers = layerFields(loaded, decision, { request, facts: seen, read, approved });
  const failed = member(said['shadow'], 'error');
  return failed === undefined ? layers : { ...layers, shadow: said['shadow'] ?? null };
}

const CODE_OF: Readonly<Record<string, DeepCode>> = {
  facts: 'decision-facts',
  reserved: 'decision-reservation',
  rates: 'decision-reservation',
  slots: 'decision-reservation',
  effectTimeoutMs: 'decision-reservation',
  lock: 'decision-layers',
  tools: 'decision-layers',
  shadow: 'decision-layers',
  clauses: 'decision-facts',
  exceptions: 'decision-layers',
};

function differs(name: string, expected: JsonObject, { said, request }: RecordedCall): Again {
  const code = CODE_OF[name] ?? 'decision-wrong';
  const isVerdict = name === 'effect' || name === 'code' || name === 'rules';
  const what = isVerdict ? 'the decision' : `\`${name}\` of the decision`;
  const of = (fields: JsonObject): string =>
    isVerdict
      ? told(`${textOf(fields['effect'])} ${textOf(fields['code'])} ${JSON.stringify(fields['rules'])}`)
      : told(member(fields, name));
  return wrong(code, `expected ${what} about ${told(request.tool)} to be ${of(expected)}, got ${of(said)}`);
}

function compareTool({ entry, request }: RecordedCall, { policy }: Under): Again | undefined {
  const tool = policy.tools.get(request.tool);
  const definition = tool?.definition.digest;
  const effect = entry.type === 'call.denied' ? {} : { effect: tool?.effect ?? 'irreversible' };
  const expected = { name: request.tool, ...effect, ...(definition === undefined ? {} : { definition }) };
  if (isSame(expected, entry['tool'])) return undefined;
  return wrong('decision-tool', `expected the tool ${told(expected)}, got ${told(entry['tool'])}`);
}

function compareQuestion(
  { entry, request }: RecordedCall,
  past: Past,
  { policy, decision }: Under & { readonly decision: Decision },
): Again | undefined {
  if (entry.type !== 'call.parked') return undefined;
  const { id } = request.call;
  const salt = isHidden(entry['args'] ?? {}) ? past.salt(id) : undefined;
  const { approval } = approvalOf(past, { policy, request, decision }, id, salt);
  const differing = difference(approval, isObject(entry['approval']) ? entry['approval'] : {});
  if (differing === undefined) return undefined;
  const got = member(entry['approval'], differing);
  return wrong(
    'decision-question',
    `expected \`${differing}\` of its question to be ${told(approval[differing])}, got ${told(got)}`,
  );
}

/** What the entry must say of clauses that read what it does not hold in clear; of a call that the rules were asked of. */
function clausesOf({ request, entry }: RecordedCall, { policy, facts }: Under): JsonObject {
  const isJudged =
    entry.type !== 'call.denied' || (admit(policy, request, facts) === undefined && keyOf(policy, request).ok);
  return isJudged ? clauseFields(policy, request, facts, entry['args'] ?? {}) : {};
}

/**
 * A decision on arguments that are gone, or were secret: the recorded results of the clauses that read them are taken, and
 * everything above is made again.
 */
function decideByClauses(recorded: RecordedCall, past: Past, { policy, facts }: Under): Again {
  const { entry, request, said, code } = recorded;
  const args = entry['args'] ?? {};
  const why = hasSecrets(args) ? 'what is secret of its arguments is not recorded' : 'its arguments are gone';
  const isJudged = entry.type !== 'call.denied' || said['clauses'] !== undefined;
  const isClaimed = past.call(request.call.id)?.state === 'parked';
  if (!isJudged || isClaimed || said['clauses'] === TOO_MANY) return attested(why);
  if (WORLD[code] !== undefined || BY_OTHERS.has(code)) return attested(why);
  const places = hiddenPlacesIn(args);
  const known = withClauses(policy, request.tool, said['clauses'], places);
  if (known === 'cost') return attested(why);
  if (known === 'misfit') {
    return wrong(
      'decision-facts',
      `expected the results of the clauses that read what is hidden, got ${told(said['clauses'])}`,
    );
  }
  const decision = charge(known, request, facts);
  const reserved = entry.type === 'call.intent' ? reservationFields(decision) : {};
  const made = { ...policyFields(undefined, decision, {}), ...reserved };
  const compared = Object.fromEntries(Object.entries(said).filter(([name]) => !BESIDE.has(name)));
  const differing = difference(made, compared);
  if (differing !== undefined && !readsKey(policy, request.tool)) return differs(differing, made, recorded);
  return attested(`${why}: what its clauses said is taken, and all above it is made again`);
}

/** What an entry says of a decision that does not follow from its clauses. */
const BESIDE: ReadonlySet<string> = new Set(['digest', 'lock', 'tools', 'shadow', 'exceptions', 'clauses']);
/** Decided before the rules or after them, by what no clause says. */
const BY_OTHERS: ReadonlySet<string> = new Set(['obligation-failed', 'schema-mismatch', 'approval-expired']);

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A denial by what only the world knew: the gates before it must have let it through. */
function compareWorld({ request, code, said, rules }: RecordedCall, { policy, facts }: Under, what: string): Again {
  const caller = admitCaller(policy, request, facts);
  const isAway = code === 'upstream-unavailable';
  // References that led nowhere are recorded as they came, and no schema has seen them.
  const isReferring = hasReferences(request.args);
  const gates = isReferring ? (caller ?? admitPin(policy, request, facts)) : admit(policy, request, facts);
  const before = isAway ? (caller?.code === 'unknown-tool' ? undefined : caller) : gates;
  const key = isAway || isReferring ? { ok: true } : keyOf(policy, request);
  if (before !== undefined || !key.ok) {
    const expected = before?.code ?? 'obligation-failed';
    return wrong('decision-wrong', `expected ${told(expected)}, which comes first, got ${told(code)}`);
  }
  const denied = withFacts(policy, request, facts, { ...NOTHING, code: 'denied-by-rule' });
  if (rules.length > 0) return wrong('decision-wrong', `expected ${told(code)} by no rule, got ${told([...rules])}`);
  if (!isSame(denied.facts, said['facts'])) {
    return wrong('decision-facts', `expected the facts ${told(denied.facts)}, got ${told(said['facts'])}`);
  }
  return attested(`only the world knew ${what}`);
}

const NOTHING = { effect: 'deny', rules: [], explanation: '', retryable: false } as const;

/** A probe is allowed by its declaration, for a call of unknown outcome, and takes nothing. */
function compareProbe({ request, said, entry }: RecordedCall, past: Past, { policy }: Under, of: string): Again {
  const row = past.call(of);
  const probe = row === undefined ? undefined : policy.tools.get(row.tool)?.probe?.tool;
  if (row?.state !== 'unknown' || probe !== request.tool) {
    return wrong('decision-wrong', `expected a probe of a call of unknown outcome, got one of ${told(of)}`);
  }
  const { effect, code, rules, digest, lock, tools, ...more } = said;
  if (effect !== 'allow' || code !== 'allowed' || !isSame(rules, []) || Object.keys(more).length > 0) {
    return wrong('decision-wrong', `expected a probe to be allowed by its declaration alone, got ${told(said)}`);
  }
  const expected = { digest: policy.digest, lock: policy.lock ?? null, tools: policy.catalog.digest };
  if (!isSame(expected, { digest: digest ?? null, lock: lock ?? null, tools: tools ?? null })) {
    return wrong('decision-layers', `expected a probe under ${told(expected)}`);
  }
  if (admitArguments(policy, request) === undefined || policy.tools.get(probe)?.guard !== undefined) return SAME;
  return wrong('decision-wrong', `expected the arguments of a probe to fit \`${entry.type}\` of ${told(probe)}`);
}

/** Whether what is written about the tool may read `call.key`. */
function readsKey({ tools }: Policy, name: string): boolean {
  const tool = tools.get(name);
  if (tool === undefined) return false;
  const conditions = [...tool.rules.allow, ...tool.rules.ask, ...tool.rules.deny].map(({ condition }) => condition);
  const amounts = tool.cost.map(({ amount }) => amount);
  const sources = [...conditions, ...amounts, tool.key].map((expression) => expression?.source ?? '');
  return sources.some((source) => /\bcall\b[^\w]*key\b/u.test(source));
}

function attested(why: string): Again {
  return { kind: 'attested', why };
}

function wrong(code: DeepCode, message: string): Again {
  return { kind: 'wrong', code, message };
}
