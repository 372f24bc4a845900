import assert from 'node:assert/strict';
import { test } from 'node:test';
import { figuresLine } from './figures.ts';
import { INVARIANTS } from './invariant/all.ts';
import { runWorlds, scenarioOf, worldsOf } from './run.ts';
import { shrink } from './shrink.ts';
import { simulate } from './simulate.ts';

const SEED = 20_261_121;

test('10,000 calls through crashes, pauses, lost commits and forgeries break no promise [R-simulated]', async (t) => {
  const { figures, broken } = await runWorlds(SEED, { worlds: worldsOf(10_000) });
  if (broken !== undefined) assert.fail(`world ${broken.world} of seed ${SEED}: ${JSON.stringify(broken.violation)}`);
  t.diagnostic(figuresLine(figures));
  // A world in which nothing happens proves nothing.
  for (const [name, count] of Object.entries(figures)) {
    if (name !== 'violations') assert.ok(count > 0, `there are no ${name}`);
  }
});

test('the same seed gives the same world to the byte, and another seed another one', async () => {
  const digests = await Promise.all([7, 7, 8].map(async (seed) => (await simulate(scenarioOf(seed, 0))).digest));
  assert.equal(digests[0], digests[1]);
  assert.notEqual(digests[0], digests[2]);
});

test('a world that breaks nothing is not shortened', async () => {
  assert.equal(await shrink({ seed: 1, acts: scenarioOf(1, 0).acts.slice(0, 5) }), undefined);
});

test('every invariant has a name of its own and says what it proves', () => {
  assert.equal(new Set(INVARIANTS.map(({ name }) => name)).size, INVARIANTS.length);
  for (const { promise } of INVARIANTS) assert.match(promise, /^[a-z].*[a-z]$/u);
});
