/** Interlock's tools for runs of programs. Each shows and moves the caller's own runs only. */

import { OPEN_RUN_FOLDER, RUN_FOLDER } from '../ledger/run.ts';
import * as tools from '../policy/tool/own-programs.ts';
import { runIdOf } from '../runtime/child.ts';
import type { ConfiguredProgram } from '../runtime/configured.ts';
import { isOpen } from '../runtime/runtime.ts';
import { sayWait, toldRun } from '../runtime/told.ts';
import type { RunView } from '../runtime/view.ts';
import type { ProgramSource } from '../runtime/catalog.ts';
import { type JsonObject, isJsonObject } from '../value/json.ts';
import { RUN } from './answers.ts';
import { type OwnTool, toldAs } from './own.ts';
import {
  type ProgramPlace,
  noSuchProgram,
  noSuchRun,
  ownRun,
  placedTool,
  refused,
  restedRun,
  sourceOf,
} from './program-place.ts';

/** What the id of a run that a call started is made of, beside the call's key. */
const STARTER = 'interlock/run';
const LISTED = 20;
/** Runs that are looked at for a list, whosever they are. */
const LOOKED_AT_MAX = 1_000;

export function runTools(place: ProgramPlace): readonly OwnTool[] {
  return [
    placedTool(place, tools.RUN_PROGRAM.definition, (args, key) => runProgram(place, args, key)),
    placedTool(place, tools.RESUME_RUN.definition, (args, key) => resumeRun(place, args, key)),
    placedTool(place, tools.GET_RUN.definition, ({ run }) => getRun(place, textIn(run))),
    placedTool(place, tools.LIST_RUNS.definition, (args) => listRuns(place, args)),
    placedTool(place, tools.CANCEL_RUN.definition, ({ run }) => cancelRun(place, textIn(run))),
  ];
}

/** A configured program as a tool: what it is called with is its input, and what it answers its output. */
export function programTool(place: ProgramPlace, { name, version, input, source }: ConfiguredProgram): OwnTool {
  const act = async (args: JsonObject, key: string): Promise<JsonObject> => {
    const started = await start(place, { source, input: args, key });
    if ('refusal' in started) return started.refusal;
    const view = await restedRun(place, started.run);
    return view === undefined ? noSuchRun(started.run) : asResult(view);
  };
  return placedTool(place, tools.programAsTool({ name, version, input }), act);
}

async function runProgram(place: ProgramPlace, args: JsonObject, key: string): Promise<JsonObject> {
  const name = textIn(args['program']);
  const source = await sourceOf(place, name);
  if (source === undefined) return noSuchProgram(name);
  const { input = {}, acceptUnproved } = args;
  const order = { source, input: isJsonObject(input) ? input : {}, key, acceptUnproved: acceptUnproved === true };
  const started = await start(place, order);
  return 'refusal' in started ? started.refusal : toldRested(place, started.run);
}

interface Start {
  readonly source: ProgramSource;
  readonly input: JsonObject;
  readonly key: string;
  readonly acceptUnproved?: boolean;
}

/** The run of this call, started now or when the call was made before. */
async function start(
  { runtime, principal }: ProgramPlace,
  { key, ...order }: Start,
): Promise<{ readonly run: string } | { readonly refusal: JsonObject }> {
  const started = await runtime.start({ ...order, id: runIdOf(STARTER, key), principal: principal() });
  if (started.ok) return { run: started.run };
  // What is wrong with a program may be about tools that the caller cannot know: check_program says what it may.
  const { code, message } = started;
  const reason = code === 'program-invalid' ? 'the program cannot be used under the policy in force' : message;
  return { refusal: refused(code, reason) };
}

/** An event that comes twice, or a call that is made once more, moves the run once. */
async function resumeRun(place: ProgramPlace, args: JsonObject, key: string): Promise<JsonObject> {
  const [run, event] = [textIn(args['run']), textIn(args['event'])];
  const { payload = {}, id } = args;
  const once = { id: typeof id === 'string' ? id : key, principal: place.principal() };
  const signalled = await place.runtime.signal(run, event, payload, once);
  if (signalled.ok) return toldRested(place, run, { outcome: signalled.outcome });
  return signalled.code === 'no-such-run' ? noSuchRun(run) : refused(signalled.code, signalled.message);
}

async function getRun(place: ProgramPlace, run: string): Promise<JsonObject> {
  const view = await ownRun(place, run);
  return view === undefined ? noSuchRun(run) : toldAs(toldRun(view));
}

async function cancelRun(place: ProgramPlace, run: string): Promise<JsonObject> {
  const before = await ownRun(place, run);
  if (before === undefined) return noSuchRun(run);
  await place.runtime.cancel(run, { principal: place.principal() });
  const view = await restedRun(place, run);
  if (view === undefined) return noSuchRun(run);
  // One that is cancelled already, by this very call perhaps, is as it was wanted.
  if (isOpen(before.status) || view.status === 'cancelled') return toldAs(toldRun(view));
  return refused('over', `run \`${run}\` is over: ${view.status}`);
}

async function listRuns(place: ProgramPlace, { open, limit }: JsonObject): Promise<JsonObject> {
  const folder = open === true ? OPEN_RUN_FOLDER : RUN_FOLDER;
  const most = typeof limit === 'number' ? limit : LISTED;
  const moved = [...(await place.ledger.counters(folder))].toSorted(([, a], [, b]) => b - a);
  const runs: JsonObject[] = [];
  for (const [key] of moved.slice(0, LOOKED_AT_MAX)) {
    const view = await ownRun(place, key.slice(folder.length));
    if (view === undefined) continue;
    if (runs.length === most) return toldAs({ runs, more: true });
    runs.push(lineOf(view));
  }
  return toldAs({ runs, more: moved.length > LOOKED_AT_MAX });
}

function lineOf({ run, program, status, step, started, moved, waits }: RunView): JsonObject {
  return { run, program, status, step, started, moved, waits: waits.map((wait) => ({ ...wait })) };
}

async function toldRested(place: ProgramPlace, run: string, more: JsonObject = {}): Promise<JsonObject> {
  const view = await restedRun(place, run);
  return view === undefined ? noSuchRun(run) : toldAs({ ...more, ...toldRun(view) });
}

/** Success answers with the output itself; what is not over, and what ended otherwise, is told as a run. */
function asResult(view: RunView): JsonObject {
  const { run, status, output, because } = view;
  const meta = { _meta: { [RUN]: { run, status } } };
  if (status === 'success') return { ...toldAs(isJsonObject(output) ? output : { output }), ...meta };
  const told = toldRun(view);
  if (!isOpen(status)) {
    const sentence = `the run ended ${status}${because === undefined ? '' : `: ${because}`}`;
    return { content: [{ type: 'text', text: sentence }], structuredContent: told, isError: true, ...meta };
  }
  return { content: [{ type: 'text', text: openSentence(view) }], structuredContent: told, ...meta };
}

function openSentence({ run, status, waits }: RunView): string {
  const awaited = waits.map(({ kind, of }) => sayWait(kind, of)).join(', ');
  const state = status === 'suspended' ? `waits for ${awaited}` : 'goes on';
  return `run ${run} is not over: it ${state}; interlock__get_run says how it stands`;
}

/** The schema of the tool has seen to it that it is one. */
export function textIn(value: JsonObject[string] | undefined): string {
  return typeof value === 'string' ? value : '';
}
