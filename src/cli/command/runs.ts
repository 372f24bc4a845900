/** `interlock runs`: the runs that there are. `interlock runs recover`: goes on with what a dead process left. */

import { OPEN_RUN_FOLDER, RUN_FOLDER } from '../../ledger/run.ts';
import { toldRun } from '../../runtime/told.ts';
import type { RunView } from '../../runtime/view.ts';
import { viewOf } from '../../runtime/view.ts';
import { type CommonOptions, dataDirectory, requireNamed } from '../configuration.ts';
import { readData } from '../data.ts';
import { openEngine, untilRest } from '../engine.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { counted } from '../issues.ts';
import { runLines } from '../run-told.ts';
import { type Terminal, inertJson, writeLine } from '../terminal.ts';

export interface RunsOptions extends CommonOptions {
  readonly action?: string;
  /** Those that are over as well. */
  readonly all: boolean;
}

export async function runsCommand(terminal: Terminal, options: RunsOptions): Promise<ExitCode> {
  if (options.action === undefined) return list(terminal, options);
  if (options.action === 'recover') return recover(terminal, options);
  throw new CliError('usage', `expected \`recover\` or nothing, got \`${options.action}\``);
}

async function list(terminal: Terminal, options: RunsOptions): Promise<ExitCode> {
  await requireNamed(terminal, options);
  using data = readData(dataDirectory(terminal, options));
  const folder = options.all ? RUN_FOLDER : OPEN_RUN_FOLDER;
  const runs = [...(await data.counters(folder)).keys()].map((key) => key.slice(folder.length));
  if (runs.length === 0 && !options.json) {
    const which = options.all ? 'there are no runs' : 'no run is open; --all lists those that are over';
    writeLine(terminal.output, which);
  }
  for (const run of runs) {
    const view = await viewOf(data, run);
    if (view !== undefined) tell(terminal, options, view);
  }
  return EXIT.ok;
}

/** What may not be repeated stays as it is, and is told: a person settles it. */
async function recover(terminal: Terminal, options: RunsOptions): Promise<ExitCode> {
  await using engine = await openEngine(terminal, options, { create: false });
  let taken = 0;
  await untilRest(engine, async () => {
    taken = await engine.runtime.recover();
    await engine.runtime.look();
  });
  const open = [...(await engine.data.ledger.counters(OPEN_RUN_FOLDER)).keys()];
  if (!options.json)
    writeLine(terminal.output, `${counted(taken, 'run')} taken up, ${counted(open.length, 'run')} open`);
  for (const key of open) {
    const view = await engine.runtime.get(key.slice(OPEN_RUN_FOLDER.length));
    if (view !== undefined) tell(terminal, options, view);
  }
  return EXIT.ok;
}

function tell(terminal: Terminal, { json }: RunsOptions, view: RunView): void {
  if (json) writeLine(terminal.output, inertJson(toldRun(view)));
  else for (const line of runLines(terminal, view)) writeLine(terminal.output, line);
}
