/** What happens to a simulated world from outside, as data: made from a seed, and shortened to what a failure needs. */

import { AGENTS, DENYING, type DenyingRule, PEOPLE, type Person, type PolicyName } from './bank.ts';
import { type Random, createRandom } from './random.ts';

/** How many gateway processes share the store. */
export const SLOTS_OF_PROCESSES = 3;

export interface CallAct {
  readonly kind: 'call';
  readonly slot: number;
  readonly principal: string;
  readonly tool: string;
  readonly args: { readonly amount: number; readonly charge?: string };
  readonly key?: string;
  readonly timeoutMs: number;
  /** When the agent stops waiting. */
  readonly patienceMs: number;
  /** How often it asks again when it is told that nothing has happened yet. */
  readonly persists: number;
}

/**
 * What befalls a process at its next write: `lost` and `landed` — the commit fails without saying which it was; `late`
 * — it fails so, and lands a moment after the row was read again; `busy`; `stopped` — and every one after it;
 * `twice` — the transaction is composed once in vain; `crash`, `pause` — once the write is durable and before its
 * reply.
 */
export type Fault = 'lost' | 'landed' | 'late' | 'busy' | 'stopped' | 'twice' | 'crash' | 'pause';
const OFTEN = ['lost', 'landed', 'late', 'busy', 'twice', 'twice', 'crash', 'pause'] as const;

/** What an approver, or somebody who is none, does to a parked call. */
export type ParkedAnswer = 'approve' | 'refuse' | (typeof FORGERIES)[number];
const FORGERIES = ['wrong-key', 'other-name', 'other-digest', 'unsigned', 'no-approver'] as const;

/** What somebody does about a rule that denies: sets it aside as they may, or in one of the ways that do not count. */
export type GlassBreaking = 'sign' | (typeof FALSE_GLASS)[number];
const FALSE_GLASS = ['wrong-key', 'other-name', 'other-text', 'no-principal', 'again'] as const;

/** What somebody does about a change of the policy that waits. */
export type ReloadAnswer = 'approve' | 'refuse' | (typeof FALSE_CONSENT)[number];
const FALSE_CONSENT = ['wrong-key', 'other-name', 'other-text', 'no-principal'] as const;

export type KillTarget = 'all' | 'principal:ada' | 'server:bank' | 'tool:bank.pay';
const TARGETS = ['all', 'principal:ada', 'server:bank', 'tool:bank.pay'] as const;

/** `at` in milliseconds since the world began; `seed` decides all that is left to chance about the act. */
export type Act = { readonly at: number; readonly seed: number } & (
  | CallAct
  | { readonly kind: 'crash' | 'stop'; readonly slot: number }
  | { readonly kind: 'pause'; readonly slot: number; readonly ms: number }
  | { readonly kind: 'jump'; readonly ms: number }
  | { readonly kind: 'fault'; readonly slot: number; readonly fault: Fault }
  | { readonly kind: 'answer'; readonly by: 'ann' | 'bob'; readonly answer: ParkedAnswer }
  | { readonly kind: 'settle' }
  | { readonly kind: 'kill' | 'lift'; readonly target: KillTarget }
  | { readonly kind: 'reload'; readonly slot: number; readonly policy: PolicyName }
  | { readonly kind: 'reload-answer'; readonly by: Person; readonly answer: ReloadAnswer }
  | GlassAct
  | { readonly kind: 'end-exception' }
  | FloodAct
);

export interface GlassAct {
  readonly kind: 'break-glass';
  readonly by: Person;
  readonly how: GlassBreaking;
  /** As this policy has it. */
  readonly rule: DenyingRule;
  readonly policy: PolicyName;
  readonly lastsMs: number;
}

/** So many proposals that are denied, or lines that are no messages, at once. */
export interface FloodAct {
  readonly kind: 'flood';
  readonly slot: number;
  readonly principal: string;
  readonly of: 'calls' | 'lines';
  readonly count: number;
}

export interface Scenario {
  readonly seed: number;
  readonly acts: readonly Act[];
}

/** The average time between two proposals, milliseconds. */
const GAP_MS = 120;

/** How many acts of each other kind there are for a hundred calls. */
const SHARES = {
  crash: 2,
  stop: 2,
  pause: 4,
  jump: 4,
  fault: 30,
  answer: 45,
  settle: 14,
  kill: 2,
  reload: 3,
  'reload-answer': 10,
  'break-glass': 3,
  'end-exception': 1,
  flood: 1.5,
} as const;
/** Of all worlds, and for how long, milliseconds: then a minute in which denials are counted ends while others wait. */
const LULL_CHANCE = 0.03;
const LULL_MS = 61_000;

/** A world's acts: `calls` proposals, and in proportion all that goes wrong around them. */
export function createScenario(seed: number, calls: number): Scenario {
  const random = createRandom(seed);
  const acts: Act[] = [];
  const earlier: (CallAct & Stamp)[] = [];
  const lasts = calls * GAP_MS;
  const stamp = (): Stamp => ({ at: random.below(lasts), seed: random.below(2 ** 32) });
  for (let count = 0; count < calls; count += 1) earlier.push(callAct(random, earlier, stamp()));
  acts.push(...earlier);
  for (const [kind, share] of Object.entries(SHARES)) {
    const exact = (share * calls) / 100;
    const count = Math.floor(exact) + (random.chance(exact % 1) ? 1 : 0);
    for (let index = 0; index < count; index += 1)
      acts.push(...otherActs(random, kind as keyof typeof SHARES, stamp()));
  }
  acts.sort((left, right) => left.at - right.at || left.seed - right.seed);
  const lull = random.chance(LULL_CHANCE) ? LULL_MS : 0;
  const late = acts.map((act) => (act.at > lasts / 2 ? { ...act, at: act.at + lull } : act));
  return { seed: random.below(2 ** 32), acts: late };
}

/** Half of the proposals are an earlier one once more, as it was or with something changed; most of them soon after. */
function callAct(random: Random, earlier: readonly (CallAct & Stamp)[], stamp: Stamp): CallAct & Stamp {
  const before = random.chance(0.55) ? earlier[random.below(earlier.length)] : undefined;
  if (before === undefined) return { ...freshCall(random), ...stamp };
  const at = random.chance(0.8) ? before.at + random.between(0, random.pick([5, 300, 3_000])) : stamp.at;
  const { key: _key, ...unkeyed } = before;
  const again = { seed: stamp.seed, at, slot: random.below(SLOTS_OF_PROCESSES) };
  switch (random.below(8)) {
    case 0:
      return { ...unkeyed, ...again };
    case 1:
      return { ...before, ...again, key: keyOf(random) };
    case 2:
      return { ...before, ...again, principal: random.pick(AGENTS) };
    case 3:
      return { ...before, ...again, args: { ...before.args, amount: amountOf(random) } };
    default:
      return { ...before, ...again };
  }
}

const CHARGED: ReadonlySet<string> = new Set(['bank.pay', 'bank.move', 'bank.post']);

function freshCall(random: Random): CallAct {
  const tool = random.pick([
    'bank.pay',
    'bank.pay',
    'bank.move',
    'bank.move',
    'bank.wire',
    'bank.mail',
    'bank.balance',
    'bank.order',
    'bank.post',
  ]);
  const args = { amount: amountOf(random) };
  return {
    kind: 'call',
    slot: random.below(SLOTS_OF_PROCESSES),
    principal: random.pick(AGENTS),
    tool,
    args: CHARGED.has(tool) ? { ...args, charge: `ch_${random.below(40)}` } : args,
    ...(random.chance(0.5) ? { key: keyOf(random) } : {}),
    timeoutMs: random.pick([300, 1_000, 2_500]),
    patienceMs: random.pick([200, 1_000, 4_000, 10_000]),
    persists: random.chance(0.3) ? 2 : 0,
  };
}

function keyOf(random: Random): string {
  return `k_${random.below(60)}`;
}

function amountOf(random: Random): number {
  return random.between(1, 20);
}

function parkedAnswer(random: Random): ParkedAnswer {
  if (random.chance(0.7)) return 'approve';
  return random.chance(0.2) ? 'refuse' : random.pick(FORGERIES);
}

type Stamp = Pick<Act, 'at' | 'seed'>;

function otherActs(random: Random, kind: keyof typeof SHARES, stamp: Stamp): readonly Act[] {
  const slot = random.below(SLOTS_OF_PROCESSES);
  switch (kind) {
    case 'crash':
    case 'stop':
      return [{ ...stamp, kind, slot }];
    case 'pause':
      return [{ ...stamp, kind, slot, ms: random.pick([50, 500, 3_000, 12_000]) }];
    case 'jump':
      return [{ ...stamp, kind, ms: random.between(-4_000, 4_000) }];
    case 'fault':
      return [{ ...stamp, kind, slot, fault: random.chance(0.03) ? 'stopped' : random.pick(OFTEN) }];
    case 'answer':
      return [{ ...stamp, kind, by: random.pick(['ann', 'bob']), answer: parkedAnswer(random) }];
    case 'settle':
      return [{ ...stamp, kind }];
    case 'kill': {
      const target = random.pick(TARGETS);
      return [
        { ...stamp, kind, target },
        { ...stamp, kind: 'lift', at: stamp.at + random.between(100, 1_500), target },
      ];
    }
    case 'reload':
      return reloadActs(random, slot, stamp);
    case 'reload-answer': {
      const answer = random.chance(0.6) ? 'approve' : random.pick(['refuse', ...FALSE_CONSENT] as const);
      return [{ ...stamp, kind, by: random.pick(PEOPLE), answer }];
    }
    case 'break-glass':
      return glassActs(random, stamp);
    case 'end-exception':
      return [{ ...stamp, kind }];
    case 'flood':
      return floodActs(random, slot, stamp);
  }
}

const POLICIES = ['wide', 'tight', 'rekeyed'] as const;

/** A file that changes is approved or changed again soon after, now and then. */
function reloadActs(random: Random, slot: number, { at, seed }: Stamp): readonly Act[] {
  const soon = at + random.between(300, 1_200);
  const stamp = (): Stamp => ({ at: soon + random.between(-200, 200), seed: random.below(2 ** 32) });
  const acts: Act[] = [{ at, seed, kind: 'reload', slot, policy: random.pick(POLICIES) }];
  if (random.chance(0.6)) acts.push({ ...stamp(), kind: 'reload-answer', by: random.pick(PEOPLE), answer: 'approve' });
  if (random.chance(0.5)) acts.push({ ...stamp(), kind: 'reload', slot, policy: random.pick(POLICIES) });
  return acts;
}

/** What befalls writes befalls those of a flood. */
function floodActs(random: Random, slot: number, { at, seed }: Stamp): readonly Act[] {
  const of = random.pick(['calls', 'calls', 'lines'] as const);
  const count = random.between(15, 45);
  const flood: Act = { at, seed, kind: 'flood', slot, principal: random.pick(AGENTS), of, count };
  const faults = Array.from({ length: random.below(4) }, (): Act => {
    const fault = random.pick(['busy', 'lost', 'landed', 'twice'] as const);
    return { at: at + random.below(50), seed: random.below(2 ** 32), kind: 'fault', slot, fault };
  });
  return [flood, ...faults];
}

/** Somebody wants something of what it is about, in time or not. */
function glassActs(random: Random, { at, seed }: Stamp): readonly Act[] {
  const glass = glassAct(random);
  const calls = Array.from({ length: 2 }, (): Act => {
    const late = random.between(0, glass.lastsMs + 300);
    const call = { ...freshCall(random), tool: DENYING[glass.rule], args: { amount: random.between(9, 20) } };
    return { ...call, at: at + late, seed: random.below(2 ** 32) };
  });
  return [{ at, seed, ...glass }, ...calls];
}

function glassAct(random: Random): GlassAct {
  return {
    kind: 'break-glass',
    by: random.pick(PEOPLE),
    how: random.chance(0.6) ? 'sign' : random.pick(FALSE_GLASS),
    rule: random.pick(['frozen', 'closed']),
    policy: random.pick(POLICIES),
    lastsMs: random.pick([300, 1_500, 4_000]),
  };
}
