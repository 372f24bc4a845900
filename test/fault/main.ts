/**
 * `npm run faults`: kills real processes at every fault point, in the first of two calls and in the second, and prints
 * what is found. Exits 1 when that is not what is expected; `--write` puts the table into docs/ledger.md.
 */

import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import { ARROWS, type Outcome } from './arrows.ts';
import { OTHER_WRITES, runOther } from './other-writes.ts';
import { type Round, runArrow } from './run.ts';
import { PAGE, expectedFaults, pointsOf, readPage, renderFaults, withFaults } from './table.ts';

const ROUNDS = [1, 2] as const satisfies Round[];
let runs = 0;

/** Runs `jobs` on all cores; the results in their order. */
async function inTurns<T>(jobs: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let at = next++; at < jobs.length; at = next++) {
      const job = jobs[at];
      if (job !== undefined) results[at] = await job();
      runs += 1;
      if (process.stderr.isTTY) process.stderr.write(`\r${runs} killed`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, work));
  return results;
}

/** A promise that was broken is what is found. */
async function told(run: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await run();
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    process.stderr.write(`broken: ${problem}\n`);
    return { stored: 'BROKEN', told: problem.split('\n')[0] ?? '', effects: Number.NaN };
  }
}

const found = await inTurns(
  ARROWS.flatMap((arrow) =>
    pointsOf(arrow).map(([point]) => async () => {
      const outcomes: Outcome[] = [];
      for (const round of ROUNDS) outcomes.push(await told(() => runArrow(arrow, point, round)));
      const [outcome, second] = outcomes as [Outcome, Outcome];
      if (!isDeepStrictEqual(outcome, second))
        process.stderr.write(`${point}: not the same the second time: ${JSON.stringify(second)}\n`);
      return { arrow: arrow.name, point, outcome: Number.isNaN(second.effects) ? second : outcome };
    }),
  ),
);
const others = await inTurns(
  OTHER_WRITES.map((write) => async () => {
    const after = async (side: 'lost' | 'landed'): Promise<string> =>
      (await told(async () => ({ stored: '', told: await runOther(write, side), effects: 0 }))).told;
    return { type: write.type, lost: await after('lost'), landed: await after('landed') };
  }),
);
const table = renderFaults(found, others);
if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
process.stdout.write(`${table}\n`);
if (process.argv.includes('--write')) writeFileSync(PAGE, withFaults(readPage(), table));
if (table !== expectedFaults()) {
  process.stderr.write('this is not what test/fault/arrows.ts and other-writes.ts expect\n');
  process.exitCode = 1;
}
