/** The people of a simulated world: they approve, refuse and forge, settle, stop everything and let it go on. */

import { type Answered, type ApproveOrder, approve, refuse } from '../../src/authority/approve.ts';
import { approvalText } from '../../src/authority/approval.ts';
import { type KillOrder, liftKill, setKill } from '../../src/authority/kill.ts';
import { settle } from '../../src/authority/settle.ts';
import { type CallRow, type Ledger, LedgerError } from '../../src/ledger/ledger.ts';
import { toBase64, utf8 } from '../../src/value/encoding.ts';
import { signerOf } from './bank.ts';
import type { Attempt } from './history.ts';
import type { Person } from './bank.ts';
import { type Opening, openPlace } from './opening.ts';
import type { Place } from './place.ts';
import type { Random } from './random.ts';
import type { GlassAct, KillTarget, ParkedAnswer, ReloadAnswer } from './scenario.ts';
import { OUTSIDE } from './schedule.ts';
import { answerReload, breakTheGlass, endAnException } from './seals.ts';

export interface People {
  answer(by: 'ann' | 'bob', answer: ParkedAnswer, random: Random): void;
  settle(random: Random): void;
  kill(target: KillTarget): void;
  lift(target: KillTarget): void;
  answerReload(by: Person, answer: ReloadAnswer, random: Random): void;
  breakGlass(act: GlassAct): void;
  endException(random: Random): void;
}

/** They work on the shared disk, from a terminal of their own. */
export function createPeople(place: Place): People {
  const terminal = openPlace(place, OUTSIDE);
  const attend = (work: (ledger: Ledger) => Promise<unknown>): void => {
    terminal.ledger.then(work).catch((error: unknown) => {
      if (error instanceof LedgerError) return;
      place.fail({ invariant: 'no-bug', promise: 'nothing rejects but for the ledger', problem: String(error) });
    });
  };
  return {
    answer: (by, answer, random) => {
      const row = parkedRow(place, random);
      if (row === undefined) return;
      place.note(`${by} answers ${row.id} with ${answer}`);
      attend((ledger) => answerRow(place, { ledger, terminal, row, by, answer }));
    },
    settle: (random) => {
      const attempt = openAttempt(place, random);
      if (attempt !== undefined) attend((ledger) => settleAttempt(place, ledger, terminal, attempt));
    },
    kill: (target) => {
      place.figures.kills += 1;
      attend((ledger) => setKill(ledger, terminal.world, order(target)));
    },
    lift: (target) => attend((ledger) => liftKill(ledger, terminal.world, order(target))),
    answerReload: (by, answer, random) =>
      attend((ledger) => answerReload(place, ledger, terminal.world, { by, answer, random })),
    breakGlass: (act) => attend((ledger) => breakTheGlass(place, ledger, terminal.world, act)),
    endException: (random) => attend((ledger) => endAnException(place, ledger, terminal.world, random)),
  };
}

function order(target: KillTarget): KillOrder {
  return { target, reason: 'smoke', by: 'os:somebody' };
}

function parkedRow(place: Place, random: Random): CallRow | undefined {
  const rows = place.disk.tables.open().filter(({ state }) => state === 'parked');
  return rows.length === 0 ? undefined : rows[random.below(rows.length)];
}

interface Answering {
  readonly ledger: Ledger;
  readonly terminal: Opening;
  readonly row: CallRow;
  readonly by: 'ann' | 'bob';
  readonly answer: ParkedAnswer;
}

async function answerRow(place: Place, { ledger, terminal, row, by, answer }: Answering): Promise<void> {
  if (answer === 'refuse') {
    await refuse(ledger, terminal.world, { call: row.id, by, reason: 'no' });
    return;
  }
  const answered: Answered = await approve(ledger, terminal.world, orderOf(row.id, by, answer));
  if (answered.ok) place.figures[answer === 'approve' ? 'approvals' : 'forgeries'] += 1;
}

function signing(name: string, rewrite = (text: string): string => text): { readonly sign: (text: string) => string } {
  return { sign: (text) => toBase64(signerOf(name).sign(utf8(rewrite(text)))) };
}

/** What is signed, by whom, and in whose name; only `approve` is as it should be. */
function orderOf(call: string, by: 'ann' | 'bob', answer: Exclude<ParkedAnswer, 'refuse'>): ApproveOrder {
  switch (answer) {
    case 'approve':
      return { call, by, ...signing(by) };
    case 'wrong-key':
      return { call, by, ...signing('eve') };
    case 'other-name':
      return { call, by, ...signing(by === 'ann' ? 'bob' : 'ann') };
    case 'other-digest':
      return { call, by, ...signing(by, () => approvalText('sha256:0', by)) };
    case 'unsigned':
      return { call, by, unsigned: true };
    case 'no-approver':
      return { call, by: 'eve', ...signing('eve') };
  }
}

/** One of the last attempts of calls that are unknown; now and then of one that still runs. */
function openAttempt(place: Place, random: Random): Attempt | undefined {
  const open = place.disk.tables
    .open()
    .filter(({ state }) => state === 'unknown' || (state === 'intent' && random.chance(0.2)));
  const row = open[random.below(Math.max(1, open.length))];
  return row === undefined ? undefined : place.history.attempts.get(row.attempt);
}

/** An honest person: looks at what happened outside, and waits while that can still change. */
async function settleAttempt(place: Place, ledger: Ledger, terminal: Opening, attempt: Attempt): Promise<void> {
  if (attempt.call.attempts.some(({ inFlight }) => inFlight)) return;
  const as = attempt.call.attempts.some(({ effects }) => effects > 0) ? 'executed' : 'not-executed';
  place.note(`somebody settles ${attempt.call.id} as ${as}`);
  const settlement = { call: attempt.call.id, as, by: 'os:somebody', reason: 'seen' } as const;
  const settled = await settle(ledger, terminal, settlement);
  if (settled.ok) place.figures.settled += 1;
}
