/** The one switch of the fault points: a variable of the environment that this process was started with. */

import { ENTRY_TYPES } from '../ledger/entry.ts';
import { type DieAt, type FaultPoint, SIDES, STEPS } from '../world/fault-point.ts';
import { CliError } from './exit.ts';
import { type Terminal, inert, writeLine } from './terminal.ts';

const VARIABLE = 'INTERLOCK_DIE_AT';

/** Every point there is. */
export const FAULT_POINTS: readonly FaultPoint[] = [
  ...STEPS,
  ...[...ENTRY_TYPES, 'checkpoint'].flatMap((type) => SIDES.map((side) => `${type}/${side}` as const)),
];

/**
 * Where this process is to die, for tests of crashes: `POINT` or `POINT:VISIT` in `INTERLOCK_DIE_AT`. Says so on
 * standard error. Nothing is read but the environment, which neither a policy nor an agent writes. Throws `usage`.
 */
export function dieAtOf(terminal: Pick<Terminal, 'environment' | 'errors'>): DieAt | undefined {
  const value = terminal.environment[VARIABLE];
  if (value === undefined || value === '') return undefined;
  const [name = '', visits = '1', ...rest] = value.split(':');
  const point = FAULT_POINTS.find((each) => each === name);
  const visit = /^[1-9]\d{0,8}$/u.test(visits) ? Number(visits) : undefined;
  if (point === undefined || visit === undefined || rest.length > 0) {
    throw new CliError('usage', `expected \`${VARIABLE}\` as POINT or POINT:VISIT, got \`${value}\``, {
      hint: 'it is for tests of crashes only: unset it',
    });
  }
  writeLine(terminal.errors, `interlock: ${VARIABLE} is set: this process kills itself at ${inert(value)}`);
  return { point, visit };
}
