/**
 * `npm run simulate`: simulated worlds on all cores. `CALLS` says how many calls, `SEED` which worlds: a whole number,
 * or `SEED:WORLD` for one world with its shortest failure. Ends with a line of figures; exits 1 when a promise broke.
 */

import { availableParallelism } from 'node:os';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { type Figures, addFigures, createFigures, figuresLine } from './figures.ts';
import { type Broken, type Ran, runWorlds, scenarioOf, worldsOf } from './run.ts';
import { describe, shrink } from './shrink.ts';
import { simulate } from './simulate.ts';

interface Share {
  readonly seed: number;
  readonly first: number;
  readonly step: number;
  readonly worlds: number;
}

type Message = { readonly kind: 'progress'; readonly figures: Figures } | { readonly kind: 'ran'; readonly ran: Ran };

const CALLS_DEFAULT = 100_000;
const SEED_FORM = /^(\d{1,10})(?::(\d{1,10}))?$/u;

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function send(message: Message): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port of threads has no origin
  parentPort?.postMessage(message);
}

async function work(share: Share): Promise<void> {
  const ran = await runWorlds(share.seed, share, (figures) => send({ kind: 'progress', figures }));
  send({ kind: 'ran', ran });
}

function runShare(share: Share, progress: (figures: Figures) => void): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: share });
    worker.on('message', (message: Message) => {
      if (message.kind === 'progress') progress(message.figures);
      else resolve(message.ran);
    });
    worker.on('error', reject);
  });
}

async function runAll(seed: number, calls: number): Promise<Broken | undefined> {
  const worlds = worldsOf(calls);
  const step = Math.min(availableParallelism(), worlds);
  const figures = createFigures();
  const { isTTY } = process.stderr;
  const progress = (more: Figures): void => {
    addFigures(figures, more);
    if (isTTY)
      process.stderr.write(`\r${figures.seeds.toLocaleString('en-US')} of ${worlds.toLocaleString('en-US')} worlds`);
  };
  const shares = Array.from({ length: step }, (_, first) => runShare({ seed, first, step, worlds }, progress));
  const ran = await Promise.all(shares);
  if (isTTY) process.stderr.write('\r\u001b[K');
  print(figuresLine(figures));
  const broken = ran.flatMap(({ broken }) => broken ?? []);
  return broken.sort((left, right) => left.world - right.world)[0];
}

/** Prints the shortest way found to break what `world` breaks. */
async function explain(seed: number, world: number): Promise<void> {
  const shrunk = await shrink(scenarioOf(seed, world));
  print(shrunk === undefined ? `world ${world} of seed ${seed} breaks nothing` : describe(shrunk));
  print(`again: SEED=${seed}:${world} npm run simulate`);
}

async function main(): Promise<void> {
  const [, seedText, worldText] = SEED_FORM.exec(process.env['SEED'] ?? String(Date.now() % 2 ** 31)) ?? [];
  const calls = Number(process.env['CALLS'] ?? CALLS_DEFAULT);
  if (seedText === undefined || !(calls >= 1)) {
    print('expected `SEED` as a whole number or `SEED:WORLD`, and `CALLS` as a whole number from 1 on');
    process.exitCode = 2;
    return;
  }
  const seed = Number(seedText);
  if (worldText !== undefined) {
    const { violation, lines, figures } = await simulate(scenarioOf(seed, Number(worldText)));
    if (violation === undefined) print(lines.join('\n'));
    else await explain(seed, Number(worldText));
    print(figuresLine(figures));
    process.exitCode = violation === undefined ? 0 : 1;
    return;
  }
  print(`seed ${seed}`);
  const broken = await runAll(seed, calls);
  if (broken === undefined) return;
  process.exitCode = 1;
  print(`world ${broken.world} of seed ${seed} broke ${broken.violation.invariant}: ${broken.violation.problem}`);
  await explain(seed, broken.world);
}

await (isMainThread ? main() : work(workerData as Share));
