/** `interlock replay RUN`: a recorded run once more, with its recorded outcomes and without the world. */

import { type Divergence, type RunMove, type RunReplay, type ShownState, replayRun } from '../audit/replay-run.ts';
import { wrongOf } from '../audit/replay.ts';
import type { Configuration } from '../policy/document/configuration.ts';
import { textOf } from './entry-filter.ts';
import { CliError, EXIT, type ExitCode } from './exit.ts';
import { counted } from './issues.ts';
import type { RecordedLog } from './recorded-log.ts';
import { said, showStep } from './replay-step.ts';
import { type Terminal, inert, inertJson, writeLine } from './terminal.ts';

export interface ReplayRunOptions {
  readonly of: string;
  readonly json: boolean;
  readonly under?: Configuration;
  /** The id of a step. */
  readonly until?: string;
}

export function replayRunCommand(terminal: Terminal, log: RecordedLog, options: ReplayRunOptions): ExitCode {
  const { of, json, until } = options;
  const replayed = replayRun(() => log.recording(), options);
  if (replayed === undefined) throw new CliError('usage', `the log does not hold run \`${of}\``);
  if (until !== undefined && replayed.state === undefined) {
    throw new CliError('usage', `run \`${of}\` never came to step \`${until}\``, {
      hint: 'expected `--until` to be the id of a step of its program',
    });
  }
  const { moves, steps } = replayed;
  const differing = steps.filter(({ differs }) => differs !== undefined).length + moves.filter(isOther).length;
  const missing = steps.filter(({ injected }) => injected?.kind === 'miss').length;
  const ok = !moves.some(isOther) && steps.every((step) => wrongOf(step) === undefined);
  if (json) writeLine(terminal.output, inertJson({ ok, of, differing, missing, ...replayed }));
  else show(terminal, replayed, { differing, missing });
  return ok ? EXIT.ok : EXIT.wrong;
}

function isOther({ differs }: RunMove): boolean {
  return differs !== undefined;
}

function show(
  terminal: Terminal,
  { program, moves, steps, first, state }: RunReplay,
  { differing, missing }: { readonly differing: number; readonly missing: number },
): void {
  const { output, colour } = terminal;
  writeLine(output, `program ${inert(program)}`);
  const all = [...moves, ...steps].toSorted((one, another) => one.entry - another.entry);
  for (const one of all) {
    if ('tool' in one) showStep(terminal, one);
    else showMove(terminal, one);
  }
  if (first !== undefined) showFirst(terminal, first);
  if (state !== undefined) showState(terminal, state);
  const about = `${counted(moves.length, 'move')}, ${counted(steps.length, 'decision')}`;
  if (differing + missing === 0) writeLine(output, colour.green(`as recorded: ${about}`));
  else writeLine(output, colour.yellow(`of ${about}, ${differing} otherwise, ${missing} without an outcome`));
}

function showMove({ output, colour }: Terminal, { entry, event, status, steps, differs, attested }: RunMove): void {
  const by = event === undefined ? 'start' : inert(`${textOf(event['kind']) ?? ''} ${textOf(event['command']) ?? ''}`);
  const path = steps.length === 0 ? '' : `  → ${steps.map(inert).join(' → ')}`;
  writeLine(output, `      entry ${entry}  ${by}  ${inert(status)}${path}`);
  if (differs !== undefined) writeLine(output, colour.red(`      ${inert(differs)}`));
  if (attested !== undefined) writeLine(output, colour.dim(`      taken as recorded: ${inert(attested)}`));
}

function showFirst({ output, colour }: Terminal, { entry, command, recorded, decided, instead }: Divergence): void {
  const after = instead === undefined ? '' : `, and the run ${inert(instead.status)}`;
  const path = instead === undefined || instead.steps.length === 0 ? '' : ` by ${instead.steps.map(inert).join(' → ')}`;
  const line = `from entry ${entry} on otherwise: ${inert(command)} was ${inert(said(recorded))}, is ${inert(said(decided))}`;
  writeLine(output, colour.yellow(`${line}${after}${path}`));
}

function showState({ output }: Terminal, { entry, step, status, input, outputs, pending, spent }: ShownState): void {
  writeLine(output, `at entry ${entry}, step ${inert(step)}, ${inert(status)}`);
  if (input === undefined) writeLine(output, '  what it was given, or what a step left, is gone');
  else writeLine(output, `  input    ${inertJson(input)}`);
  for (const [id, left] of Object.entries(outputs ?? {})) writeLine(output, `  ${inert(id)}  ${inertJson(left)}`);
  for (const command of pending ?? []) writeLine(output, `  pending  ${inertJson(command)}`);
  if (spent !== undefined) writeLine(output, `  spent    ${inertJson(spent)}`);
}
