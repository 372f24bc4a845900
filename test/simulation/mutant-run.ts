/**
 * Runs simulated worlds over the source with one planted defect, until a promise breaks: the child of
 * `run-mutant.ts`. Its arguments are the mutant's name and how many worlds it may take; it prints a `Caught`.
 */

import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Replacement } from './mutant.ts';
import { MUTANTS } from './mutants.ts';
import type { Caught } from './run-mutant.ts';

const SOURCE = new URL('../../src/', import.meta.url);
const SEED = 1;

const [, , name, worlds] = process.argv;
const mutant = MUTANTS.find((each) => each.name === name);
if (mutant === undefined) throw new Error(`no mutant is called ${name}`);
const planted = new Set<Replacement>();

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const replacements = mutant.replacements.filter(({ file }) => new URL(file, SOURCE).href === url);
    if (replacements.length === 0) return loaded;
    const source = Buffer.from(loaded.source as Uint8Array).toString('utf8');
    return { ...loaded, source: replacements.reduce((text, replacement) => plant(text, replacement, url), source) };
  },
});

/** A text that is gone, or that stands there twice, would make a mutant of nothing or of something else. */
function plant(text: string, replacement: Replacement, url: string): string {
  const { find, replace } = replacement;
  const parts = text.split(find);
  if (parts.length !== 2) {
    throw new Error(`expected \`${find}\` once in ${fileURLToPath(url)}, found it ${parts.length - 1} times`);
  }
  planted.add(replacement);
  return parts.join(replace);
}

const { runWorlds } = await import('./run.ts');
if (planted.size !== mutant.replacements.length) throw new Error(`${name}: not every file of it was loaded`);
const { figures, broken } = await runWorlds(SEED, { worlds: Number(worlds) });
const caught: Caught = {
  calls: figures.calls,
  ...(broken === undefined ? {} : { invariant: broken.violation.invariant, problem: broken.violation.problem }),
};
process.stdout.write(`${JSON.stringify(caught)}\n`);
