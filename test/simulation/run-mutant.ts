/** Runs the simulation over a source with one planted defect, in a process of its own. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Mutant } from './mutant.ts';

export interface Caught {
  /** The invariant that broke; none did when it is absent. */
  readonly invariant?: string;
  readonly problem?: string;
  /** Simulated until then. */
  readonly calls: number;
}

/** Each has a hundred calls. */
const WORLDS_MAX = 100;
const RUNNER = fileURLToPath(new URL('mutant-run.ts', import.meta.url));

export async function runMutant({ name }: Mutant): Promise<Caught> {
  const { stdout } = await promisify(execFile)(process.execPath, [RUNNER, name, String(WORLDS_MAX)]);
  return JSON.parse(stdout) as Caught;
}
