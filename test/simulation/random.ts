/** Randomness that one number decides: everything that is left to chance in a simulated world comes from here. */

export interface Random {
  /** A whole number from 0 to `n` - 1. */
  below(n: number): number;
  /** A whole number from `low` to `high`. */
  between(low: number, high: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  pick<T>(list: readonly [T, ...T[]]): T;
  bytes(length: number): Uint8Array;
}

/** The seed of the `index`-th of many streams that `seed` stands for: 32 bits, well mixed. */
export function deriveSeed(seed: number, index: number): number {
  let mixed = (seed ^ Math.imul(index + 1, 0x9e3779b9)) >>> 0;
  for (const factor of [0x85ebca6b, 0xc2b2ae35]) mixed = Math.imul(mixed ^ (mixed >>> 15), factor) >>> 0;
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** The small fast counter of C. Doty-Humphrey's PractRand (sfc32): 128 bits of state, run in after seeding. */
export function createRandom(seed: number): Random {
  let [a, b, c, counter] = [deriveSeed(seed, 0), deriveSeed(seed, 1), deriveSeed(seed, 2), 1];
  const next = (): number => {
    const sum = (a + b + counter) >>> 0;
    counter = (counter + 1) >>> 0;
    a = (b ^ (b >>> 9)) >>> 0;
    b = (c + (c << 3)) >>> 0;
    c = (((c << 21) | (c >>> 11)) + sum) >>> 0;
    return sum;
  };
  for (let round = 0; round < 12; round += 1) next();
  const below = (n: number): number => Math.floor((next() / 2 ** 32) * n);
  return {
    below,
    between: (low, high) => low + below(high - low + 1),
    chance: (probability) => next() < probability * 2 ** 32,
    pick: (list) => list[below(list.length)] ?? list[0],
    bytes: (length) => {
      const bytes = new Uint8Array(length);
      for (let index = 0; index < length; index += 1) bytes[index] = next() >>> 24;
      return bytes;
    },
  };
}
