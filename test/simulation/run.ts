/** Runs many small worlds of one seed, and adds up what happened in them. */

import { addFigures, createFigures } from './figures.ts';
import type { Figures } from './figures.ts';
import type { Violation } from './place.ts';
import { deriveSeed } from './random.ts';
import { type Scenario, createScenario } from './scenario.ts';
import { simulate } from './simulate.ts';

/** Proposals of one world, but for those of agents that persist. */
const PROPOSALS = 92;

/** How many worlds it takes for so many calls, about. */
export function worldsOf(calls: number): number {
  return Math.ceil(calls / 100);
}

export interface Broken {
  /** Which of the worlds it is. */
  readonly world: number;
  readonly violation: Violation;
}

export interface Ran {
  readonly figures: Figures;
  /** The first of the worlds in which a promise was broken. */
  readonly broken?: Broken;
}

/** The world number `world` of `seed`. */
export function scenarioOf(seed: number, world: number): Scenario {
  return createScenario(deriveSeed(seed, world), PROPOSALS);
}

/** Runs the worlds `first`, `first` + `step`, … below `worlds`, until one is broken. */
export async function runWorlds(
  seed: number,
  { first = 0, step = 1, worlds }: { readonly first?: number; readonly step?: number; readonly worlds: number },
  progress: (figures: Figures) => void = () => undefined,
): Promise<Ran> {
  const figures = createFigures();
  for (let world = first; world < worlds; world += step) {
    const simulated = await simulate(scenarioOf(seed, world));
    addFigures(figures, simulated.figures);
    progress(simulated.figures);
    if (simulated.violation !== undefined) return { figures, broken: { world, violation: simulated.violation } };
  }
  return { figures };
}
