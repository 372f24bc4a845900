/** What comes to the runs of a case from outside, as a real runtime and authority are told of it. */

import assert from 'node:assert/strict';
import { approve, refuse } from '../src/authority/approve.ts';
import { settle } from '../src/authority/settle.ts';
import type { Entry } from '../src/ledger/entry.ts';
import { OPEN_RUN_FOLDER } from '../src/ledger/run.ts';
import { isMove, readStarted } from '../src/runtime/entry.ts';
import { isJsonObject } from '../src/value/json.ts';
import { overriding } from './authority-world.ts';
import type { Outside } from './program-corpus.ts';
import type { Playing } from './program-playing.ts';
import { durationOf } from './program-script.ts';

/** Who answers what is asked. */
const ANSWERS = 'ann';

/** Whether it moved a run. */
export async function happen(playing: Playing, first: string, event: Outside): Promise<boolean> {
  const run = event.in === undefined ? first : begunBy(playing, event.in);
  const { runtime } = playing.world;
  if (event.clock !== undefined) return pass(playing, durationOf(event.clock));
  if (event.cancel === true) {
    const isCancelled = await runtime.cancel(run);
    await playing.quiet();
    // What it took back is seen like any other answer.
    await runtime.look();
    return isCancelled;
  }
  if (event.crash === true) return moves(playing, () => playing.open());
  if (event.signal !== undefined) {
    const { id, payload = {} } = event;
    const signalled = await runtime.signal(run, event.signal, payload, id === undefined ? {} : { id });
    return signalled.ok && signalled.outcome === 'moved';
  }
  if (event.answer !== undefined) return respond(playing, run, event.answer, event.to);
  assert.ok(event.settle !== undefined);
  return conclude(playing, run, event.settle, event);
}

function begunBy(playing: Playing, command: string): string {
  const begun = playing.entries().map(readStarted);
  return begun.find((one) => one?.parent?.command === command)?.id ?? assert.fail(`no run was begun by \`${command}\``);
}

/** Whether a run is moved by `act`, before any outcome arrives. */
async function moves(playing: Playing, act: () => Promise<unknown>): Promise<boolean> {
  const count = (): number => playing.entries().filter((entry) => isMove(entry) && !isStart(entry)).length;
  const before = count();
  await act();
  await playing.quiet();
  return count() > before;
}

function isStart({ type }: Entry): boolean {
  return type === 'program.started';
}

/** Time passes, and what waits is looked at whenever some of it is over. */
async function pass(playing: Playing, durationMs: number): Promise<boolean> {
  const until = playing.clock.now() + durationMs;
  let isMoved = false;
  while (!playing.isDead) {
    await playing.settle(async () => false, until);
    const over = (await deadlines(playing)).filter((at) => at <= until);
    if (over.length === 0) break;
    playing.clock.advance(Math.max(0, Math.min(...over) - playing.clock.now()));
    isMoved = (await moves(playing, () => playing.world.runtime.look())) || isMoved;
  }
  playing.clock.advance(until - playing.clock.now());
  return (await moves(playing, () => playing.world.runtime.look())) || isMoved;
}

/** When the time of each event and each approval is over that a run waits for. */
async function deadlines(playing: Playing): Promise<readonly number[]> {
  const { ledger, runtime } = playing.world;
  const times = (await ledger.parked()).map(({ deadline }) => deadline);
  for (const key of (await ledger.counters(OPEN_RUN_FOLDER)).keys()) {
    const { waits = [] } = (await runtime.get(key.slice(OPEN_RUN_FOLDER.length))) ?? {};
    times.push(...waits.flatMap(({ expires }) => (expires === undefined ? [] : [Date.parse(expires)])));
  }
  assert.ok(playing.isDead || times.every((at) => at > playing.clock.now()), 'what is over was looked at');
  return times;
}

/** The call that a run waits for now, or that a command of it began. */
async function callOf(
  playing: Playing,
  run: string,
  kind: 'approval' | 'settlement',
  to: string | undefined,
): Promise<string | undefined> {
  if (to === undefined) return (await playing.world.runtime.get(run))?.waits.find((wait) => wait.kind === kind)?.of;
  const type = kind === 'approval' ? 'call.parked' : 'call.intent';
  const found = playing.entries().findLast((entry) => entry.type === type && isOf(entry, run, to));
  return typeof found?.['call'] === 'string' ? found['call'] : undefined;
}

function isOf({ run }: Entry, id: string, command: string): boolean {
  return isJsonObject(run) && run['id'] === id && run['command'] === command;
}

async function respond(playing: Playing, run: string, answer: 'yes' | 'no', to: string | undefined): Promise<boolean> {
  const call = await callOf(playing, run, 'approval', to);
  if (call === undefined) return false;
  const { ledger, world, runtime } = playing.world;
  const answered =
    answer === 'yes'
      ? await approve(ledger, world, { call, by: ANSWERS, unsigned: true })
      : await refuse(ledger, world, { call, by: ANSWERS, reason: 'no' });
  await runtime.look();
  return answered.ok;
}

async function conclude(
  playing: Playing,
  run: string,
  as: 'executed' | 'not-executed',
  { to, output }: Outside,
): Promise<boolean> {
  const call = await callOf(playing, run, 'settlement', to);
  if (call === undefined) return false;
  const { world } = playing;
  // What was not executed can only be said once the process that sent it is gone.
  const ledger = overriding(world.ledger, { isAlive: async () => false });
  const brought = output === undefined ? {} : { output: { structuredContent: output } };
  const settled = await settle(ledger, world, { call, as, by: 'os:ann', reason: 'it was looked up', ...brought });
  const isMoved = await moves(playing, () => world.runtime.look());
  return settled.ok && isMoved;
}
