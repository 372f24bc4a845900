/** The parked calls that a process can carry on: those that it was asked for itself, and those that the ledger tells. */

import type { CallRow, Ledger } from '../ledger/ledger.ts';
import type { Policy } from '../policy/compile.ts';
import { readsCallerKey } from '../policy/decide/decide.ts';
import { isJsonObject } from '../value/json.ts';
import { askedOf } from './asked.ts';
import { draft } from './draft.ts';
import type { Surroundings } from './prepare.ts';
import type { Proposal } from './proposal.ts';

/** A parked call that has answers, with all that it takes to go on. */
export interface Answered {
  readonly call: string;
  readonly proposal: Proposal;
}

export interface Waiting {
  /** Keeps what the caller of a parked call proposed, which is more than the ledger says of it. */
  keep(call: string, proposal: Proposal): void;
  /**
   * The calls of these principals that have answers not looked at before and whose tools can be reached, each once. Also
   * tells which of their calls are parked at all, and records of those whose time is over that it is, so that they are in
   * nobody's way. Throws `LedgerError`.
   */
  look(
    policy: Policy,
    principals: readonly string[],
  ): Promise<{ readonly parked: ReadonlySet<string>; readonly answered: readonly Answered[] }>;
  /** The first `answers` answers of the call need no look any more. */
  seen(call: string, answers: number): void;
  /** The call could not go on just now: the next look tells it again. */
  again(call: string): void;
}

export function waiting(ledger: Ledger, around: Surroundings): Waiting {
  const kept = new Map<string, Proposal>();
  const looked = new Map<string, number>();
  const forgetBut = (parked: ReadonlySet<string>, principals: readonly string[]): void => {
    for (const [call, { principal }] of kept)
      if (principals.includes(principal) && !parked.has(call)) kept.delete(call);
    for (const call of looked.keys()) if (!parked.has(call) && !kept.has(call)) looked.delete(call);
  };
  const proposalOf = async (policy: Policy, row: CallRow): Promise<Proposal | undefined> => {
    const reached = around.reach?.(row.tool);
    const given = kept.get(row.id);
    // A server that is away leaves the call as it is: sent now, it would only lose its approval.
    if (given?.signal.aborted === false && (reached !== undefined || around.reach === undefined)) return given;
    return reached === undefined ? undefined : recorded(ledger, policy, row, reached);
  };
  return {
    keep: (call, proposal) => void kept.set(call, proposal),
    look: async (policy, principals) => {
      const rows = (await Promise.all(principals.map((principal) => ledger.parked(principal)))).flat();
      const parked = new Set(rows.map(({ id }) => id));
      forgetBut(parked, principals);
      const answered: Answered[] = [];
      for (const row of rows) {
        if (around.world.now() >= row.deadline) {
          await lapse(ledger, around.world, row.id);
          continue;
        }
        if (row.approvals.length <= (looked.get(row.id) ?? 0)) continue;
        const proposal = await proposalOf(policy, row);
        if (proposal === undefined) continue;
        looked.set(row.id, row.approvals.length);
        answered.push({ call: row.id, proposal });
      }
      return { parked, answered };
    },
    seen: (call, answers) => void looked.set(call, Math.max(answers, looked.get(call) ?? 0)),
    again: (call) => void looked.delete(call),
  };
}

/** A crash leaves the call parked, for whoever looks next. */
function lapse(ledger: Ledger, world: Surroundings['world'], call: string): Promise<void> {
  return ledger.transact({ call }, ({ call: row, at }) => {
    if (row?.state !== 'parked' || at < row.deadline) return { result: undefined };
    return { writes: { entries: [draft(world, 'call.expired', { call })] }, result: undefined };
  });
}

/**
 * What was proposed, as far as the ledger says it; nothing when that is not all of it: its arguments are gone, the row is
 * not what its entry says, or the policy reads the caller's own key, of which there is only an HMAC. Those calls wait
 * until they are asked for again.
 */
async function recorded(
  ledger: Ledger,
  policy: Policy,
  row: CallRow,
  reached: Pick<Proposal, 'timeoutMs' | 'perform'>,
): Promise<Proposal | undefined> {
  if (readsCallerKey(policy, row.tool)) return undefined;
  const asked = await askedOf(ledger, row);
  if (asked === undefined || !isJsonObject(asked.args)) return undefined;
  const { args, session, hidden: opened, isOfProgram } = asked;
  // Its run proposes it again, with what it may do.
  if (isOfProgram) return undefined;
  const { principal, tool } = row;
  // Nobody is there to give it up.
  const { signal } = new AbortController();
  return { principal, session, tool, args, opened, signal, available: true, ...reached };
}
