/** Decides a prepared proposal under the write lock and makes its entry durable: fsync 1 of docs/ledger.md. */

import { type Ledger, LedgerError } from '../ledger/ledger.ts';
import { withNearest } from '../policy/decide/decide.ts';
import { basisOf, decides, withBasis, withBasisReads } from './basis.ts';
import { type Verdict, composeCall, readsOf } from './compose.ts';
import type { Prepared, Surroundings } from './prepare.ts';

/** Decisions that may find that they need the facts of another window, before the call is `busy`. */
const TURNS_MAX = 4;

export type Decided = Exclude<Verdict, { kind: 'again' }>;

/** What was decided, once it is durable. Throws `LedgerError`: then nothing may be dispatched. */
export async function commitCall(ledger: Ledger, around: Surroundings, prepared: Prepared): Promise<Decided> {
  let at = around.world.now();
  for (let turn = 0; turn < TURNS_MAX; turn += 1) {
    const verdict = await commitAt(ledger, around, prepared, at);
    if (verdict.kind !== 'again') return advised(verdict);
    at = verdict.at;
  }
  throw new LedgerError('busy', 'the clock moved faster than the call could be decided');
}

/** Advice takes many times as long as the decision. The entry does not hold it, so nobody waits for the lock meanwhile. */
function advised(decided: Decided): Decided {
  if (decided.kind !== 'denied' || decided.turnable === undefined) return decided;
  const { policy, request, facts } = decided.turnable;
  return { ...decided, decision: withNearest(policy, request, facts, decided.decision) };
}

async function commitAt(ledger: Ledger, around: Surroundings, prepared: Prepared, at: number): Promise<Verdict> {
  const reads = readsOf(prepared, at);
  const read = new Set(reads.facts);
  const { state, proposal } = prepared;
  const basis = basisOf(state.kind === 'loaded' ? state : undefined, [proposal.tool], around.recorded);
  let composed: Verdict | undefined;
  let isDecided = false;
  try {
    const verdict = await around.floods.denying((admits) => {
      const bench = { ...around, admits };
      return ledger.transact(withBasisReads(reads, basis), (facts) => {
        const composition = composeCall(bench, prepared, facts, read);
        composed = composition.result;
        isDecided = decides(composition.writes?.entries ?? []);
        return withBasis(around.world, basis, facts, composition);
      });
    });
    if (isDecided) for (const { digest } of basis) around.recorded.add(digest);
    return verdict;
  } catch (error) {
    if (!(error instanceof LedgerError) || error.code !== 'outcome-unknown' || composed?.kind !== 'dispatch')
      throw error;
    // The commit may have landed without its reply. Only a row with our attempt id lets us go on; a crash of
    // ours from here on leaves an intent that is recovered as `unknown`.
    const row = await ledger.call(composed.call);
    if (row?.attempt !== prepared.attempt || row.state !== 'intent') throw error;
    return composed;
  }
}
