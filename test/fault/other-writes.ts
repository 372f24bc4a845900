/** Every write that is of no call: how a process comes to it, and what an ordinary call is told after it died there. */

import assert from 'node:assert/strict';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GatewayProcess } from '../whole/gateway-process.ts';
import { witnessKeyLine } from '../witness.ts';
import { type BankPlace, bankPlace, turn } from './bank-place.ts';
import { FRESH, ask, killedItself, tellOf } from './run.ts';

export interface OtherWrite {
  /** The type of its entry, or `checkpoint`. */
  readonly type: string;
  /** Everything that comes before. */
  readonly prepare?: (place: BankPlace) => Promise<void> | void;
  /** The command that writes it; else a gateway does. */
  readonly command?: (place: BankPlace) => readonly string[];
  /** What has the gateway write it once it serves; without it, it writes it by itself. */
  readonly provoke?: (gateway: GatewayProcess, place: BankPlace) => void;
  /** Sets the configuration right again. */
  readonly mend?: (place: BankPlace) => void;
  /** What an ordinary call is told by a new gateway when the write was `lost`, and when it had `landed`. */
  readonly lost: string;
  readonly landed: string;
}

const APPROVER = 'principals:\n  local: {}\n';
const WIDER = 'principals:\n  local: {}\n  guest: {}\n';

/** One session from start to end, with one call. */
async function session(place: BankPlace, charge = 'before'): Promise<void> {
  const gateway = place.gateway();
  await gateway.hello();
  await ask(gateway, FRESH, charge);
  await gateway.close();
}

/** `ann` may approve. */
function approver(place: BankPlace): string {
  const { stdout, status } = place.command(['approver', 'add', 'ann', '--json']);
  assert.equal(status, 0);
  return `  ann: { key: "${(JSON.parse(stdout) as { key: string }).key}" }\n`;
}

async function waitingReload(place: BankPlace): Promise<void> {
  const ann = approver(place);
  place.configure(APPROVER + ann);
  const gateway = place.gateway();
  await gateway.hello();
  await ask(gateway, FRESH, 'before');
  place.configure(WIDER + ann);
  while (place.count('policy.waiting') === 0) await turn();
  place.configure(APPROVER + ann);
  await gateway.kill();
  await place.quiet();
}

/** A log that goes on where its backup was brought back. */
async function restored(place: BankPlace): Promise<void> {
  await session(place);
  const [data, backup] = [join(place.directory, '.interlock'), join(place.directory, 'backup')];
  cpSync(data, backup, { recursive: true });
  assert.equal(place.command(['kill', 'tool:bank.look', '--reason', 'not in the backup']).status, 0);
  rmSync(data, { recursive: true });
  cpSync(backup, data, { recursive: true });
}

function look(next: string): string {
  return `{ tool: bank.look, args: { charge: before }, next: ${next} }`;
}

/** A program of two steps that read, so that nothing of it is paid. */
function programFile(place: BankPlace): void {
  const steps = `  look: ${look('again')}\n  again: ${look('done')}\n  done: { end: success }\n`;
  writeFileSync(join(place.directory, 'program.yaml'), `program: look\nstart: look\nsteps:\n${steps}`);
}

const OWN = '  - allow: interlock.*\n';
const SAVED = 'program: ended\nstart: end\nsteps: { end: { end: success } }\n';

/** Calls one of Interlock's own tools. */
function own(gateway: GatewayProcess, tool: string, args: object): Promise<unknown> {
  return gateway.request('tools/call', { name: `interlock__${tool}`, arguments: args });
}

const ACCEPT = ['recover', '--accept-rollback', '--reason', 'a backup'];
const LIFT = ['recover', '--lift', '--reason', 'compared'];

async function after(ms: number): Promise<void> {
  const until = performance.now() + ms;
  while (performance.now() < until) await turn();
}

/** The call that `session` made. */
function earlier(place: BankPlace): string {
  return place.row('before')?.id ?? '';
}

const GAP_MS = 3_000;
const UNCHANGED = { lost: 'succeeded', landed: 'succeeded' } as const;

export const OTHER_WRITES: readonly OtherWrite[] = [
  { type: 'ledger.created', ...UNCHANGED },
  { type: 'ledger.opened', prepare: (place) => session(place), ...UNCHANGED },
  {
    type: 'ledger.closed',
    provoke: (gateway) => void gateway.process.stdin.end(),
    ...UNCHANGED,
  },
  { type: 'checkpoint', provoke: (gateway) => void gateway.process.stdin.end(), ...UNCHANGED },
  { type: 'policy.loaded', ...UNCHANGED },
  {
    type: 'policy.refused',
    prepare: (place) => place.configure('nonsense: 1\n'),
    mend: (place) => place.configure(''),
    ...UNCHANGED,
  },
  {
    type: 'policy.waiting',
    prepare: (place) => place.configure(APPROVER + approver(place)),
    provoke: (_gateway, place) => {
      const key = place.command(['approver', 'add', 'bob', '--json']).stdout;
      place.configure(`${APPROVER}  bob: { key: "${(JSON.parse(key) as { key: string }).key}" }\n`);
    },
    ...UNCHANGED,
  },
  {
    type: 'policy.approved',
    prepare: waitingReload,
    command: (place) => ['approve', place.said('policy.waiting', 'reload'), '--as', 'ann'],
    ...UNCHANGED,
  },
  {
    type: 'policy.withdrawn',
    prepare: waitingReload,
    command: (place) => ['refuse', place.said('policy.waiting', 'reload'), '--reason', 'no', '--as', 'ann'],
    ...UNCHANGED,
  },
  {
    type: 'policy.exception',
    prepare: async (place) => {
      place.configure(`  - { id: none, deny: bank.pay, when: args.amount == 1 }\n${APPROVER}${approver(place)}`);
      await session(place);
    },
    command: () => ['breakglass', 'none', '--expires', '1h', '--reason', 'needed', '--as', 'ann'],
    lost: 'denied-by-rule',
    landed: 'succeeded',
  },
  {
    type: 'policy.exception-ended',
    prepare: async (place) => {
      place.configure(`  - { id: none, deny: bank.pay, when: args.amount == 1 }\n${APPROVER}${approver(place)}`);
      await session(place);
      assert.equal(
        place.command(['breakglass', 'none', '--expires', '1h', '--reason', 'needed', '--as', 'ann']).status,
        0,
      );
    },
    command: (place) => ['refuse', place.said('policy.exception', 'exception'), '--reason', 'over'],
    lost: 'succeeded',
    landed: 'denied-by-rule',
  },
  {
    // Written with the first decision, here one that charges nothing.
    type: 'policy.content',
    provoke: (gateway) => void ask(gateway, { ...FRESH, amount: 13 }, 'during'),
    ...UNCHANGED,
  },
  ...(['content', 'started', 'moved', 'ended'] as const).map((word) => ({
    type: `program.${word}`,
    prepare: programFile,
    command: () => ['run', 'program.yaml'],
    ...UNCHANGED,
  })),
  {
    type: 'program.saved',
    prepare: (place) => place.configure(OWN),
    provoke: (gateway) => void own(gateway, 'save_program', { text: SAVED }),
    ...UNCHANGED,
  },
  {
    type: 'program.deleted',
    prepare: async (place) => {
      place.configure(OWN);
      const gateway = place.gateway();
      await gateway.hello();
      await own(gateway, 'save_program', { text: SAVED });
      await gateway.close();
    },
    provoke: (gateway) => void own(gateway, 'delete_program', { program: 'saved/ended' }),
    ...UNCHANGED,
  },
  {
    type: 'program.ignored',
    prepare: (place) => session(place),
    command: () => ['signal', 'none', 'go'],
    ...UNCHANGED,
  },
  { type: 'pin.trusted', ...UNCHANGED },
  {
    // What was only counted is lost with the process, and the entries of its kind stand.
    type: 'denial.repeated',
    provoke: (gateway) => {
      for (let call = 0; call < 30; call += 1) void ask(gateway, { ...FRESH, amount: 13 }, 'during');
      gateway.process.stdin.end();
    },
    ...UNCHANGED,
  },
  {
    type: 'kill.set',
    command: () => ['kill', 'all', '--reason', 'stop'],
    lost: 'succeeded',
    landed: 'kill-switch',
  },
  {
    type: 'kill.lifted',
    prepare: (place) => assert.equal(place.command(['kill', 'all', '--reason', 'stop']).status, 0),
    command: () => ['revive', 'all', '--reason', 'go'],
    lost: 'kill-switch',
    landed: 'succeeded',
  },
  {
    type: 'erasure.expired',
    prepare: async (place) => {
      place.configure('retention: { bodies: 1s }\n');
      await session(place);
    },
    provoke: () => undefined,
    ...UNCHANGED,
  },
  {
    // The key is destroyed with this entry; what is left in freed pages the gateway cleans, and says so.
    type: 'erasure.requested',
    prepare: (place) => session(place),
    command: (place) => ['erase', earlier(place), '--reason', 'asked'],
    ...UNCHANGED,
  },
  {
    type: 'erasure.executed',
    prepare: (place) => session(place),
    command: (place) => ['erase', earlier(place), '--reason', 'asked'],
    ...UNCHANGED,
  },
  {
    type: 'hold.added',
    prepare: (place) => session(place),
    command: (place) => ['hold', 'add', earlier(place), '--reason', 'a court'],
    ...UNCHANGED,
  },
  {
    type: 'hold.lifted',
    prepare: async (place) => {
      await session(place);
      assert.equal(place.command(['hold', 'add', earlier(place), '--reason', 'a court']).status, 0);
    },
    command: (place) => ['hold', 'lift', earlier(place), '--reason', 'it is over'],
    ...UNCHANGED,
  },
  {
    type: 'disclosure.made',
    prepare: (place) => session(place),
    command: (place) => ['disclose', earlier(place), '--to', 'a court', '--reason', 'an order'],
    ...UNCHANGED,
  },
  {
    type: 'key.rotated',
    prepare: (place) => session(place),
    command: () => ['key', 'rotate'],
    ...UNCHANGED,
  },
  {
    // Both keys are there until then, and the next rotation goes on.
    type: 'key.destroyed',
    prepare: (place) => session(place),
    command: () => ['key', 'rotate'],
    ...UNCHANGED,
  },
  {
    // The new key lies beside the old one until then; whoever opens the log next moves it to its place.
    type: 'key.added',
    prepare: (place) => session(place),
    command: () => ['key', 'add'],
    ...UNCHANGED,
  },
  {
    type: 'key.revoked',
    prepare: async (place) => {
      await session(place);
      assert.equal(place.command(['key', 'add']).status, 0);
    },
    command: (place) => {
      const { stdout } = place.command(['key', 'list', '--json']);
      const { keys } = JSON.parse(stdout) as { keys: readonly { readonly id: string }[] };
      return ['key', 'revoke', keys[0]?.id ?? '', '--reason', 'stolen'];
    },
    ...UNCHANGED,
  },
  {
    type: 'ledger.outside-failed',
    prepare: (place) => {
      const blocked = join(place.directory, 'blocked');
      writeFileSync(blocked, 'a file where a directory should be');
      place.configure(`checkpoints: { file: ${JSON.stringify(join(blocked, 'sub', 'file'))} }\n`);
    },
    mend: (place) => place.configure(''),
    ...UNCHANGED,
  },
  {
    type: 'ledger.witness-failed',
    prepare: (place) =>
      place.configure(`checkpoints: { witnesses: [{ key: "${witnessKeyLine(9)}", url: "http://127.0.0.1:1" }] }\n`),
    mend: (place) => place.configure(''),
    ...UNCHANGED,
  },
  {
    type: 'ledger.rollback-accepted',
    prepare: restored,
    command: () => ACCEPT,
    mend: (place) => {
      // What landed is there to be lifted, and what was lost is accepted again before.
      place.command(ACCEPT);
      assert.equal(place.command(LIFT).status, 0);
    },
    ...UNCHANGED,
  },
  {
    type: 'ledger.rollback-lifted',
    prepare: async (place) => {
      await restored(place);
      assert.equal(place.command(ACCEPT).status, 0);
    },
    command: () => LIFT,
    lost: 'asked',
    landed: 'succeeded',
  },
  {
    type: 'clock.jumped',
    prepare: async (place) => {
      place.configure(`clock: { gap: ${GAP_MS / 1_000}s }\n`);
      await session(place);
      await after(GAP_MS + 500);
    },
    provoke: (gateway) => void ask(gateway, FRESH, 'during'),
    lost: 'clock-jump',
    landed: 'clock-jump',
  },
  {
    type: 'clock.accepted',
    prepare: async (place) => {
      place.configure(`clock: { gap: ${GAP_MS / 1_000}s }\n`);
      await session(place);
      await after(GAP_MS + 500);
      await session(place, 'during');
      place.configure('');
    },
    command: () => ['recover', '--accept-clock', '--reason', 'looked'],
    lost: 'clock-jump',
    landed: 'succeeded',
  },
];

/** Kills a process before or after `write` is durable; answers what an ordinary call is told then. */
export async function runOther(write: OtherWrite, side: 'lost' | 'landed'): Promise<string> {
  using place = bankPlace();
  await write.prepare?.(place);
  const before = place.count(write.type);
  const point = `${write.type}/${side}`;
  if (write.command === undefined) {
    const doomed = place.gateway(point);
    const dying = killedItself(doomed);
    if (write.provoke !== undefined) {
      await Promise.race([doomed.hello(), dying]);
      write.provoke(doomed, place);
    } else void doomed.hello();
    await dying;
  } else {
    const died = place.command(write.command(place), { INTERLOCK_DIE_AT: point });
    assert.equal(died.signal, 'SIGKILL', `the command did not pass ${point}: ${died.stderr}`);
  }
  await place.quiet();
  assert.equal(place.count(write.type) > before, side === 'landed', `${point} left another number of entries`);
  write.mend?.(place);
  const next = place.gateway();
  await next.hello();
  const told = tellOf(await ask(next, FRESH, 'fresh'));
  assert.equal(await next.close(), 0);
  const paid = ['before', 'during', 'fresh'].reduce((sum, charge) => sum + place.effects(charge), 0);
  assert.deepEqual(await place.problems(FRESH.amount * paid), []);
  return told;
}
