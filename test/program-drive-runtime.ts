/** Drives the cases of the corpus through the real runtime and authority, over a ledger in memory. */

import assert from 'node:assert/strict';
import { textOf } from '../src/audit/problem.ts';
import type { Entry } from '../src/ledger/entry.ts';
import { readEvent, readStarted } from '../src/runtime/entry.ts';
import { entriesOf, loadRun } from '../src/runtime/load.ts';
import { isOpen } from '../src/runtime/runtime.ts';
import type { JsonObject, JsonValue } from '../src/value/json.ts';
import { isJsonObject } from '../src/value/json.ts';
import { ASK } from '../src/policy/tool/own.ts';
import { deepReport } from './authority-world.ts';
import { PRINCIPAL, policyOf } from './program-catalog.ts';
import type { Observed, Outside, ProgramCase } from './program-corpus.ts';
import { Playing } from './program-playing.ts';
import { happen } from './program-happen.ts';
import { outcomesOf } from './program-script.ts';

const START = Date.UTC(2026, 0, 1);

export interface RuntimeDriving {
  /** Every run is made again from the ledger before each of its moves. */
  readonly alwaysReplay?: boolean;
  /** The process dies whenever nothing is under way, and another one goes on. */
  readonly restarts?: boolean;
}

export async function driveRuntime(
  each: ProgramCase,
  { alwaysReplay = false, restarts = false }: RuntimeDriving = {},
): Promise<Observed> {
  const programs = Object.entries(each.programs).map(([name, document]) => [name, JSON.stringify(document)] as const);
  const playing = new Playing({
    policy: policyOf(each),
    programs: Object.fromEntries(programs),
    outcome: outcomesOf(each),
    start: START,
    alwaysReplay,
  });
  await playing.open();
  const text = typeof each.program === 'string' ? each.program : JSON.stringify(each.program, undefined, 2);
  const { runtime } = playing.world;
  const order = { principal: PRINCIPAL, source: { file: 'program', text }, input: each.input, acceptUnproved: true };
  const started = await runtime.start(order);
  const nothing = { path: [], calls: [], asked: [], denied: [], undone: [], notUndone: [], runs: {}, moved: [] };
  if (!started.ok) {
    const issues = (started.issues ?? []).filter(({ severity }) => severity === 'error');
    assert.ok(issues.length > 0, started.message);
    return { ...nothing, issues: issues.map(({ code, line }) => [code, line]) };
  }
  const moved: boolean[] = [];
  for (const event of each.outside) {
    const isNow = (): Promise<boolean> => isTime(playing, started.run, event);
    await playing.settle(isNow);
    assert.ok(await isNow(), `${each.title}: the run never comes to ${JSON.stringify(event)}`);
    if (restarts && event.while === undefined) await playing.open();
    moved.push(await happen(playing, started.run, event));
  }
  await playing.settle(async () => false);
  if (restarts) await playing.open();
  await playing.settle(async () => false);
  assert.deepEqual(deepReport(playing.world).problems, []);
  return { ...(await observed(playing, started.run)), moved };
}

/** Whether `event` comes now. */
async function isTime(playing: Playing, run: string, event: Outside): Promise<boolean> {
  const { runtime, ledger, authority, vault, world } = playing.world;
  if (event.while === undefined) {
    const view = await runtime.get(run);
    if (!playing.isQuiet || view === undefined || !(await playing.isIdle())) return false;
    return event.late === true ? !isOpen(view.status) : view.status === 'suspended';
  }
  for (const key of (await ledger.counters('run-open/')).keys()) {
    const loaded = await loadRun({ ledger, authority, vault, world }, key.slice('run-open/'.length));
    if (loaded.ok && loaded.value.state.pending.has(event.while)) return true;
  }
  return false;
}

async function observed(playing: Playing, run: string): Promise<Omit<Observed, 'moved'>> {
  const { world, sent } = playing;
  const view = await world.runtime.get(run);
  const loaded = await loadRun(world, run);
  assert.ok(view !== undefined && loaded.ok, JSON.stringify(loaded));
  const { state } = loaded.value;
  const { steps, attempts, tokens, microUsd, activeMs } = state.spent;
  const output = await world.ledger.body(run, 'output');
  assert.deepEqual(output, isOpen(state.status) ? undefined : state.ending?.output);
  const failure = isJsonObject(view.failure) ? view.failure : undefined;
  return {
    status: view.status,
    ...(output === undefined ? {} : { output }),
    ...(view.because === undefined ? {} : { because: view.because }),
    path: view.steps,
    calls: sent.calls,
    asked: sent.asked,
    denied: deniedIn(playing.entries()),
    undone: await undoneBy(playing, run),
    notUndone: (view.notUndone ?? []).map(textOf),
    ...(failure === undefined ? {} : { failure: [textOf(failure['step']), textOf(failure['code'])] }),
    spent: { steps, attempts, tokens, usd: microUsd / 1_000_000, time: activeMs },
    runs: await otherRuns(playing),
  };
}

/** The codes of the calls of runs that were not made; of one that was proposed again and again the last. */
function deniedIn(entries: readonly Entry[]): readonly string[] {
  const denied = new Map<JsonValue, string>();
  const asks = new Set<JsonValue | undefined>();
  for (const { type, call, run, tool, policy, by } of entries) {
    const { name } = isJsonObject(tool) ? tool : {};
    if (type === 'call.parked' && name === ASK.name) asks.add(call);
    else if (type === 'call.intent') denied.delete(commandIn(run));
    else if (type === 'call.denied')
      denied.set(commandIn(run), textOf(isJsonObject(policy) ? policy['code'] : undefined));
    else if (asks.has(call)) continue;
    else if (type === 'call.expired') denied.set(call ?? '', 'approval-expired');
    else if (type === 'call.refused' && by !== 'interlock') denied.set(call ?? '', 'approval-refused');
  }
  return [...denied.values()];
}

function commandIn(run: JsonValue | undefined): string {
  const { id, command } = isJsonObject(run) ? run : ({} as JsonObject);
  return JSON.stringify([id, command]);
}

async function undoneBy({ world }: Playing, run: string): Promise<readonly string[]> {
  const events = (await entriesOf(world.ledger, run)).flatMap(([, entry]) => readEvent(entry)?.event ?? []);
  return events.flatMap((event) => {
    if (event.kind !== 'call' && event.kind !== 'settled') return [];
    const isDone = event.kind === 'call' ? event.end === 'succeeded' : event.as === 'executed';
    return isDone && event.command.startsWith('undo/') ? [event.command.slice('undo/'.length)] : [];
  });
}

/** By the command that began it, each run of another program. */
async function otherRuns({ world }: Playing): Promise<Observed['runs']> {
  const runs: Record<string, Observed['runs'][string]> = {};
  for (const entry of world.entries()) {
    const { id = '', parent } = readStarted(entry) ?? {};
    const view = parent === undefined ? undefined : await world.runtime.get(id);
    if (parent !== undefined && view !== undefined) runs[parent.command] = { status: view.status, path: view.steps };
  }
  return runs;
}
