/** `interlock replay`: a recorded session, run or call once more, with its recorded outcomes and without the world. */

import { type Step, replay, textIn, wrongOf } from '../../audit/replay.ts';
import { type CommonOptions, dataDirectory } from '../configuration.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { driftCommand } from '../drift.ts';
import { counted } from '../issues.ts';
import { openRecordedLog, policyFile } from '../recorded-log.ts';
import { replayRunCommand } from '../replay-run.ts';
import { showStep } from '../replay-step.ts';
import { type Terminal, inert, inertJson, writeLine } from '../terminal.ts';

export interface ReplayCommandOptions extends CommonOptions {
  /** The id of a session, a run or a call. */
  readonly of: string;
  readonly policy?: string;
  /** The last step, as typed: its number, or of a run its id. */
  readonly until?: string;
  /** Compare with these sessions instead, or with as many as this number says. */
  readonly baseline?: readonly string[];
}

export async function replayCommand(terminal: Terminal, options: ReplayCommandOptions): Promise<ExitCode> {
  const { of, json, baseline } = options;
  if (baseline !== undefined) {
    if (options.policy === undefined && options.until === undefined) {
      return driftCommand(terminal, { ...options, baseline });
    }
    throw new CliError('usage', '`--baseline` compares what was recorded: expected neither `--policy` nor `--until`');
  }
  const under = options.policy === undefined ? undefined : await policyFile(terminal, options, options.policy);
  using log = openRecordedLog(terminal, dataDirectory(terminal, options));
  if (log.isRun(of)) {
    const more = options.until === undefined ? {} : { until: options.until };
    return replayRunCommand(terminal, log, {
      of,
      json,
      ...(under === undefined ? {} : { under: under.configuration }),
      ...more,
    });
  }
  const until = options.until === undefined ? undefined : readStep(options.until);
  const steps = replay(log.recording(), {
    of,
    ...(under === undefined ? {} : { under: under.configuration }),
    ...(until === undefined ? {} : { until }),
  });
  if (steps.length === 0) {
    const hint = '`interlock log --json` shows sessions as `run.id` and calls as `call`';
    throw new CliError('usage', `no session, no run and no call \`${of}\` is recorded here`, { hint });
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
