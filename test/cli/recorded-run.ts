/** Runs of programs in a data directory, with tools that answer in this process. */

import assert from 'node:assert/strict';
import { Authority } from '../../src/authority/authority.ts';
import type { Performed } from '../../src/authority/answer.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { openLedger } from '../../src/ledger/sqlite/store.ts';
import { openVault } from '../../src/ledger/vault.ts';
import { Runtime } from '../../src/runtime/runtime.ts';
import type { JsonObject } from '../../src/value/json.ts';
import { systemWorld } from '../../src/world/system.ts';
import { policyOf } from '../authority-world.ts';
import { CHECKPOINTS } from '../state-home.ts';

export const RUN_POLICY = `interlock: 1
tools:
  shop.pay: { input: { type: object, properties: { amount: { type: integer } } } }
  shop.undo: { input: { type: object } }
rules:
  - { id: small, allow: shop.pay, when: args.amount <= 100 }
  - { id: back, allow: shop.undo }
`;

/** Pays and says so; more than 100 is denied, which leads elsewhere. */
export const RUN_PROGRAM = `
program: paying
input: { type: object, required: [amount], properties: { amount: { type: integer } } }
start: pay
steps:
  pay:
    tool: shop.pay
    args: { amount: "\${{ input.amount }}" }
    undo: { tool: shop.undo, args: {} }
    next: check
    on_error: refused
  check: { choose: [{ when: input.amount > 50, next: twice }, { next: done }] }
  twice: { tool: shop.pay, args: { amount: 1 }, next: done }
  done: { end: success, output: { paid: "\${{ input.amount }}" } }
  refused: { end: rejected }
`;

function perform(args: JsonObject): Promise<Performed> {
  return Promise.resolve({ kind: 'succeeded', output: { structuredContent: { args } } });
}

function reach(): { readonly timeoutMs: number; readonly perform: typeof perform } {
  return { timeoutMs: 60_000, perform };
}

/** Starts a run for each amount, one after the other; resolves with their ids once all are at rest. */
export async function recordRuns(directory: string, amounts: readonly number[]): Promise<readonly string[]> {
  const vault = openVault(directory, systemWorld);
  const ledger: Ledger = await openLedger({
    dataDirectory: directory,
    world: systemWorld,
    vault,
    outside: { kind: 'default', directory: CHECKPOINTS },
  });
  await using _ = ledger;
  const around = { vault, world: systemWorld, resolveRoot: (within: string) => within, protectedPaths: [], reach };
  const authority = new Authority(ledger, around);
  await authority.load(policyOf(RUN_POLICY));
  const more = { ledger, vault, world: systemWorld, reach, programs: () => undefined, log: () => undefined };
  const runtime = new Runtime({ authority, ...more });
  const runs: string[] = [];
  for (const amount of amounts) {
    const source = { file: 'paying.yaml', text: RUN_PROGRAM };
    const started = await runtime.start({ principal: 'local', source, input: { amount } });
    assert.ok(started.ok);
    await runtime.settled(started.run);
    runs.push(started.run);
  }
  return runs;
}
