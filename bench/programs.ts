/** Programs: moves in memory by size, durable runs by how many at once, and how fast a start takes up what waits. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Authority } from '../src/authority/authority.ts';
import type { Performed } from '../src/authority/answer.ts';
import { openLedger } from '../src/ledger/sqlite/store.ts';
import { openVault } from '../src/ledger/vault.ts';
import { compilePolicy } from '../src/policy/compile.ts';
import { parseConfiguration } from '../src/policy/document/configuration.ts';
import type { Catalog } from '../src/program/catalog.ts';
import { compileProgram } from '../src/program/compile.ts';
import type { Program } from '../src/program/program.ts';
import { begin, isOver, transition } from '../src/program/transition.ts';
import { Runtime } from '../src/runtime/runtime.ts';
import { systemWorld } from '../src/world/system.ts';
import { machine, measureCallers, measureDisk, row } from './measure.ts';

const SIZES = [1, 10, 100, 1_000, 10_000];
const MOVES = 200_000;
const AT_ONCE = [1, 32, 128];
const RUNS = 10_000;
const SECOND_MS = 1_000;

const POLICY = `
interlock: 1
tools: { shop.act: { input: { type: object, properties: { n: { type: integer } } } } }
rules: [{ allow: shop.act }]
`;
const CATALOG: Catalog = {
  tools: ['shop.act'],
  tool: () => ({ inputSchema: { type: 'object' }, effect: 'write' }),
  denied: () => undefined,
  hasModel: () => true,
  program: () => undefined,
};

/** A chain of `size` steps, each of which takes the output of the one before. */
function chain(size: number): string {
  const steps = Array.from({ length: size }, (_, n) => {
    const args = n === 0 ? '{ n: 0 }' : `{ n: "\${{ steps.s${n - 1}.output.n }}" }`;
    return `  s${n}: { tool: shop.act, args: ${args}, next: ${n + 1 === size ? 'done' : `s${n + 1}`} }`;
  });
  return `program: chain\nlimits: { steps: 1000000 }\nstart: s0\nsteps:\n${steps.join('\n')}\n  done: { end: success }\n`;
}

const WAITING = `
program: waiting
events: { go: { type: object } }
start: wait
steps:
  wait: { wait: go, timeout: 24h, next: done, expired: done }
  done: { end: success }
`;

function compiled(text: string): Program {
  const parsed = compileProgram(text, 'program.yaml', CATALOG);
  if (!parsed.ok) throw new Error(parsed.issues[0]?.message);
  return parsed.value;
}

/** Moves a second of whole runs, one after the other, each from its first step to its end. */
function movesPerSecond(program: Program, size: number): number {
  let moves = 0;
  const started = performance.now();
  while (moves < Math.max(MOVES, size)) {
    let moved = begin(program, {});
    while (!isOver(moved.state)) {
      const [command] = moved.commands;
      if (command === undefined) throw new Error('a run has nothing to do');
      moved = transition(program, moved.state, {
        kind: 'call',
        command: command.id,
        end: 'succeeded',
        output: { n: moves },
      });
      moves += 1;
    }
  }
  return (moves * SECOND_MS) / (performance.now() - started);
}

const done: Performed = { kind: 'succeeded', output: { structuredContent: { n: 1 } } };

const reach = () => ({ timeoutMs: 60_000, perform: () => Promise.resolve(done) });

async function openRuntime(data: string) {
  const vault = openVault(data, systemWorld);
  const ledger = await openLedger({ dataDirectory: data, world: systemWorld, vault });
  const parsed = parseConfiguration(POLICY, { file: 'interlock.yaml', environment: {} });
  const policy = parsed.ok ? compilePolicy(parsed.value, new Map()).policy : undefined;
  if (policy === undefined) throw new Error('the policy of this benchmark does not compile');
  const around = { vault, world: systemWorld, resolveRoot: (within: string) => within, protectedPaths: [], reach };
  const authority = new Authority(ledger, around);
  await authority.load(policy);
  const runtime = new Runtime({
    authority,
    ledger,
    vault,
    world: systemWorld,
    reach,
    programs: () => undefined,
    log: console.error,
  });
  return { ledger, runtime };
}

async function durable(directory: string): Promise<void> {
  const disk = measureDisk(directory);
  row('raw write + fdatasync (base)', disk, disk);
  const { ledger, runtime } = await openRuntime(join(directory, 'durable'));
  const source = { file: 'program.yaml', text: chain(4) };
  for (const callers of AT_ONCE) {
    const before = ledger.stats();
    const measured = await measureCallers(callers, async () => {
      const started = await runtime.start({ principal: 'local', source, input: {} });
      if (!started.ok) throw new Error(started.message);
      await runtime.settled(started.run);
    });
    const after = ledger.stats();
    row(`4 durable steps, ${callers} at once`, measured, disk);
    console.log(
      `    ${after.entries - before.entries} entries in ${after.transactions - before.transactions} transactions`,
    );
  }
  await ledger[Symbol.asyncDispose]();
}

async function resumed(directory: string): Promise<void> {
  const data = join(directory, 'resumed');
  const first = await openRuntime(data);
  const source = { file: 'program.yaml', text: WAITING };
  const runs: string[] = [];
  for (let n = 0; n < RUNS; n += 100) {
    const started = await Promise.all(
      Array.from({ length: 100 }, () => first.runtime.start({ principal: 'local', source, input: {} })),
    );
    for (const one of started) if (one.ok) runs.push(one.run);
  }
  await first.runtime.idle();
  await first.ledger[Symbol.asyncDispose]();
  const next = await openRuntime(data);
  let at = performance.now();
  await next.runtime.recover();
  console.log(`  ${RUNS} suspended runs taken up at start in ${(performance.now() - at).toFixed(0)} ms`);
  at = performance.now();
  for (let n = 0; n < runs.length; n += 128) {
    await Promise.all(runs.slice(n, n + 128).map((run) => next.runtime.signal(run, 'go', {})));
  }
  await next.runtime.idle();
  const ms = performance.now() - at;
  console.log(
    `  their events taken, each run loaded, moved and ended, in ${ms.toFixed(0)} ms (${Math.round((RUNS * SECOND_MS) / ms)}/s)`,
  );
  await next.ledger[Symbol.asyncDispose]();
}

async function main(directory: string): Promise<void> {
  console.log(machine());
  for (const size of SIZES) {
    const program = compiled(chain(size));
    movesPerSecond(program, size);
    console.log(
      `  ${String(size).padStart(6)} steps  ${Math.round(movesPerSecond(program, size)).toLocaleString('en')} moves/s in memory`,
    );
  }
  await durable(directory);
  await resumed(directory);
}

const directory = mkdtempSync(join(tmpdir(), 'interlock-bench-'));
try {
  await main(directory);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
