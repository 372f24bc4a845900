/** What the simulated worlds are about: a bank's tools, the people and agents around it, and three policies. */

import { createPublicKey, verify } from 'node:crypto';
import { type Signer, signerFromSeed } from '../../src/ledger/signer.ts';
import type { ExceptedRule } from '../../src/ledger/standing.ts';
import { ruleDigest } from '../../src/policy/approval/exception.ts';
import type { Policy } from '../../src/policy/compile.ts';
import { toBase64 } from '../../src/value/encoding.ts';
import { policyOf } from '../authority-world.ts';

/** Agents propose calls; `ann` is an approver as well. */
export const AGENTS = ['ada', 'bo', 'ann'] as const;
/** `eve` has a key and may approve no call; what is signed for the policy itself she may sign. */
export const PEOPLE = ['ann', 'bob', 'eve'] as const;
export type Person = (typeof PEOPLE)[number];

export const WINDOW_MS = 10_000;
export const RATE = { calls: 4, everyMs: 2_000 };
export const SLOTS: Readonly<Record<string, number>> = { 'bank.wire': 3, 'bank.order': 3 };
/** How long an unknown call of `bank.wire` keeps its slot, milliseconds. */
export const EFFECT_TIMEOUT_MS = 20_000;

/** How long after it became unknown a call of `bank.post` may still have its effect, milliseconds: longer than any takes. */
const POST_TIMEOUT_MS = 4_000;

/** A tool that no policy knows. */
export const NO_TOOL = 'bank.none';

export type PolicyName = 'wide' | 'tight' | 'rekeyed';

/** The rules that deny above an amount, by id, with their tool; the amount is the policy's. */
export const DENYING = { frozen: 'bank.mail', closed: 'bank.wire' } as const;
export type DenyingRule = keyof typeof DENYING;
type Above = Readonly<Record<DenyingRule, number>>;

/** What of a policy the invariants count with, written down apart from the policy's text. */
interface Terms {
  readonly policy: Policy;
  /** Of one principal in one window. */
  readonly budget: number;
  /** Amounts above which nothing but an exception allows the call. */
  readonly above: Above;
  /** The rules that deny, as an exception names them. */
  readonly denying: Readonly<Record<DenyingRule, ExceptedRule>>;
  /** Public keys of those who may approve calls. */
  readonly approvers: ReadonlyMap<string, PublicKey>;
  /** Public keys of those who may sign for the policy. */
  readonly signers: ReadonlyMap<string, PublicKey>;
}

type PublicKey = ReturnType<typeof createPublicKey>;

const signers = new Map<string, Signer>(
  [...PEOPLE, 'bob later', 'mallory'].map((name, index) => [name, signerFromSeed(new Uint8Array(32).fill(index + 1))]),
);

/** Who signs as `name` under its own key. */
export function signerOf(name: string): Signer {
  const signer = signers.get(name);
  if (signer === undefined) throw new Error(`nobody is called ${name}`);
  return signer;
}

export function keyOf(name: string): string {
  return `ed25519:${toBase64(signerOf(name).publicKey)}`;
}

function textOf(budget: number, bob: string, { frozen, closed }: Above): string {
  return `
interlock: 1
principals:
  ada: {}
  bo: {}
  ann: { roles: [finance], key: "${keyOf('ann')}" }
  bob: { roles: [finance], key: "${keyOf(bob)}" }
  eve: { key: "${keyOf('eve')}" }
tools:
  bank.pay:
    input: { type: object, required: [charge, amount], properties: { charge: {type: string}, amount: {type: integer} } }
    key: args.charge
    cost: { money: args.amount }
    actualCost: { money: output.charged }
  bank.wire:
    input: { type: object, required: [amount], properties: { amount: {type: integer} } }
    effectTimeout: ${EFFECT_TIMEOUT_MS / 1_000}s
  bank.move:
    input: { type: object, required: [charge, amount], properties: { charge: {type: string}, amount: {type: integer} } }
    cost: { money: args.amount }
  bank.mail:
    input: { type: object, required: [amount], properties: { amount: {type: integer} } }
  bank.balance:
    effect: read
    input: { type: object, required: [amount], properties: { amount: {type: integer} } }
  bank.order:
    input: { type: object, required: [amount, key], properties: { amount: {type: integer}, key: {type: string} } }
    downstreamKey: { arg: key }
    cost: { money: args.amount }
    effectTimeout: ${EFFECT_TIMEOUT_MS / 1_000}s
  bank.post:
    input: { type: object, required: [charge, amount], properties: { charge: {type: string}, amount: {type: integer} } }
    key: args.charge
    probe: { tool: bank.seen, args: { charge: args.charge }, executed: output.count > 0 }
    effectTimeout: ${POST_TIMEOUT_MS / 1_000}s
  bank.seen:
    effect: read
    input: { type: object, required: [charge], properties: { charge: {type: string} } }
budgets:
  money: { limit: ${budget}, unit: usd-cents, per: [principal], window: ${WINDOW_MS / 1_000}s }
limits:
${Object.entries(SLOTS)
  .map(([tool, slots]) => `  - { tools: ${tool}, concurrency: ${slots} }`)
  .join('\n')}
  - { tools: bank.mail, rate: ${RATE.calls}/${RATE.everyMs / 1_000}s }
rules:
  - allow: bank.*
  - { id: frozen, deny: ${DENYING.frozen}, when: args.amount > ${frozen} }
  - { id: closed, deny: ${DENYING.closed}, when: args.amount > ${closed} }
  - { ask: bank.move, when: args.amount > 5, approvers: [finance], notRequester: true, expires: 6s }
  - { ask: bank.move, when: args.amount > 15, approvers: [finance], notRequester: true, quorum: 2, expires: 5s }
`;
}

/** How many people must approve a call, of those that are not its own principal. */
export function approvalsNeeded(tool: string, amount: number): number {
  if (tool !== 'bank.move' || amount <= 5) return 0;
  return amount > 15 ? 2 : 1;
}

function termsOf(budget: number, bob: string, above: Above): Terms {
  const approvers = new Map([
    ['ann', publicKeyOf('ann')],
    ['bob', publicKeyOf(bob)],
  ]);
  const policy = policyOf(textOf(budget, bob, above));
  const named = (wanted: DenyingRule): ExceptedRule => {
    const rule = policy.configuration.rules.find(({ id }) => id === wanted);
    if (rule === undefined) throw new Error(`the policy has no rule ${wanted}`);
    return { id: wanted, digest: ruleDigest(rule) };
  };
  const denying = { frozen: named('frozen'), closed: named('closed') };
  const signers = new Map([...approvers, ['eve', publicKeyOf('eve')]]);
  return { policy, budget, above, denying, approvers, signers };
}

function publicKeyOf(name: string): PublicKey {
  const x = Buffer.from(signerOf(name).publicKey).toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}

/** The tight policy has half of the budget; the rekeyed one has another key for bob besides, and denies more mails. */
export const TERMS: Readonly<Record<PolicyName, Terms>> = {
  wide: termsOf(60, 'bob', { frozen: 12, closed: 15 }),
  tight: termsOf(30, 'bob', { frozen: 12, closed: 15 }),
  rekeyed: termsOf(30, 'bob later', { frozen: 8, closed: 15 }),
};

/** Whether a change needs a signature, written down apart from how that is found out. */
export function isWidening(from: PolicyName, to: PolicyName): boolean {
  return from !== to && !(from === 'wide' && to === 'tight');
}

const byDigest = new Map<string, Terms>(Object.values(TERMS).map((terms) => [terms.policy.digest, terms]));

export function policyNamed(digest: string): PolicyName | undefined {
  return (['wide', 'tight', 'rekeyed'] as const).find((name) => TERMS[name].policy.digest === digest);
}

/** The terms of the policy that an entry names. */
export function termsByDigest(digest: string): Terms {
  const terms = byDigest.get(digest);
  if (terms === undefined) throw new Error(`no policy has the digest ${digest}`);
  return terms;
}

/** Whether `signature`, in base64, is `by`'s under the policy of these terms; worked out without the authority's code. */
export function isSignedBy({ approvers }: Terms, by: string, digest: string, signature: string): boolean {
  return isSigned(approvers, by, `interlock approval v1\n${digest}\n${by}\n`, signature);
}

/** The same of what is signed for the policy itself: a reload, or an exception, by the digest of all that it says. */
export function isSignedFor(
  { signers }: Terms,
  what: 'reload' | 'exception',
  said: { readonly by: string; readonly digest: string; readonly signature: string },
): boolean {
  const { by, digest, signature } = said;
  return isSigned(signers, by, `interlock ${what} v1\n${digest}\n${by}\n`, signature);
}

function isSigned(keys: ReadonlyMap<string, PublicKey>, by: string, text: string, signature: string): boolean {
  const key = keys.get(by);
  return key !== undefined && verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64'));
}
