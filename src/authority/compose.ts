/** Decides a prepared proposal under the write lock, from what the ledger says at that moment. */

import type { CallRow, Composition, Facts, Reads } from '../ledger/ledger.ts';
import { judge } from '../policy/decide.ts';
import type { Decision } from '../policy/decision.ts';
import { equalBytes } from '../value/digest.ts';
import type { JsonObject } from '../value/json.ts';
import { deniedDraft, intentDraft, recordArgs } from './draft.ts';
import { type Prepared, type Surroundings, requestOf } from './prepare.ts';
import { denial, twinSentence } from './sentence.ts';

/** What became of a proposal once its entry is durable. */
export type Verdict =
  | { readonly kind: 'denied'; readonly decision: Decision; readonly about?: CallRow }
  | { readonly kind: 'existing'; readonly row: CallRow }
  | Dispatch;

/** The one permission to send, for exactly these arguments. */
export interface Dispatch {
  readonly kind: 'dispatch';
  readonly call: string;
  readonly attempt: string;
  /** Past either of them nothing is sent: wall clock and monotonic clock, milliseconds. */
  readonly deadline: number;
  readonly monotonicDeadline: number;
  readonly args: JsonObject;
}

/** What `composeCall` must see of the ledger. */
export function readsOf(prepared: Prepared): Reads {
  if (prepared.refused !== undefined) return {};
  if (prepared.keys.length > 0) return { keys: prepared.keys };
  return prepared.reads ? {} : { open: { principal: prepared.proposal.principal, tool: prepared.proposal.tool } };
}

/** The gates from key and twin on, in the order of docs/policy.md; the ones before are in `prepared.refused`. */
export function composeCall(around: Surroundings, prepared: Prepared, facts: Facts): Composition<Verdict> {
  const { proposal, state } = prepared;
  if (prepared.refused !== undefined) return deny(around, prepared, prepared.refused);
  if (state.kind === 'invalid') return deny(around, prepared, denial('policy-invalid', state.message));

  const found = existing(around, prepared, facts);
  if (found.kind === 'refused') return deny(around, prepared, found.decision, found.row);
  if (found.kind === 'answer') return { result: { kind: 'existing', row: found.row } };

  if (!prepared.guarded.ok) {
    const { argument, reason } = prepared.guarded;
    const sentence = `${proposal.tool} is denied: its argument \`${argument}\` is refused, ${reason}`;
    return deny(around, prepared, denial('guard-refused', sentence));
  }
  const args = prepared.guarded.args;
  const decision = judge(state.policy, { ...requestOf(proposal, prepared.call, facts.at), args });
  if (decision.effect === 'deny') return deny(around, prepared, decision);
  if (decision.effect === 'ask') {
    const sentence = `${proposal.tool} needs an approval, and approvals are not available yet`;
    return deny(around, prepared, { ...denial('approval-unavailable', sentence), rules: decision.rules });
  }
  return intend(around, prepared, facts, decision, args, found.kind === 'retry' ? found.row : undefined);
}

function intend(
  around: Surroundings,
  prepared: Prepared,
  facts: Facts,
  decision: Decision,
  args: JsonObject,
  earlier: CallRow | undefined,
): Composition<Verdict> {
  const { proposal, state, attempt } = prepared;
  const call = earlier?.id ?? prepared.call;
  // A new attempt keeps every key of the call, those that this proposal does not name included.
  const keys = [...new Set([...(earlier?.keys ?? []), ...prepared.keys])];
  const deadline = facts.at + proposal.timeoutMs;
  const recorded = recordArgs(around.vault, call, args);
  const tool = state.kind === 'loaded' ? state.policy.tools.get(proposal.tool) : undefined;
  const definition = tool?.definition.digest;
  const entry = intentDraft(around.world, {
    call,
    attempt,
    instance: around.instance,
    deadlineMs: deadline,
    principal: proposal.principal,
    session: proposal.session,
    keys,
    decision,
    args: recorded.value,
    policy: state.kind === 'loaded' ? state.policy.digest : undefined,
    tool: {
      name: proposal.tool,
      effect: tool?.effect ?? 'irreversible',
      ...(definition === undefined ? {} : { definition }),
    },
  });
  return {
    writes: {
      entries: [entry],
      bodies: recorded.body === undefined ? [] : [recorded.body],
      fingerprints: [{ call, salt: prepared.salt, mac: fingerprint(around, prepared, prepared.salt) }],
    },
    result: {
      kind: 'dispatch',
      call,
      attempt,
      deadline,
      monotonicDeadline: prepared.startedAt + proposal.timeoutMs,
      args,
    },
  };
}

function deny(around: Surroundings, prepared: Prepared, decision: Decision, about?: CallRow): Composition<Verdict> {
  const { proposal, state, call } = prepared;
  const recorded = recordArgs(around.vault, call, proposal.args);
  const entry = deniedDraft(around.world, {
    call,
    decision,
    principal: proposal.principal,
    session: proposal.session,
    tool: proposal.tool,
    policy: state.kind === 'loaded' ? state.policy.digest : undefined,
    args: recorded.value,
  });
  return {
    writes: { entries: [entry], bodies: recorded.body === undefined ? [] : [recorded.body] },
    result: { kind: 'denied', decision, ...(about === undefined ? {} : { about }) },
  };
}

type Existing =
  | { readonly kind: 'none' }
  | { readonly kind: 'retry' | 'answer'; readonly row: CallRow }
  | { readonly kind: 'refused'; readonly decision: Decision; readonly row?: CallRow };

/** Docs/ledger.md, table of idempotency: what a key or an equal open call says about this proposal. */
function existing(around: Surroundings, prepared: Prepared, facts: Facts): Existing {
  const { tool, principal } = prepared.proposal;
  const rows = [...new Map([...facts.keys.values()].map((row) => [row.id, row])).values()];
  const [row, other] = rows;
  if (row === undefined) {
    const open = facts.open.find((candidate) => isSameCall(around, prepared, candidate));
    if (open === undefined) return { kind: 'none' };
    return { kind: 'refused', decision: denial('twin-unsettled', twinSentence(tool, open.id, open.state)), row: open };
  }
  if (rows.some((one) => one.principal !== principal)) {
    return {
      kind: 'refused',
      decision: denial('key-taken', `${tool} is denied: another principal already used its key`),
    };
  }
  if (other !== undefined) {
    return conflict(`${tool} is denied: its keys belong to two different calls, ${row.id} and ${other.id}`);
  }
  if (!isSameCall(around, prepared, row)) {
    return conflict(`${tool} is denied: its key belongs to call ${row.id}, which is not the same call`);
  }
  return isFree(row) ? { kind: 'retry', row } : { kind: 'answer', row };
}

function conflict(sentence: string): Existing {
  return { kind: 'refused', decision: denial('key-conflict', sentence) };
}

function fingerprint(around: Surroundings, prepared: Prepared, salt: Uint8Array): Uint8Array {
  const { principal, tool } = prepared.proposal;
  return around.vault.fingerprint(salt, principal, tool, prepared.canonicalArgs);
}

/** Without a fingerprint (its body is gone) nothing can be told apart, and a doubt is a conflict. */
function isSameCall(around: Surroundings, prepared: Prepared, row: CallRow): boolean {
  if (row.salt === undefined || row.fingerprint === undefined) return false;
  return row.tool === prepared.proposal.tool && equalBytes(fingerprint(around, prepared, row.salt), row.fingerprint);
}

/** The call certainly had no effect, so its key may make a new attempt. */
function isFree(row: CallRow): boolean {
  return row.state === 'not-started' || row.state === 'settled-not-executed';
}
