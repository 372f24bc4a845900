/** What one decision costs: by how many rules there are and on which tools, and beside peers that decide the same. */

import { compilePolicy } from '../src/policy/compile.ts';
import type { Policy } from '../src/policy/compile.ts';
import { parseConfiguration } from '../src/policy/document/configuration.ts';
import { decide, withNearest } from '../src/policy/decide/decide.ts';
import { openPeers, peersAbsent, raise } from './decide-peers.ts';
import { benchCalls, benchRules, benchTools, configurationText, meant, principalName } from './decide-rules.ts';
import type { BenchCall, BenchRule, Beside } from './decide-rules.ts';
import { byPast } from './decide-past.ts';
import { machine } from './measure.ts';
import { TIMER, print, race } from './race.ts';
import type { Contestant } from './race.ts';
import { benchRequest } from './request.ts';

const SEED = 20_260_301;
const CALLS = 1_000;
const RULES = 100;
/** With the hundred, as many as a policy may have. */
const OTHERS = 9_900;
const PRINCIPALS = 10_000;
/** True of every call, and no comparison with a literal: what no index over literals can skip. */
const OPENING = 'args.recipient != args.country';
const TOTALS = [1, 10, 100, 1_000, 10_000];

/** `rules` on one tool and what is `beside` them; says what making the policy took when it is long. */
function policyOf(rules: readonly BenchRule[], beside: Beside = {}): Policy {
  const { others = 0 } = beside;
  const text = configurationText(rules, beside);
  const tools = benchTools(others);
  const start = performance.now();
  const parsed = parseConfiguration(text, { file: 'bench.yaml', environment: {} });
  const made = parsed.ok ? compilePolicy(parsed.value, tools) : { policy: undefined, issues: parsed.issues };
  const took = performance.now() - start;
  const wrong = made.issues.filter(({ severity }) => severity === 'error');
  if (made.policy === undefined || wrong.length > 0) {
    throw new Error(`the policy of this benchmark does not compile: ${JSON.stringify(wrong.slice(0, 3))}`);
  }
  const count = rules.length + others;
  if (count >= 1_000) console.log(`${count} rules parsed, checked and compiled in ${took.toFixed(0)} ms`);
  return made.policy;
}

interface Asked {
  /** Requests there are at least, each with arguments of its own; the same call comes as another one each time. */
  readonly requests?: number;
  /** Who asks, in turns; 0 is the one local principal. */
  readonly principals?: number;
}

function contestant(name: string, policy: Policy, calls: readonly BenchCall[], asked: Asked = {}): Contestant {
  const { requests: least = 0, principals = 0 } = asked;
  const variants = Math.max(1, Math.ceil(least / calls.length));
  const requests = Array.from({ length: variants * calls.length }, (_, at) => {
    const { tool, args } = calls[at % calls.length] ?? raise();
    return benchRequest(tool, { ...args }, at, principals === 0 ? 'local' : principalName(at % principals));
  });
  let turn = 0;
  return {
    name,
    allows: (call) => {
      turn = turn + 1 === variants ? 0 : turn + 1;
      return decide(policy, requests[turn * calls.length + call] ?? raise()).effect === 'allow';
    },
  };
}

/** Who also looks for the nearest change that would be allowed. */
function advisor(name: string, policy: Policy, calls: readonly BenchCall[]): Contestant {
  const requests = calls.map(({ tool, args }, at) => benchRequest(tool, { ...args }, at));
  const facts = new Map<string, number>();
  return {
    name,
    allows: (call) => {
      const request = requests[call] ?? raise();
      return withNearest(policy, request, facts, decide(policy, request, facts)).effect === 'allow';
    },
  };
}

/** The same one, asked only calls that it answers so. */
function only(allowed: boolean, { name, allows }: Contestant, calls: number): Contestant {
  const such = Array.from({ length: calls }, (_, call) => call).filter((call) => allows(call) === allowed);
  const kind = allowed ? 'allowed' : 'denied';
  return { name: `${name}, the ${such.length} ${kind} calls`, allows: (call) => allows(such[call % such.length] ?? 0) };
}

/**
 * Everybody answers every call as the rules mean it, or the run ends: what does not agree is not compared.
 * Returns how many calls are allowed.
 */
function agree(everybody: readonly Contestant[], rules: readonly BenchRule[], calls: readonly BenchCall[]): number {
  const right = calls.map((call) => meant(rules, call));
  for (const { name, allows } of everybody) {
    for (const [at, expected] of right.entries()) {
      if (allows(at) === expected) continue;
      throw new Error(`${name} ${expected ? 'denies' : 'allows'} call ${at}: ${JSON.stringify(calls[at])}`);
    }
  }
  return right.filter(Boolean).length;
}

/** Rules in total, ten to a tool at most: what a decision costs as a policy grows. */
function byTotal(): void {
  console.log('\nby rules in total, at most ten on a tool; calls of a tool that has rules');
  const everybody = TOTALS.map((total) => {
    const rules = benchRules(Math.min(total, 10));
    const calls = onlyPay(benchCalls(CALLS, rules, SEED));
    const policy = policyOf(rules, { others: total - rules.length });
    const subject = contestant(total === 1 ? '1 rule' : `${total} rules`, policy, calls);
    agree([subject], rules, calls);
    return subject;
  });
  print(race([TIMER, ...everybody], payCount()), '10 rules');
}

/** The tool without rules is left out where time is taken: it is denied at once. */
function onlyPay(calls: readonly BenchCall[]): BenchCall[] {
  return calls.filter(({ tool }) => tool.endsWith('.pay'));
}

function payCount(): number {
  return onlyPay(benchCalls(CALLS, benchRules(1), SEED)).length;
}

async function byPeer(): Promise<void> {
  console.log(`\n${RULES} argument rules on one tool; ${OTHERS} rules on other tools; peers`);
  const rules = benchRules(RULES);
  const calls = benchCalls(CALLS, rules, SEED);
  const absent = peersAbsent();
  if (absent !== undefined) console.log(absent);
  const open = async (over: readonly BenchCall[]): Promise<Contestant[]> => {
    const alone = contestant('interlock', policyOf(rules), over);
    const crowd = policyOf(rules, { others: OTHERS });
    const { peers, refused } = absent === undefined ? await openPeers(rules, over) : { peers: [], refused: [] };
    for (const reason of refused) console.log(`not compared: ${reason}`);
    const evaluated = policyOf(rules, { opening: OPENING });
    return [
      alone,
      contestant('interlock, every condition evaluated', evaluated, over),
      contestant(`interlock, ${OTHERS} rules on other tools`, crowd, over),
      ...peers,
    ];
  };
  const asked = await open(calls);
  const allowed = agree(asked, rules, calls);
  console.log(`all ${asked.length} agree on ${CALLS} calls: ${allowed} allowed, ${CALLS - allowed} denied`);
  const timed = onlyPay(calls);
  const everybody = await open(timed);
  const [alone = raise()] = everybody;
  const advised = advisor('interlock with the nearest change', policyOf(rules), timed);
  const parts = [alone, advised].flatMap((one) => [only(true, one, timed.length), only(false, one, timed.length)]);
  print(race([TIMER, ...parts, ...everybody], timed.length), 'interlock');
}

/** As many requests each time, so that what is compared is not how far they are from the processor. */
function byPrincipals(): void {
  console.log(`\nthe same rules and ${PRINCIPALS} requests, of one principal and of as many`);
  const rules = benchRules(RULES);
  const calls = onlyPay(benchCalls(CALLS, rules, SEED));
  const requests = PRINCIPALS;
  const [one, many] = ['1 principal', `${PRINCIPALS} principals`] as const;
  const everybody = [
    contestant(one, policyOf(rules, { principals: 1 }), calls, { requests, principals: 1 }),
    contestant(many, policyOf(rules, { principals: PRINCIPALS }), calls, { requests, principals: PRINCIPALS }),
  ];
  agree(everybody, rules, calls);
  print(race([TIMER, ...everybody], calls.length), one);
}

console.log(machine());
byTotal();
await byPeer();
byPrincipals();
await byPast();
