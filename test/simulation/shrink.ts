/** Shortens a scenario that breaks an invariant to one that still does, with as few acts as can be found soon. */

import type { Violation } from './place.ts';
import type { Act, Scenario } from './scenario.ts';
import { type Simulated, simulate } from './simulate.ts';

/** Worlds that are tried before the shortest one so far is taken. */
const TRIES_MAX = 600;

export interface Shrunk {
  readonly scenario: Scenario;
  readonly simulated: Simulated;
  readonly violation: Violation;
}

/** Takes away ever smaller parts of the acts, as long as the same invariant breaks. Nothing when it does not break. */
export async function shrink(scenario: Scenario): Promise<Shrunk | undefined> {
  const simulated = await simulate(scenario);
  const { violation } = simulated;
  if (violation === undefined) return undefined;
  let shortest: Shrunk = { scenario, simulated, violation };
  let tries = 0;
  const accept = async (acts: readonly Act[]): Promise<boolean> => {
    tries += 1;
    const shorter = { ...scenario, acts };
    const again = await simulate(shorter);
    if (again.violation?.invariant !== violation.invariant) return false;
    shortest = { scenario: shorter, simulated: again, violation: again.violation };
    return true;
  };
  for (let size = Math.ceil(scenario.acts.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < shortest.scenario.acts.length && tries < TRIES_MAX;) {
      const { acts } = shortest.scenario;
      const isShorter = await accept([...acts.slice(0, from), ...acts.slice(from + size)]);
      if (!isShorter) from += size;
    }
  }
  return shortest;
}

/** The acts that are left, and all that happened, in lines. */
export function describe({ scenario, simulated, violation }: Shrunk): string {
  const acts = scenario.acts.map((act) => JSON.stringify(act));
  return [
    `broken: ${violation.invariant} (${violation.promise})`,
    `  ${violation.problem}`,
    `what was done, ${acts.length} acts:`,
    ...acts.map((act) => `  ${act}`),
    'what happened (milliseconds since the world began):',
    ...simulated.lines.map((line) => `  ${line}`),
  ].join('\n');
}
