/** `MUTANTS=all` runs every mutant; without it, those of which each is another kind of defect and which are found soon. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { INVARIANTS } from './invariant/all.ts';
import type { Caught } from './mutant-run.ts';
import { MUTANTS, type Mutant } from './mutants.ts';

/** Each has a hundred calls. */
const WORLDS_MAX = 100;
const SOON: ReadonlySet<string> = new Set(['dispatch before the commit', 'use an attempt id again', 'refund twice']);
const RUNNER = fileURLToPath(new URL('mutant-run.ts', import.meta.url));

async function run({ name }: Mutant): Promise<Caught> {
  const { stdout } = await promisify(execFile)(process.execPath, [RUNNER, name, String(WORLDS_MAX)]);
  return JSON.parse(stdout) as Caught;
}

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
  for (const mutant of MUTANTS) {
    const isRun = process.env['MUTANTS'] === 'all' || SOON.has(mutant.name);
    test(mutant.name, { skip: isRun ? false : 'MUTANTS=all runs it' }, async (t) => {
      const { invariant, problem, calls } = await run(mutant);
      assert.ok(invariant !== undefined, `nothing broke in ${calls} calls`);
      assert.ok(mutant.breaks.includes(invariant), `${invariant} broke: ${problem}`);
      t.diagnostic(`${invariant} broke within ${calls} calls`);
    });
  }
});
