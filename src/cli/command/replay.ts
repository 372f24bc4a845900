/** `interlock replay`: a recorded session or call once more, with its recorded outcomes and without the world. */

import { type Said, type Step, replay, textIn, wrongOf } from '../../audit/replay.ts';
import { type CommonOptions, dataDirectory } from '../configuration.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { driftCommand } from '../drift.ts';
import { counted } from '../issues.ts';
import { openRecordedLog, policyFile } from '../recorded-log.ts';
import { type Terminal, inert, inertJson, writeLine } from '../terminal.ts';

export interface ReplayCommandOptions extends CommonOptions {
  /** The id of a session, a run or a call. */
  readonly of: string;
  readonly policy?: string;
  /** The last step, as typed. */
  readonly until?: string;
  /** Compare with these sessions instead, or with as many as this number says. */
  readonly baseline?: readonly string[];
}

const ARGS_MAX = 96;

export async function replayCommand(terminal: Terminal, options: ReplayCommandOptions): Promise<ExitCode> {
  const { of, json, baseline } = options;
  if (baseline !== undefined) {
    if (options.policy === undefined && options.until === undefined) {
      return driftCommand(terminal, { ...options, baseline });
    }
    throw new CliError('usage', '`--baseline` compares what was recorded: expected neither `--policy` nor `--until`');
  }
  const until = options.until === undefined ? undefined : readStep(options.until);
  const under = options.policy === undefined ? undefined : await policyFile(terminal, options, options.policy);
  using log = openRecordedLog(terminal, dataDirectory(terminal, options));
  const steps = replay(log.recording(), {
    of,
    ...(under === undefined ? {} : { under: under.configuration }),
    ...(until === undefined ? {} : { until }),
  });
  if (steps.length === 0) {
    const hint = '`interlock log --json` shows sessions as `run.id` and calls as `call`';
    throw new CliError('usage', `no session and no call \`${of}\` is recorded here`, { hint });
  }
  const differing = steps.filter(({ differs }) => differs !== undefined).length;
  const missing = steps.filter(({ injected }) => injected?.kind === 'miss').length;
  const ok = steps.every((step) => wrongOf(step) === undefined);
  if (json) writeLine(terminal.output, inertJson({ ok, of, differing, missing, steps }));
  else {
    for (const step of steps) showStep(terminal, step);
    if (until !== undefined) showWhole(terminal, steps.at(-1));
    writeLine(terminal.output, summary(terminal, steps.length, differing, missing));
  }
  return ok ? EXIT.ok : EXIT.wrong;
}

function readStep(text: string): number {
  const step = /^\d{1,9}$/u.test(text) ? Number(text) : 0;
  if (step > 0) return step;
  throw new CliError('usage', `expected \`--until\` to be the number of a step from 1 on, got \`${text}\``);
}

function showStep({ output, colour }: Terminal, step: Step): void {
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

/** The step that somebody wants to look at. */
function showWhole({ output }: Terminal, step: Step | undefined): void {
  if (step === undefined) return;
  writeLine(output, `  args    ${inertJson(step.args)}`);
  const { injected } = step;
  if (injected?.kind !== 'outcome' || injected.output === undefined) return;
  writeLine(output, `  output  ${inertJson(injected.output)}`);
  const text = textIn(injected.output);
  for (const line of text?.split('\n') ?? []) writeLine(output, `    ${inert(line)}`);
}

function summary({ colour }: Terminal, steps: number, differing: number, missing: number): string {
  if (differing + missing === 0) return colour.green(`as recorded: ${counted(steps, 'step')}`);
  const parts = [
    ...(differing === 0 ? [] : [`${differing} decided otherwise`]),
    ...(missing === 0 ? [] : [`${missing} without an outcome`]),
  ];
  return colour.yellow(`of ${counted(steps, 'step')}, ${parts.join(', ')}`);
}
