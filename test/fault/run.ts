/** Kills a real process at one point of one arrow, opens the ledger anew, and says what is found. */

import assert from 'node:assert/strict';
import type { GatewayProcess, ToolAnswer } from '../whole/gateway-process.ts';
import type { Arrow, Asked, Outcome } from './arrows.ts';
import { type BankPlace, bankPlace, turn } from './bank-place.ts';

/** Which of two equal calls, made one after the other, the process dies in. */
export type Round = 1 | 2;

export const FRESH: Asked = { tool: 'pay', amount: 1, conduct: 'pay' };

/** How often a call is asked for until it has gone where it should: as long as a server takes to start, and a probe. */
const ASKINGS_MAX = 2_000;

/** Resolves with what was found; rejects where a promise of the ledger was broken, whatever was expected. */
export async function runArrow(arrow: Arrow, point: string, round: Round): Promise<Outcome> {
  using place = bankPlace();
  const charges = Array.from({ length: round }, (_, index) => `ch_${index + 1}`);
  const last = charges.at(-1) ?? '';
  for (const [nth, charge] of charges.entries()) await lead(place, arrow, charge, charges.slice(0, nth));
  // Only now: a gateway that asks for another approval would claim the call.
  if (arrow.from === 'approved') {
    for (const charge of charges) assert.equal(place.command(['approve', idOf(place, charge)]).status, 0);
  }
  // What a start goes through, an earlier process went through for the first call.
  const visit = arrow.atStart ? 1 : (arrow.passedBefore ?? 0) + round;
  let heard: string | undefined;
  if (arrow.command === undefined) heard = await dieInGateway(place, arrow, charges, `${point}:${visit}`);
  else {
    for (const charge of charges.slice(0, -1))
      assert.equal(place.command(arrow.command(idOf(place, charge))).status, 0);
    const died = place.command(arrow.command(idOf(place, last)), { INTERLOCK_DIE_AT: point });
    assert.equal(died.signal, 'SIGKILL', `the command did not pass ${point}: ${died.stderr}`);
  }
  await place.quiet();
  const before = new Map(charges.map((charge) => [charge, place.effects(charge)]));
  const stored = place.row(last)?.state ?? 'nothing';
  const next = place.gateway();
  await next.hello();
  if (arrow.from === 'expired') await expired(place, [last]);
  const told = tellOf(await ask(next, arrow.asked, last));
  if (heard === 'succeeded' || heard === 'failed')
    assert.equal(told, `${heard}, replayed`, 'it was told otherwise before');
  for (const charge of charges.slice(0, -1)) {
    // One that was approved while no gateway ran may be claimed by this one.
    const paid = place.effects(charge);
    assert.ok(paid <= 1 && paid >= (before.get(charge) ?? 0), `${charge} was paid ${paid} times`);
  }
  const effects = place.effects(last);
  assert.ok(effects <= 1, `${last} was paid ${effects} times`);
  settleAll(place, charges);
  // Nothing of what died is in the way of another call.
  assert.equal(tellOf(await ask(next, FRESH, 'fresh')), 'succeeded');
  assert.equal(await next.close(), 0);
  const spent = charges.reduce((sum, charge) => sum + arrow.asked.amount * place.effects(charge), FRESH.amount);
  assert.deepEqual(await place.problems(spent), []);
  return { stored, told, effects };
}

/** Leads the call for `charge` to where the arrow begins. */
async function lead(
  place: BankPlace,
  { from, asked }: Arrow,
  charge: string,
  earlier: readonly string[],
): Promise<void> {
  switch (from) {
    case undefined:
      return;
    case 'intent':
    case 'sent': {
      const doomed = place.gateway(from === 'intent' ? 'before-send' : 'sent');
      await doomed.hello();
      void ask(doomed, asked, charge);
      await killedItself(doomed);
      return place.quiet();
    }
    case 'parked':
    case 'approved':
    case 'expired': {
      const gateway = place.gateway();
      await gateway.hello();
      assert.equal(tellOf(await ask(gateway, asked, charge)), 'asked');
      if (from === 'expired') await expired(place, earlier);
      await gateway.close();
      const expires = place.row(charge)?.deadline ?? 0;
      while (from === 'expired' && Date.now() <= expires) await turn();
    }
  }
}

/** Resolves once a gateway has seen that the time of these questions is over. */
async function expired(place: BankPlace, charges: readonly string[]): Promise<void> {
  while (charges.some((charge) => place.row(charge)?.state === 'parked')) await turn();
}

/** The calls one after the other in one gateway, until it dies in the last one; what that one was told before, if it was. */
async function dieInGateway(
  place: BankPlace,
  arrow: Arrow,
  charges: readonly string[],
  dieAt: string,
): Promise<string | undefined> {
  const doomed = place.gateway(dieAt);
  const dying = killedItself(doomed);
  const heard: string[] = [];
  if (arrow.atStart === undefined) {
    await doomed.hello();
    if (arrow.cancels) for (const charge of charges) void ask(doomed, arrow.asked, charge, true);
    else await Promise.race([dying, passAll(doomed, arrow, charges, heard)]);
  }
  await dying;
  return heard.at(-1);
}

/** A server that has just ended is started again; what is asked meanwhile is denied, and asked again. */
async function passAll(
  gateway: GatewayProcess,
  { asked, passes }: Arrow,
  charges: readonly string[],
  heard: string[],
): Promise<never> {
  for (const charge of charges.slice(0, -1)) {
    let told = tellOf(await ask(gateway, asked, charge));
    for (let asking = 0; plain(told) !== plain(passes); asking += 1) {
      assert.ok(asking < ASKINGS_MAX, `${charge} is told ${told} for ever`);
      await turn();
      told = tellOf(await ask(gateway, asked, charge));
    }
  }
  for (let asking = 0; ; asking += 1) {
    assert.ok(asking < ASKINGS_MAX, `the gateway does not pass the point; it tells ${heard.at(-1)}`);
    heard.push(tellOf(await ask(gateway, asked, charges.at(-1) ?? '')));
    await turn();
  }
}

function plain(told: string): string {
  return told.replace(', replayed', '');
}

export async function killedItself(gateway: GatewayProcess): Promise<void> {
  assert.equal(await gateway.ended(), 'SIGKILL', 'the gateway ended before it came to the point');
}

export function ask(
  gateway: GatewayProcess,
  { tool, ...args }: Asked,
  charge: string,
  cancel = false,
): Promise<ToolAnswer> {
  return gateway.ask(tool, { charge, ...args }, charge, cancel);
}

export function tellOf({ _meta: meta }: ToolAnswer): string {
  const { state, replayed } = meta['interlock/call'];
  return `${meta['interlock/decision']?.code ?? state}${replayed ? ', replayed' : ''}`;
}

function idOf(place: BankPlace, charge: string): string {
  const row = place.row(charge);
  assert.ok(row !== undefined, `the ledger does not know ${charge}`);
  return row.id;
}

/** Settles what is unknown as it was. */
function settleAll(place: BankPlace, charges: readonly string[]): void {
  for (const charge of charges) {
    const row = place.row(charge);
    const effects = place.effects(charge);
    if (row?.state === 'succeeded' || row?.state === 'settled-executed') assert.equal(effects, 1, charge);
    if (row?.state === 'not-started' || row?.state === 'denied') assert.equal(effects, 0, charge);
    if (row?.state !== 'unknown') continue;
    const as = effects === 1 ? 'executed' : 'not-executed';
    assert.equal(place.command(['settle', row.id, as, '--reason', 'looked']).status, 0);
  }
}
