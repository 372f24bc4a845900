/** Entries about calls, as the tests of ledgers write them. */

import type { EntryDraft, EntryType } from '../src/ledger/entry.ts';
import type { ApprovalRequest, Charges, Writes } from '../src/ledger/ledger.ts';
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
  readonly resends?: string;
  readonly call: string;
  readonly attempt: string;
  readonly instance?: string;
  readonly keys?: readonly string[];
  readonly principal?: string;
  readonly tool?: string;
  readonly args?: JsonObject;
  readonly reserved?: Charges;
  readonly rates?: Charges;
  readonly slots?: readonly string[];
  readonly effectTimeoutMs?: number;
}

export function intent({ call, attempt, instance, keys, principal, tool, args, resends, ...held }: Intent): Writes {
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
    policy: { digest: `sha256:${'0'.repeat(64)}`, effect: 'allow', rules: ['rules/0'], ...held },
    ...(resends === undefined ? {} : { resends }),
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

/** What `parked` asks for; a week after the clock starts it has expired. */
export const APPROVAL: ApprovalRequest = {
  digest: `sha256:${'1'.repeat(64)}`,
  approvers: ['finance'],
  quorum: 1,
  notRequester: true,
  requester: 'local',
  expires: START_MS + 7 * 24 * 3_600_000,
};

export interface Parked {
  readonly call: string;
  readonly keys?: readonly string[];
  readonly principal?: string;
  readonly approval?: Partial<ApprovalRequest>;
}

export function parked({ call, keys, principal, approval }: Parked): Writes {
  const asked = { ...APPROVAL, ...approval };
  return one('call.parked', {
    call,
    principal: principal ?? 'local',
    keys: keys ?? [],
    tool: { name: 'files.write', effect: 'write' },
    run: { id: 'session' },
    args: { path: 'a.txt' },
    policy: { digest: `sha256:${'0'.repeat(64)}`, effect: 'ask', rules: ['rules/0'] },
    approval: { ...asked, expires: formatInstant(asked.expires) },
  });
}

export function approved(call: string, by: string, digest: string = APPROVAL.digest): Writes {
  return one('call.approved', { call, by, digest, signature: 'c2lnbmVk' });
}

export function refused(call: string): Writes {
  return one('call.refused', { call, by: 'ann', reason: 'as the test wants' });
}

export function expired(call: string): Writes {
  return one('call.expired', { call });
}

export function killed(target: string): Writes {
  return one('kill.set', { target, reason: 'as the test wants', by: 'ann' });
}

export function revived(target: string): Writes {
  return one('kill.lifted', { target, reason: 'as the test wants', by: 'ann' });
}

export function trusted(tool: string, digest: string, definition?: string): Writes {
  return one('pin.trusted', {
    tool: { name: tool, definition: digest },
    ...(definition === undefined ? {} : { definition }),
  });
}

/** An outcome with what was charged instead of what was reserved. */
export function charged(kind: 'succeeded' | 'failed', call: string, attempt: string, charges: Charges): Writes {
  return one(`call.${kind}`, { call, attempt, output: { $body: 'none' }, charged: charges });
}
