import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type Mark, type Turn, breach, play, playStart } from '../../../test/property-oracle.ts';
import { INPUTS, PROGRAMS, drawnProgram, playsOf } from '../../../test/property-programs.ts';
import type { Program } from '../program.ts';
import { proveProgram } from './prove.ts';

const STEPS_MAX = 8;
/** Moves that are tried for one program and one number of steps. */
const MOVES_MAX = 1_000;

interface Found {
  /** By property, the fewest steps after which some run broke it. */
  readonly broken: readonly (number | undefined)[];
  /** All runs of up to so many steps were looked at. */
  readonly steps: number;
}

/** Every run, with every input and every order of answers, of ever more steps while there is time. */
function explore(program: Program): Found {
  const broken: (number | undefined)[] = program.properties.map(() => undefined);
  let steps = 0;
  for (let stepsMax = 1; stepsMax <= STEPS_MAX; stepsMax += 1) {
    const room = { left: MOVES_MAX };
    for (const input of INPUTS) walk(playStart(program, input), [], { program, stepsMax, room, broken });
    if (room.left < 0) break;
    steps = stepsMax;
  }
  return { broken, steps };
}

interface Walking {
  readonly program: Program;
  readonly stepsMax: number;
  readonly room: { left: number };
  readonly broken: (number | undefined)[];
}

function walk({ played, marks }: Turn, before: readonly Mark[], walking: Walking): void {
  const { program, stepsMax, room, broken } = walking;
  room.left -= 1;
  const trace = [...before, ...marks];
  for (const [index, property] of program.properties.entries()) {
    const steps = breach(property, trace);
    if (steps !== undefined) broken[index] = Math.min(steps, broken[index] ?? Infinity);
  }
  if (trace.filter(({ kind }) => kind === 'come').length > stepsMax) return;
  for (const next of playsOf(played)) {
    if (room.left < 0) return;
    walk(play(played, next), trace, walking);
  }
}

test('proofs agree with every run of up to eight steps, over a thousand programs [R-prove]', () => {
  const seen = { proved: 0, broken: 0, steps: 0, programs: 0 };
  fc.assert(
    fc.property(PROGRAMS, (drawn) => {
      const program = drawnProgram(drawn);
      const { broken, steps } = explore(program);
      seen.programs += 1;
      seen.steps += steps;
      for (const [index, proof] of proveProgram(program).entries()) {
        const real = broken[index];
        const told = () => JSON.stringify([proof, real, steps]);
        if (proof.proved) {
          seen.proved += 1;
          assert.equal(real, undefined, `proved, and broken: ${told()}`);
          continue;
        }
        assert.ok(proof.counterexample !== undefined, told());
        const length = proof.counterexample.filter(({ isStep }) => isStep).length;
        assert.ok(real === undefined || real >= length, `there is a shorter way: ${told()}`);
        const isLimit = proof.counterexample.some(({ what }) => what.includes('a limit ends'));
        if (length > steps || isLimit) continue;
        seen.broken += 1;
        assert.equal(real, length, `no run goes this way: ${told()}`);
      }
    }),
    { numRuns: 1_000 },
  );
  assert.ok(seen.proved > 1_000 && seen.broken > 1_000, JSON.stringify(seen));
});
