/** Has several decide in turns, one decision timed at a time, and prints what each took. */

/** Somebody who decides the calls it was made for, by their place among them. */
export interface Contestant {
  readonly name: string;
  readonly allows: (call: number) => boolean;
}

const ROUNDS = 25;
/** Rounds thrown away: the engine is still compiling what it runs. */
const WARMUP_ROUNDS = 5;
const TURN_MS = 40;
const TURN_DECISIONS = 20_000;

const microseconds = (ms: number): string => `${(ms * 1_000).toFixed(2).padStart(9)} µs`;

interface Latencies {
  readonly p50: number;
  readonly p99: number;
}

/** Takes turns, so that whatever else the machine does falls on all alike; one decision is timed at a time. */
export function race(everybody: readonly Contestant[], calls: number): ReadonlyMap<string, Latencies> {
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

export function print(raced: ReadonlyMap<string, Latencies>, base: string): void {
  const first = raced.get(base)?.p50 ?? Number.NaN;
  for (const [name, { p50, p99 }] of raced) {
    const ratio = `${(p50 / first).toFixed(2)}×`.padStart(9);
    console.log(`  ${name.padEnd(58)}p50${microseconds(p50)} ${ratio}  p99${microseconds(p99)}`);
  }
}

export const TIMER: Contestant = { name: 'the timer alone', allows: () => true };
