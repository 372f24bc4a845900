/** Runs mutants of which each is another kind of defect and which are found soon; `npm run simulate:mutants` runs all. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { INVARIANTS } from './invariant/all.ts';
import { MUTANTS } from './mutants.ts';
import { runMutant } from './run-mutant.ts';

const SOON: ReadonlySet<string> = new Set([
  'dispatch before the commit',
  'use an attempt id again',
  'refund twice',
  'let exceptions be for ever',
  'take a change that may allow more at once',
]);
test('the text that a mutant replaces stands in the source exactly once', () => {
  for (const { name, replacements } of MUTANTS) {
    for (const { file, find } of replacements) {
      const text = readFileSync(new URL(`../../src/${file}`, import.meta.url), 'utf8');
      assert.equal(text.split(find).length - 1, 1, `${name}: \`${find}\` in ${file}`);
    }
  }
});

test('a mutant has a name of its own and names invariants that there are', () => {
  assert.equal(new Set(MUTANTS.map(({ name }) => name)).size, MUTANTS.length);
  const names = new Set(INVARIANTS.map(({ name }) => name));
  for (const { breaks } of MUTANTS) for (const each of breaks) assert.ok(names.has(each), each);
});

describe('the simulation finds a source that was made to', { concurrency: 2 }, () => {
  for (const mutant of MUTANTS.filter(({ name }) => SOON.has(name))) {
    test(mutant.name, async (t) => {
      const { invariant, problem, calls } = await runMutant(mutant);
      assert.ok(invariant !== undefined, `nothing broke in ${calls} calls`);
      assert.ok(mutant.breaks.includes(invariant), `${invariant} broke: ${problem}`);
      t.diagnostic(`${invariant} broke within ${calls} calls`);
    });
  }
});
