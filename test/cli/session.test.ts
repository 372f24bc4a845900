/** A session of the gateway: which file it takes and when, and what it knows of the servers meanwhile. */

import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Loaded, loadConfiguration } from '../../src/cli/configuration.ts';
import { Session } from '../../src/cli/session.ts';
import type { Entry } from '../../src/ledger/entry.ts';
import { type ToolDefinition, defineTool } from '../../src/policy/tool/tool.ts';
import { systemWorld } from '../../src/world/system.ts';
import type { World } from '../../src/world/world.ts';
import { openWorld } from '../authority-world.ts';
import { Scratch, fakeTerminal } from './command.ts';

const server = (command: string): string => `servers:\n  bank: { command: ${command} }\n`;
const HEAD = `interlock: 1\n${server('old')}`;
const ALLOW = 'rules:\n  - allow: bank.pay\n';

/** The tool `name` of the server `bank`. */
function tool(name: string, properties: Record<string, { type: string }> = {}): ToolDefinition {
  const defined = defineTool('bank', { name, inputSchema: { type: 'object', properties } });
  assert.ok(defined.ok);
  return defined.tool;
}

/** A world that sleeps until the test lets it go on. */
class Ticks {
  readonly world: World;
  #asleep = Promise.withResolvers<() => void>();

  constructor() {
    this.world = {
      ...systemWorld,
      sleep: (_ms, signal) =>
        new Promise((resolve) => {
          signal?.addEventListener('abort', () => resolve(), { once: true });
          this.#asleep.resolve(resolve);
        }),
    };
  }

  /** Lets the watcher look once more; resolves when it has, and sleeps again. */
  async look(): Promise<void> {
    const wake = await this.#asleep.promise;
    this.#asleep = Promise.withResolvers();
    wake();
    await this.#asleep.promise;
  }
}

interface Watched extends AsyncDisposable {
  readonly session: Session;
  readonly log: string[];
  /** How often the file was read, and how often a change of it was taken. */
  readonly counts: { loads: number; changes: number };
  readonly look: () => Promise<void>;
  readonly visible: (name: string) => boolean;
  readonly entries: () => Entry[];
}

/** A session that has taken the file and watches it. `between` happens after the taking and before the watching. */
async function watch(scratch: Scratch, between: () => void = () => {}): Promise<Watched> {
  const terminal = fakeTerminal({ directory: scratch.path });
  const opening = await openWorld();
  const { authority } = opening;
  const ticks = new Ticks();
  const counts = { loads: 0, changes: 0 };
  const log: string[] = [];
  const load = (): Promise<Loaded> => {
    counts.loads += 1;
    return loadConfiguration(terminal, { json: false });
  };
  const session = new Session({
    authority,
    ledger: opening.ledger,
    load,
    world: ticks.world,
    id: 'session',
    log: (line) => void log.push(line),
    show: (issues) => void log.push(...issues.map(({ code }) => code)),
  });
  session.take(await load());
  between();
  const stop = new AbortController();
  const watching = session.watch(stop.signal, () => (counts.changes += 1));
  return {
    session,
    log,
    counts,
    look: () => ticks.look(),
    entries: () => opening.entries(),
    visible: (name) => session.door().visible(name),
    [Symbol.asyncDispose]: () => {
      stop.abort();
      return watching;
    },
  };
}

test('a file that is still being written is left alone, because half of a policy may allow more', async () => {
  using scratch = new Scratch();
  const file = scratch.write('interlock.yaml', HEAD);
  await using watched = await watch(scratch);
  watched.session.door().offered('bank', [tool('pay')]);
  for (const part of [ALLOW, '  - deny: bank.pay\n', '    because: no\n']) {
    appendFileSync(file, part);
    await watched.look();
    assert.deepEqual([watched.counts.loads, watched.visible('bank.pay')], [1, false]);
  }
  await watched.look();
  assert.deepEqual(watched.counts, { loads: 2, changes: 1 });
  assert.equal(watched.visible('bank.pay'), false);
});

test('a change that falls between the first reading and the first look is not missed', async () => {
  using scratch = new Scratch();
  scratch.write('interlock.yaml', '');
  await using watched = await watch(scratch, () => scratch.write('interlock.yaml', HEAD + ALLOW));
  const servers = (): number | undefined => watched.session.configuration?.servers.size;
  assert.equal(servers(), undefined);
  await watched.look();
  await watched.look();
  assert.equal(watched.counts.changes, 1);
  assert.equal(servers(), 1);
});

test('a file that says the same again is no change, and one that is gone keeps the policy', async () => {
  using scratch = new Scratch();
  scratch.write('interlock.yaml', HEAD + ALLOW);
  await using watched = await watch(scratch);
  watched.session.door().offered('bank', [tool('pay')]);
  scratch.write('interlock.yaml', `# a comment\n${HEAD}${ALLOW}`);
  for (let looks = 0; looks < 3; looks += 1) await watched.look();
  assert.deepEqual(watched.counts, { loads: 2, changes: 0 });
  scratch[Symbol.dispose]();
  for (let looks = 0; looks < 3; looks += 1) await watched.look();
  assert.deepEqual(watched.counts, { loads: 3, changes: 0 });
  assert.equal(watched.log.at(-1), 'the policy in force stays as it was');
  assert.equal(watched.visible('bank.pay'), true);
});

test('what an old server offered does not stand against rules for the one that replaces it', async () => {
  using scratch = new Scratch();
  scratch.write('interlock.yaml', HEAD + ALLOW);
  await using watched = await watch(scratch);
  watched.session.door().offered('bank', [tool('pay')]);
  const rules = '  - allow: bank.wire\n    when: args.amount < 5\n';
  scratch.write('interlock.yaml', HEAD + ALLOW + rules);
  for (let looks = 0; looks < 2; looks += 1) await watched.look();
  assert.deepEqual([watched.counts.changes, watched.log.at(-1)], [0, 'the policy in force stays as it was']);

  scratch.write('interlock.yaml', `interlock: 1\n${server('new')}rules:\n${rules}`);
  for (let looks = 0; looks < 2; looks += 1) await watched.look();
  assert.equal(watched.counts.changes, 1);
  watched.session.door().offered('bank', [tool('wire', { amount: { type: 'integer' } })]);
  assert.deepEqual([watched.visible('bank.wire'), watched.visible('bank.pay')], [true, false]);
});

test('a server that is away keeps its tools known, and a list that fits no rule denies only its tools', async () => {
  using scratch = new Scratch();
  scratch.write('interlock.yaml', `${HEAD}${ALLOW}    when: args.amount < 5\n  - allow: bank.see\n`);
  await using watched = await watch(scratch);
  const door = watched.session.door();
  door.offered('bank', [tool('pay', { amount: { type: 'integer' } }), tool('see')]);
  door.offered('bank', undefined);
  assert.deepEqual([watched.visible('bank.pay'), watched.visible('bank.see')], [true, true]);
  assert.deepEqual(
    watched.log.filter((line) => line === 'unknown-member'),
    [],
  );
  door.offered('bank', [tool('pay', { cents: { type: 'integer' } }), tool('see')]);
  assert.deepEqual([watched.visible('bank.pay'), watched.visible('bank.see')], [false, true]);
  assert.deepEqual(
    watched.log.filter((line) => line === 'unknown-member'),
    ['unknown-member'],
  );
  door.offered('bank', [tool('pay', { cents: { type: 'integer' } }), tool('see')]);
  assert.equal(watched.log.filter((line) => line === 'unknown-member').length, 1, 'it is said once');
});

test('a shadow is watched like the file, and one that does not load keeps nothing from being allowed', async () => {
  using scratch = new Scratch();
  scratch.write('interlock.yaml', `${HEAD}shadow: next.yaml\n${ALLOW}`);
  await using watched = await watch(scratch);
  watched.session.door().offered('bank', [tool('pay')]);
  const last = async (): Promise<string> => {
    await watched.session.recorded();
    return JSON.stringify(watched.entries().findLast(({ type }) => type === 'policy.loaded')?.['shadow'] ?? null);
  };
  assert.match(await last(), /cannot be read/u);
  assert.equal(watched.visible('bank.pay'), true);
  scratch.write('next.yaml', 'interlock: 1\nrules:\n  - deny: bank.pay\n');
  for (let looks = 0; looks < 3; looks += 1) await watched.look();
  assert.match(await last(), /sha256:/u);
  assert.deepEqual([watched.visible('bank.pay'), watched.counts.changes], [true, 0]);
});
