/** A decision that was made again, as a line for people. */

import type { Said, Step } from '../audit/replay.ts';
import { type Terminal, inert, writeLine } from './terminal.ts';

const ARGS_MAX = 96;

export function showStep({ output, colour }: Terminal, step: Step): void {
  const { entry, tool, args, recorded, decided, differs, attested, injected } = step;
  const written = JSON.stringify(args);
  const shown = written.length > ARGS_MAX ? `${written.slice(0, ARGS_MAX)}…` : written;
  const answer = injected?.kind === 'outcome' ? `, ${injected.state}` : '';
  const what = `${String(step.step).padStart(4)}  entry ${entry}  ${inert(tool)} ${inert(shown)}`;
  writeLine(output, `${what}  ${inert(said(decided))}${answer}`);
  if (said(recorded) !== said(decided)) writeLine(output, colour.yellow(`      it was ${inert(said(recorded))}`));
  if (differs !== undefined) writeLine(output, colour.yellow(`      ${inert(differs)}`));
  if (attested !== undefined) writeLine(output, colour.dim(`      taken as recorded: ${inert(attested)}`));
  if (injected?.kind === 'miss') writeLine(output, colour.red(`      no outcome: ${inert(injected.why)}`));
}

/** As `log` and `decide` say it. */
export function said({ effect, code, rules }: Said): string {
  const by = rules.length === 0 ? '' : ` by ${rules.join(', ')}`;
  return `${effect} (${code})${by}`;
}
