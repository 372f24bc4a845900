/** Entries about calls, as the tests of ledgers write them. */

import type { EntryDraft, EntryType } from '../src/ledger/entry.ts';
import type { Writes } from '../src/ledger/ledger.ts';
import { uuidV7 } from '../src/value/id.ts';
import type { JsonObject } from '../src/value/json.ts';
import { formatInstant } from '../src/value/time.ts';
import { systemWorld } from '../src/world/system.ts';
import { START_MS } from './manual-world.ts';

export function newId(): string {
  return uuidV7(START_MS, systemWorld.random(10));
}

export function draft(type: EntryType, fields: JsonObject): EntryDraft {
  return { id: newId(), type, fields };
}

export function one(type: EntryType, fields: JsonObject): Writes {
  return { entries: [draft(type, fields)] };
}

export interface Intent {
  readonly call: string;
  readonly attempt: string;
  readonly instance?: string;
  readonly keys?: readonly string[];
  readonly principal?: string;
  readonly tool?: string;
  readonly args?: JsonObject;
}

export function intent({ call, attempt, instance, keys, principal, tool, args }: Intent): Writes {
  return one('call.intent', {
    call,
    attempt,
    instance: instance ?? newId(),
    keys: keys ?? [],
    principal: principal ?? 'local',
    tool: { name: tool ?? 'files.write', effect: 'write' },
    args: args ?? { path: 'a.txt' },
    deadline: formatInstant(START_MS + 60_000),
    run: { id: 'session' },
    policy: { digest: `sha256:${'0'.repeat(64)}`, effect: 'allow', rules: ['rules/0'] },
  });
}

export function denied(call: string): Writes {
  const tool = { name: 'files.write' };
  return one('call.denied', { call, principal: 'local', run: { id: 'session' }, tool, code: 'no-rule', args: {} });
}

export function outcome(kind: 'not-started' | 'unknown', call: string, attempt: string): Writes {
  return one(`call.${kind}`, { call, attempt, reason: 'as the test wants' });
}

export function settled(as: 'executed' | 'not-executed', call: string, attempt: string): Writes {
  return one('call.settled', { call, attempt, as, by: 'local', reason: 'as the test wants' });
}

/** An answer without a body: its commitment opens nothing. */
export function answered(kind: 'succeeded' | 'failed', call: string, attempt: string): Writes {
  return one(`call.${kind}`, { call, attempt, output: { $body: 'none' } });
}
