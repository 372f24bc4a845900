/** Programs that nobody would write, over tools that do anything, in processes that die after any write. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { deepReport, policyOf } from '../../test/authority-world.ts';
import { happen } from '../../test/program-happen.ts';
import { Playing } from '../../test/program-playing.ts';
import type { Came, Said } from '../../test/program-script.ts';
import { type Drawn, INPUTS, PROGRAMS } from '../../test/property-programs.ts';
import { LedgerError } from '../ledger/ledger.ts';
import type { Policy } from '../policy/compile.ts';
import { ASK } from '../policy/tool/own.ts';
import type { compileProgram } from '../program/compile.ts';
import { linkProgram } from '../program/link.ts';
import { readProgram } from '../program/read.ts';
import { type JsonObject, isJsonObject } from '../value/json.ts';
import { type Linked, linkSource } from './catalog.ts';
import { isMove, readStarted } from './entry.ts';
import { loadRun } from './load.ts';
import { isOpen } from './runtime.ts';
import { startRun } from './start.ts';
import type { RunView } from './view.ts';

const OBJECT = 'input: { type: object }';
const MODEL = '{ provider: scripted, file: answers.yaml, price: { input: 1, output: 1 } }';
const POLICY = policyOf(`
interlock: 1
approvals: { signed: false }
principals: { local: {}, ann: { roles: [finance] } }
models: { one: ${MODEL}, two: ${MODEL} }
tools:
  crm.find: { effect: read, ${OBJECT} }
  crm.note: { effect: write, ${OBJECT} }
  payments.create_refund: { ${OBJECT} }
  payments.cancel_refund: { ${OBJECT} }
rules:
  - allow: "*"
  - { ask: crm.note, approvers: [ann], expires: 1h, when: args.text == "two" }
`);
const START = Date.UTC(2026, 0, 1);
const RUN = '01a1fa1d-8100-7880-8edc-012393175a3a';
const TURNS_MAX = 400;

/** As it would run, whatever is wrong with it as a whole. */
const compileAnyway: typeof compileProgram = (text, file, catalog) => {
  const read = readProgram(text, file);
  return read.ok ? linkProgram(read.value, file, catalog) : read;
};

function linkedOf(policy: Policy, { text, child }: Drawn): Linked {
  const programs = (name: string) => (name === 'child' ? { file: name, text: named(child, 'child.') } : undefined);
  const parsed = linkSource(policy, 'local', { file: 'any', text: named(text, '') }, programs, compileAnyway);
  assert.ok(parsed.ok, JSON.stringify(parsed.issues));
  return parsed.value;
}

/** The same program, in which each call says of which step or branch it is, or that it undoes that. */
function named(text: string, prefix: string): string {
  const { steps, ...program } = JSON.parse(text) as { readonly steps: Readonly<Record<string, JsonObject>> };
  const of = (name: string, { undo, ...step }: JsonObject): JsonObject => {
    if (step['tool'] === undefined) return step;
    const undone = isJsonObject(undo) ? { undo: { ...undo, args: { text: `undo/${name}` } } } : {};
    return { ...step, args: { text: name }, ...undone };
  };
  const each = Object.entries(steps).map(([id, { parallel, ...step }]): readonly [string, JsonObject] => {
    if (!isJsonObject(parallel)) return [id, of(`${prefix}${id}`, step)];
    const branches = Object.entries(parallel).map(([name, branch]) => [
      name,
      isJsonObject(branch) ? of(`${prefix}${id}/${name}`, branch) : branch,
    ]);
    return [id, { ...step, parallel: Object.fromEntries(branches) as JsonObject }];
  });
  return JSON.stringify({ ...program, steps: Object.fromEntries(each) });
}

/** Numbers in the place of everything that is not decided by the run. */
type Pick = (below: number) => number;

function sayingOf(pick: Pick): Said {
  return (asked): Came => {
    const takesMs = [0, 0, 700, 70_000][pick(4)] ?? 0;
    const common = { takesMs, mutates: pick(4) === 0, usage: asked.kind === 'model' ? { tokens: pick(5) } : {} };
    const end = (['succeeded', 'succeeded', 'succeeded', 'failed', 'not-started', 'unknown'] as const)[pick(6)];
    if (end !== 'succeeded') return { end: end ?? 'failed', message: 'no', ...common };
    if (asked.kind === 'model') return { end, output: ['yes', 'no', 'nonsense'][pick(3)] ?? '', ...common };
    return { end, output: asked.tool === 'crm.find' ? { n: pick(2) * 9 } : { id: 'x' }, ...common };
  };
}

/** Something that is done about what a run waits for, or to it. */
async function act(playing: Playing, { run, waits }: RunView, pick: Pick): Promise<void> {
  const wait = waits[pick(waits.length)];
  const number = pick(10);
  if (number === 0) await happen(playing, run, { cancel: true });
  else if (number === 1) await happen(playing, run, { clock: '2h' });
  else if (number === 2) await playing.open();
  else if (number === 3) await happen(playing, run, { clock: '25h' });
  else if (wait?.kind === 'event') await happen(playing, run, { signal: wait.of, id: `e${pick(3)}` });
  else if (wait?.kind === 'approval') await happen(playing, run, { answer: pick(2) === 0 ? 'yes' : 'no' });
  else if (wait?.kind === 'settlement') {
    const said =
      pick(2) === 0 ? ({ settle: 'not-executed' } as const) : ({ settle: 'executed', output: { n: 1 } } as const);
    await happen(playing, run, said);
  }
}

/** What was tried in a process that died meanwhile is tried again in the next one, as people do. */
async function whileAlive(playing: Playing, work: () => Promise<unknown>): Promise<void> {
  try {
    if (!playing.isDead) await work();
  } catch (error) {
    if (!(error instanceof LedgerError) || !playing.isDead) throw error;
  }
  while (playing.isDead) {
    await playing.open().catch((error: unknown) => {
      if (!(error instanceof LedgerError) || !playing.isDead) throw error;
    });
  }
}

async function viewsOf({ world }: Playing): Promise<readonly RunView[]> {
  const ids = world.entries().flatMap((entry) => readStarted(entry)?.id ?? []);
  const views = await Promise.all(ids.map((id) => world.runtime.get(id)));
  return views.filter((view) => view !== undefined);
}

/** Plays the run until it is over, or has had its turns. */
async function play(playing: Playing, linked: Linked, input: JsonObject, pick: Pick): Promise<void> {
  await playing.open();
  await startRun(playing.world.options, { id: RUN, principal: 'local', linked, input });
  await whileAlive(playing, () => playing.world.runtime.recover());
  for (let turn = 0; turn < TURNS_MAX; turn += 1) {
    await whileAlive(playing, () => playing.settle(async () => playing.isDead));
    const open = (await viewsOf(playing)).filter(({ status }) => isOpen(status));
    const [first] = open;
    if (first === undefined) return;
    await whileAlive(playing, () => playing.world.runtime.look());
    const view = open[pick(open.length)] ?? first;
    await whileAlive(playing, () => act(playing, view, pick));
  }
}

/** What was sent of each step, branch and undo is no more than what was given out; what reads may be sent again. */
async function checkEffects(playing: Playing): Promise<void> {
  const given = new Map<string, number>();
  const views = await viewsOf(playing);
  for (const { parent, steps } of views) {
    for (const step of steps) {
      const name = parent === undefined ? step : `child.${step}`;
      given.set(name, (given.get(name) ?? 0) + 1);
    }
  }
  const sent = new Map<string, number>();
  for (const [tool, { text: name }] of playing.effects) {
    if (tool === 'crm.find' || typeof name !== 'string') continue;
    sent.set(name, (sent.get(name) ?? 0) + 1);
  }
  for (const [name, times] of sent) {
    const [step = ''] = name.replace(/^undo\//u, '').split('/');
    assert.ok(times <= (given.get(step) ?? 0), `${name} was sent ${times} times`);
  }
}

async function checkRuns(playing: Playing): Promise<void> {
  const { world } = playing;
  for (const view of await viewsOf(playing)) {
    const loaded = await loadRun(world, view.run);
    assert.ok(loaded.ok, loaded.ok ? '' : loaded.message);
    const { state, standing } = loaded.value;
    assert.deepEqual([state.status, state.step], [view.status, view.step]);
    assert.equal(standing.snapshot, view.snapshot);
    assert.ok(view.status !== 'running' && (view.status !== 'suspended' || view.waits.length > 0), view.status);
  }
}

/** No call of a run that is over waits for an approval, which would still carry it out. */
async function checkApprovals(playing: Playing): Promise<void> {
  const waits = (await viewsOf(playing)).flatMap((view) => (isOpen(view.status) ? view.waits : []));
  const parked = await playing.world.ledger.parked();
  const left = parked.filter(({ id, tool }) => tool !== ASK.name && !waits.some(({ of }) => of === id));
  assert.deepEqual(left, []);
}

/** Nothing moves what is over: no event, no cancel, no restart, no time. */
async function checkAbsorbing(playing: Playing): Promise<void> {
  const moves = (): number => playing.world.entries().filter(isMove).length;
  const before = moves();
  for (const { run } of (await viewsOf(playing)).filter(({ status }) => !isOpen(status))) {
    assert.equal(await happen(playing, run, { signal: 'news' }), false);
    assert.equal(await happen(playing, run, { cancel: true }), false);
  }
  assert.equal(moves(), before);
}

test('any program, with any outcomes, in processes that die after any write: no effect twice, and the log says it all', async () => {
  const ends = new Map<string, number>();
  const deaths = fc.array(fc.nat({ max: 40 }), { maxLength: 4 });
  const scene = fc.record({ drawn: PROGRAMS, input: fc.constantFrom(...INPUTS), deaths, isReplayed: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(scene, fc.infiniteStream(fc.nat()), async ({ drawn, input, isReplayed, ...of }, numbers) => {
      const source = numbers[Symbol.iterator]();
      const pick: Pick = (below) => (below === 0 ? 0 : (source.next().value ?? 0) % below);
      const linked = linkedOf(POLICY, drawn);
      const options = { policy: POLICY, programs: {}, outcome: sayingOf(pick), start: START, alwaysReplay: isReplayed };
      // The opening and the first entry of the run are always there.
      const playing = new Playing({ ...options, deaths: of.deaths.map((left, at) => left + (at === 0 ? 6 : 1)) });
      await play(playing, linked, input, pick);
      playing.spare();
      await checkEffects(playing);
      await checkRuns(playing);
      await checkApprovals(playing);
      await checkAbsorbing(playing);
      assert.deepEqual(deepReport(playing.world).problems, []);
      const status = (await playing.world.runtime.get(RUN))?.status ?? '';
      ends.set(status, (ends.get(status) ?? 0) + 1);
    }),
    { numRuns: 120 },
  );
  for (const end of ['success', 'failed', 'rejected', 'cancelled']) assert.ok(ends.has(end), end);
  assert.ok(!ends.has('suspended'), 'every run comes to an end');
});
