/** What one decision costs: by how many rules there are and on which tools, and beside peers that decide the same. */

import { compilePolicy } from '../src/policy/compile.ts';
import type { Policy } from '../src/policy/compile.ts';
import { parseConfiguration } from '../src/policy/configuration.ts';
import { decide } from '../src/policy/decide.ts';
import { openPeers, peersAbsent, raise } from './decide-peers.ts';
import type { Contestant } from './decide-peers.ts';
import { benchCalls, benchRules, benchTools, configurationText, meant, principalName } from './decide-rules.ts';
import type { BenchCall, BenchRule, Beside } from './decide-rules.ts';
import { machine } from './measure.ts';
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
const ROUNDS = 25;
/** Rounds thrown away: the engine is still compiling what it runs. */
const WARMUP_ROUNDS = 5;
const TURN_MS = 40;
const TURN_DECISIONS = 20_000;

const microseconds = (ms: number): string => `${(ms * 1_000).toFixed(2).padStart(9)} µs`;

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

/** With `principals`, the same call comes from another one each time it is decided, until all had their turn. */
function contestant(name: string, policy: Policy, calls: readonly BenchCall[], principals = 0): Contestant {
  const variants = Math.max(1, Math.ceil(principals / calls.length));
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

interface Latencies {
  readonly p50: number;
  readonly p99: number;
}

/** Takes turns, so that whatever else the machine does falls on all alike; one decision is timed at a time. */
function race(everybody: readonly Contestant[], calls: number): ReadonlyMap<string, Latencies> {
  const taken = everybody.map((): number[] => []);
  const at = everybody.map(() => 0);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [who, { allows }] of everybody.entries()) {
      const latencies = round < WARMUP_ROUNDS ? [] : (taken[who] ?? []);
      let next = at[who] ?? 0;
      const end = performance.now() + TURN_MS;
      for (let count = 0; count < TURN_DECISIONS; count += 1) {
        const before = performance.now();
        allows(next);
        const after = performance.now();
        latencies.push(after - before);
        next = next + 1 === calls ? 0 : next + 1;
        if (after > end) break;
      }
      at[who] = next;
    }
  }
  return new Map(everybody.map(({ name }, who) => [name, latenciesOf(taken[who] ?? [])]));
}

function latenciesOf(taken: readonly number[]): Latencies {
  const sorted = Float64Array.from(taken).toSorted();
  const share = (part: number): number => sorted[Math.floor(part * (sorted.length - 1))] ?? 0;
  return { p50: share(0.5), p99: share(0.99) };
}

function print(raced: ReadonlyMap<string, Latencies>, base: string): void {
  const first = raced.get(base)?.p50 ?? Number.NaN;
  for (const [name, { p50, p99 }] of raced) {
    const ratio = `${(p50 / first).toFixed(2)}×`.padStart(9);
    console.log(`  ${name.padEnd(52)}p50${microseconds(p50)} ${ratio}  p99${microseconds(p99)}`);
  }
}

const TIMER: Contestant = { name: 'the timer alone', allows: () => true };

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
  console.log(`\n${RULES} argument rules on one tool; ${OTHERS} rules on other tools, ${PRINCIPALS} principals; peers`);
  const rules = benchRules(RULES);
  const calls = benchCalls(CALLS, rules, SEED);
  const absent = peersAbsent();
  if (absent !== undefined) console.log(absent);
  const open = async (over: readonly BenchCall[]): Promise<Contestant[]> => {
    const alone = contestant('interlock', policyOf(rules), over);
    const crowd = policyOf(rules, { others: OTHERS });
    const people = policyOf(rules, { principals: PRINCIPALS });
    const { peers, refused } = absent === undefined ? await openPeers(rules, over) : { peers: [], refused: [] };
    for (const reason of refused) console.log(`not compared: ${reason}`);
    const evaluated = policyOf(rules, { opening: OPENING });
    return [
      alone,
      contestant('interlock, every condition evaluated', evaluated, over),
      contestant(`interlock, ${OTHERS} rules on other tools`, crowd, over),
      contestant(`interlock, ${PRINCIPALS} principals`, people, over, PRINCIPALS),
      ...peers,
    ];
  };
  const asked = await open(calls);
  const allowed = agree(asked, rules, calls);
  console.log(`all ${asked.length} agree on ${CALLS} calls: ${allowed} allowed, ${CALLS - allowed} denied`);
  const timed = onlyPay(calls);
  const everybody = await open(timed);
  const [alone = raise()] = everybody;
  const parts = [only(true, alone, timed.length), only(false, alone, timed.length)];
  print(race([TIMER, ...parts, ...everybody], timed.length), 'interlock');
}

console.log(machine());
byTotal();
await byPeer();
