/** Commands that are named by the contract and not built yet: each says so and exits 2. */

export const UNAVAILABLE: readonly (readonly [name: string, summary: string])[] = [
  ['connect', 'connect a host'],
  ['doctor', 'what this machine can enforce'],
  ['guard', 'ask a guard'],
];
