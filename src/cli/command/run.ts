/** `interlock run FILE`: runs a program until it is over, or waits for somebody. `signal` and `cancel` go on the same way. */

import { type JsonObject, isJsonObject, parseJson } from '../../value/json.ts';
import type { Issue } from '../../value/issue.ts';
import { isOpen } from '../../runtime/runtime.ts';
import { toldRun } from '../../runtime/told.ts';
import type { RunView } from '../../runtime/view.ts';
import type { CommonOptions } from '../configuration.ts';
import { type Engine, openEngine, untilRest } from '../engine.ts';
import { readProgramFile } from '../program-file.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { showIssues } from '../issues.ts';
import { runLines } from '../run-told.ts';
import { type Terminal, inertJson, writeLine } from '../terminal.ts';

export interface RunOptions extends CommonOptions {
  readonly path: string;
  /** JSON; an empty object if not given. */
  readonly input?: string;
  /** Start although properties are not proved. */
  readonly unproved: boolean;
}

export async function runCommand(terminal: Terminal, options: RunOptions): Promise<ExitCode> {
  const source = await readProgramFile(terminal, options.path);
  const input = inputOf(options.input);
  await using engine = await openEngine(terminal, options, { create: true });
  const { principal } = engine.configuration;
  let run = '';
  let refused: { readonly message: string; readonly code: string; readonly issues?: readonly Issue[] } | undefined;
  await untilRest(engine, async () => {
    const started = await engine.runtime.start({ principal, source, input, acceptUnproved: options.unproved });
    if (!started.ok) refused = started;
    else {
      run = started.run;
      await engine.runtime.settled(run);
    }
  });
  if (refused === undefined) return await tell(terminal, options, engine, run);
  const { code, message, issues = [] } = refused;
  if (options.json) writeLine(terminal.output, inertJson({ ok: false, code, message }));
  else if (issues.length > 0) showIssues(terminal, issues, options.path, source.text);
  throw new CliError('unreadable', `the program was not started: ${message} [${code}]`);
}

export interface SignalOptions extends CommonOptions {
  readonly run: string;
  readonly event: string;
  readonly payload?: string;
  readonly id?: string;
}

export async function signalCommand(terminal: Terminal, options: SignalOptions): Promise<ExitCode> {
  const payload = jsonOf(options.payload ?? '{}', '--payload');
  await using engine = await openEngine(terminal, options, { create: false });
  const { run, event, id } = options;
  let problem: string | undefined;
  await untilRest(engine, async () => {
    const signalled = await engine.runtime.signal(run, event, payload, id === undefined ? {} : { id });
    if (!signalled.ok) problem = `${signalled.message} [${signalled.code}]`;
    else if (signalled.outcome === 'taken') writeLine(terminal.errors, 'interlock: this event came before');
  });
  if (problem !== undefined) return await wrong(terminal, options, engine, run, problem);
  return await tell(terminal, options, engine, run);
}

export interface CancelOptions extends CommonOptions {
  readonly run: string;
}

export async function cancelCommand(terminal: Terminal, options: CancelOptions): Promise<ExitCode> {
  await using engine = await openEngine(terminal, options, { create: false });
  const { run } = options;
  let isCancelled = false;
  await untilRest(engine, async () => {
    isCancelled = await engine.runtime.cancel(run);
  });
  if (!isCancelled) return await wrong(terminal, options, engine, run, `run \`${run}\` is over, or there is none`);
  const view = await viewOf(engine, run);
  show(terminal, options, view);
  return view.status === 'cancelled' ? EXIT.ok : exitOf(view);
}

/** The last word on a run, and the exit code that says the same. */
async function tell(terminal: Terminal, options: CommonOptions, engine: Engine, run: string): Promise<ExitCode> {
  const view = await viewOf(engine, run);
  show(terminal, options, view);
  return exitOf(view);
}

async function wrong(
  terminal: Terminal,
  options: CommonOptions,
  engine: Engine,
  run: string,
  problem: string,
): Promise<ExitCode> {
  const view = await engine.runtime.get(run);
  if (options.json) {
    writeLine(
      terminal.output,
      inertJson({ ok: false, message: problem, ...(view === undefined ? {} : toldRun(view)) }),
    );
  } else writeLine(terminal.errors, `interlock: ${problem}`);
  return EXIT.wrong;
}

function show(terminal: Terminal, { json }: CommonOptions, view: RunView): void {
  if (json) writeLine(terminal.output, inertJson(toldRun(view)));
  else for (const line of runLines(terminal, view)) writeLine(terminal.output, line);
}

async function viewOf({ runtime }: Engine, run: string): Promise<RunView> {
  const view = await runtime.get(run);
  if (view === undefined) throw new CliError('usage', `there is no run \`${run}\` in this ledger`);
  return view;
}

function exitOf({ status }: RunView): ExitCode {
  if (status === 'success') return EXIT.ok;
  return isOpen(status) ? EXIT.suspended : EXIT.runFailed;
}

function inputOf(text = '{}'): JsonObject {
  const value = jsonOf(text, '--input');
  if (isJsonObject(value)) return value;
  throw new CliError('usage', 'expected `--input` to be a JSON object');
}

function jsonOf(text: string, option: string): JsonObject[string] {
  const parsed = parseJson(text);
  if (parsed.ok) return parsed.value;
  const [issue] = parsed.issues;
  throw new CliError('usage', `\`${option}\` is no JSON: ${issue?.message ?? ''}`);
}
