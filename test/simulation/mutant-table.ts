/**
 * `npm run simulate:mutants`: plants every defect in turn and prints which invariant found it, and within how many calls.
 * Exits 1 when one is not found, or by another invariant than it breaks; `--write` puts the table into the page.
 */

import { writeFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { availableParallelism } from 'node:os';
import { ROOT } from '../source.ts';
import { type Caught, runMutant } from './run-mutant.ts';
import type { Mutant } from './mutant.ts';
import { MUTANTS } from './mutants.ts';

const PAGE = join(ROOT, 'docs/measurements.md');
const BEGIN = '<!-- mutants: written by `npm run simulate:mutants -- --write` -->';
const END = '<!-- /mutants -->';

function render(rows: readonly (readonly [Mutant, Caught])[]): string {
  return [
    '| a source that was made to | is found by | within calls |',
    '|---|---|---|',
    ...rows.map(([{ name }, { invariant, calls }]) => `| ${name} | ${invariant ?? 'NOTHING'} | ${calls} |`),
  ].join('\n');
}

const rows: (readonly [Mutant, Caught])[] = [];
let next = 0;
async function work(): Promise<void> {
  for (let at = next++; at < MUTANTS.length; at = next++) {
    const mutant = MUTANTS[at];
    if (mutant !== undefined) rows[at] = [mutant, await runMutant(mutant)];
    if (process.stderr.isTTY) process.stderr.write(`\r${next} of ${MUTANTS.length} mutants`);
  }
}
await Promise.all(Array.from({ length: availableParallelism() }, work));
if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
const table = render(rows);
process.stdout.write(`${table}\n`);
for (const [{ name, breaks }, { invariant, problem }] of rows) {
  if (invariant !== undefined && breaks.includes(invariant)) continue;
  process.stderr.write(`${name}: ${invariant === undefined ? 'nothing broke' : `${invariant} broke: ${problem}`}\n`);
  process.exitCode = 1;
}
if (process.argv.includes('--write')) {
  const page = readFileSync(PAGE, 'utf8');
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from === -1 || to < from) throw new Error(`${PAGE} has no markers for the mutants`);
  writeFileSync(PAGE, `${page.slice(0, from + BEGIN.length)}\n\n${table}\n\n${page.slice(to)}`);
}
