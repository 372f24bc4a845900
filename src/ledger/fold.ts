/** What an entry does to the tables: the one definition of which transitions are legal. Pure. */

import { foldClock, isClockStep } from './clock.ts';
import { foldContent } from './content.ts';
import type { CallRow, CallState, Charges, Kill, TrustedTool } from './ledger.ts';
import { foldRun, isRunStep } from './run.ts';
import { foldSaved, isSavedStep } from './saved.ts';
import { foldStanding } from './standing.ts';
import { foldVault, isVaultStep } from './vault-step.ts';
import type { CallStep, KillStep, PinStep, RollbackStep, Step } from './step.ts';

/** The tables as folding sees them. */
export interface Lookups {
  call(id: string): CallRow | undefined;
  /** The call that took `key`. */
  holder(key: string): CallRow | undefined;
  /** 0 when there is none. */
  counter(key: string): number;
  kill(target: string): Kill | undefined;
  trusted(tool: string): TrustedTool | undefined;
}

/** Where an entry stands in the log, and when it was written: milliseconds since the epoch. */
export interface Moment {
  readonly position: number;
  readonly at: number;
}

/** What an entry changes: rows as they are after it. Leases follow from the row of their call. */
export interface Change {
  readonly row?: CallRow;
  /** The keys that the row takes for the first time. */
  readonly keys: readonly string[];
  /** New values; 0 is as good as none. */
  readonly counters: readonly (readonly [key: string, value: number])[];
  /** `now` is absent when it was lifted. */
  readonly kill?: { readonly target: string; readonly now?: Kill };
  readonly trusted?: TrustedTool;
}

/**
 * The change, or why the entry does not fit: `illegal` — the call's state does not allow it, it is another attempt's,
 * it comes after its time or makes a counter impossible; `key-taken` — another call has a key.
 */
export type Folded =
  | ({ readonly ok: true } & Change)
  | { readonly ok: false; readonly code: 'illegal' | 'key-taken'; readonly message: string };

/** Under this key the calls of `principal` that are parked now are counted. */
export function parkedKey(principal: string): string {
  return `parked/principal=${principal}`;
}

/** 1 from the acceptance of an older copy of the log until a person lifts that; no call can move it. */
export const ROLLBACK_KEY = 'rollback/accepted';

/** How much of a newer log the witness with this key had seen when an older copy was accepted; kept for ever. */
export function seenByWitness(witness: string): string {
  return `rollback/witness/${witness}`;
}

/** What `step`, as the entry of `moment`, makes of the tables. Columns that no entry says are kept as they are. */
export function fold(step: Step, moment: Moment, lookups: Lookups): Folded {
  if (step.kind === 'kill-set' || step.kind === 'kill-lifted') return foldKill(step, moment, lookups);
  if (step.kind === 'pin-trusted') return foldPin(step, moment, lookups);
  if (isClockStep(step)) return foldClock(step, (key) => lookups.counter(key));
  if (step.kind === 'content') return foldContent(step, moment, (key) => lookups.counter(key));
  if (isRunStep(step)) return foldRun(step, moment, lookups);
  if (isSavedStep(step)) return foldSaved(step, moment, lookups);
  if (isVaultStep(step)) return foldVault(step, moment, lookups);
  if (step.kind === 'stands' || step.kind === 'ends') return foldStanding(step, moment, lookups);
  if (step.kind === 'rollback-accepted' || step.kind === 'rollback-lifted') return foldRollback(step, lookups);
  const before = lookups.call(step.call);
  switch (step.kind) {
    case 'denied':
      return before === undefined
        ? changed({ ...newRow(step), state: 'denied', ...at(moment) })
        : illegal(step, before);
    case 'parked':
      return foldParked(step, moment, before, lookups);
    case 'intent':
      return foldIntent(step, moment, before, lookups);
    case 'unknown':
      return foldUnknown(step, moment, before);
    case 'not-started':
    case 'succeeded':
    case 'failed':
    case 'settled':
      return foldEnd(step, moment, before, lookups);
    case 'approved':
      return foldApproved(step, moment, before);
    case 'refused':
    case 'expired':
      return foldClosed(step, moment, before, lookups);
  }
}

function foldKill({ kind, target, reason, by }: KillStep, moment: Moment, lookups: Lookups): Folded {
  if (kind === 'kill-set') {
    return { ok: true, keys: [], counters: [], kill: { target, now: { target, reason, by, at: moment.at } } };
  }
  if (lookups.kill(target) !== undefined) return { ok: true, keys: [], counters: [], kill: { target } };
  return { ok: false, code: 'illegal', message: `\`${target}\` is not killed, so \`kill.lifted\` does not fit` };
}

/** Trust is given once: from then on only a person's review changes what a tool may be. */
function foldPin({ tool, digest }: PinStep, { position }: Moment, lookups: Lookups): Folded {
  if (lookups.trusted(tool) === undefined)
    return { ok: true, keys: [], counters: [], trusted: { tool, digest, position } };
  return { ok: false, code: 'illegal', message: `\`${tool}\` was trusted before, so \`pin.trusted\` does not fit` };
}

function foldRollback(step: RollbackStep, lookups: Lookups): Folded {
  if (step.kind === 'rollback-accepted') {
    const seen = Object.entries(step.witnesses).map(([witness, size]) => [seenByWitness(witness), size] as const);
    return { ok: true, keys: [], counters: [[ROLLBACK_KEY, 1], ...seen] };
  }
  if (lookups.counter(ROLLBACK_KEY) !== 0) return { ok: true, keys: [], counters: [[ROLLBACK_KEY, 0]] };
  return {
    ok: false,
    code: 'illegal',
    message: 'no older copy was accepted, so `ledger.rollback-lifted` does not fit',
  };
}

function foldParked(
  step: CallStep & { readonly kind: 'parked' },
  moment: Moment,
  before: CallRow | undefined,
  lookups: Lookups,
): Folded {
  const { approval, keys } = step;
  if (before !== undefined && !(isFree(before) && isSame(before, step))) return illegal(step, before);
  if (approval.expires <= moment.at) return illegal(step, before, 'the approval it asks for has expired');
  const fresh = freshKeys(step, before, lookups);
  if (typeof fresh === 'string') return { ok: false, code: 'key-taken', message: fresh };
  // A call that is parked again was decided again: what was said to the question before does not answer this one.
  const row = { ...(before ?? newRow(step)), keys, approval, approvals: [], deadline: approval.expires, instance: '' };
  return tallied(step, { ...row, state: 'parked', ...at(moment) }, new Map([[parkedKey(row.principal), 1]]), lookups, {
    fresh,
  });
}

function foldIntent(
  step: CallStep & { readonly kind: 'intent' },
  moment: Moment,
  before: CallRow | undefined,
  lookups: Lookups,
): Folded {
  const { attempt, instance, deadline, keys, reserved, rates, slots, effectTimeoutMs } = step;
  if (before !== undefined) {
    const goesOn = isFree(before) || before.state === 'parked' || isResent(before, step.resends);
    if (!goesOn || before.attempt === attempt) return illegal(step, before);
    if (!isSame(before, step)) return illegal(step, before);
    if (before.state === 'parked' && hasExpired(before, moment)) return illegal(step, before, 'its approval expired');
  }
  const fresh = freshKeys(step, before, lookups);
  if (typeof fresh === 'string') return { ok: false, code: 'key-taken', message: fresh };
  const row: CallRow = {
    ...bare(before ?? newRow(step)),
    state: 'intent',
    attempt,
    instance,
    deadline,
    keys,
    reserved,
    slots,
    ...(effectTimeoutMs === undefined ? {} : { effectTimeoutMs }),
    attempts: (before?.attempts ?? 0) + 1,
    ...at(moment),
  };
  const deltas = new Map(Object.entries(reserved));
  // Two attempts of one call are one effect at most, so the new reservation stands for both.
  if (isResent(before, step.resends)) {
    for (const [key, held] of Object.entries(before?.reserved ?? {})) deltas.set(key, (deltas.get(key) ?? 0) - held);
  }
  if (before?.state === 'parked') deltas.set(parkedKey(before.principal), -1);
  return tallied(step, row, deltas, lookups, { fresh, set: Object.entries(rates) });
}

/** Keeps what is reserved, and the leases for as long as the effect may still be under way. */
function foldUnknown(
  step: CallStep & { readonly kind: 'unknown' },
  moment: Moment,
  before: CallRow | undefined,
): Folded {
  if (before?.state !== 'intent' || before.attempt !== step.attempt) return illegal(step, before);
  const { effectTimeoutMs } = before;
  const until = effectTimeoutMs === undefined ? {} : { slotsUntil: moment.at + effectTimeoutMs };
  return changed({ ...before, state: 'unknown', ...until, intent: before.position, ...at(moment) });
}

/** The attempt is over: its leases are free, and what it reserved is given back, kept, or replaced by the charge. */
function foldEnd(
  step: CallStep & { readonly kind: 'not-started' | 'succeeded' | 'failed' | 'settled' },
  moment: Moment,
  before: CallRow | undefined,
  lookups: Lookups,
): Folded {
  const from: CallState = step.kind === 'settled' ? 'unknown' : 'intent';
  if (before?.state !== from || before.attempt !== step.attempt) return illegal(step, before);
  const state = step.kind === 'settled' ? (`settled-${step.as}` as const) : step.kind;
  const isRefund = state === 'not-started' || state === 'settled-not-executed';
  const charged = step.kind === 'not-started' ? {} : step.charged;
  const deltas = new Map<string, number>();
  if (isRefund) for (const [key, n] of Object.entries(before.reserved)) deltas.set(key, -n);
  for (const [key, n] of Object.entries(charged)) {
    const reserved = before.reserved[key];
    if (reserved === undefined) return illegal(step, before, `nothing was reserved for \`${key}\``);
    deltas.set(key, n - reserved);
  }
  const reserved: Charges = isRefund ? {} : { ...before.reserved, ...charged };
  return tallied(step, { ...bare(before), state, reserved, slots: [], ...at(moment) }, deltas, lookups);
}

/** The call stays parked, since the entry that parked it: an approval only records. */
function foldApproved(
  step: CallStep & { readonly kind: 'approved' },
  moment: Moment,
  before: CallRow | undefined,
): Folded {
  const { by, digest, signature, interactive } = step;
  if (before?.state !== 'parked') return illegal(step, before);
  if (before.approval?.digest !== digest) return illegal(step, before, 'it approves another digest');
  if (hasExpired(before, moment)) return illegal(step, before, 'it expired');
  if (before.approvals.some((one) => one.by === by)) return illegal(step, before, `\`${by}\` has approved it already`);
  const how = {
    ...(signature === undefined ? {} : { signature }),
    ...(interactive === undefined ? {} : { interactive }),
  };
  const approval = { by, position: moment.position, ...how };
  return changed({ ...before, approvals: [...before.approvals, approval] });
}

function foldClosed(
  step: CallStep & { readonly kind: 'refused' | 'expired' },
  moment: Moment,
  before: CallRow | undefined,
  lookups: Lookups,
): Folded {
  if (before?.state !== 'parked') return illegal(step, before);
  if (step.kind === 'expired' && !hasExpired(before, moment)) return illegal(step, before, 'it has not expired yet');
  const deltas = new Map([[parkedKey(before.principal), -1]]);
  return tallied(step, { ...before, state: step.kind, ...at(moment) }, deltas, lookups);
}

/** Whether calls in this state have let go of their keys, so that another call may take them. */
export function isReleased({ state }: CallRow): boolean {
  return state === 'denied' || state === 'refused' || state === 'expired';
}

/** The call certainly had no effect, so it may be tried again. */
function isFree({ state }: CallRow): boolean {
  return state === 'not-started' || state === 'settled-not-executed';
}

/** Whether an intent names the attempt that it repeats although that may have had its effect. */
function isResent(before: CallRow | undefined, resends: string | undefined): boolean {
  return (before?.state === 'unknown' || before?.state === 'failed') && before.attempt === resends;
}

/** Whether `step` is about the call of `before`, with all of its keys. */
function isSame(
  before: CallRow,
  { principal, tool, keys }: { readonly principal: string; readonly tool: string; readonly keys: readonly string[] },
): boolean {
  return before.principal === principal && before.tool === tool && before.keys.every((key) => keys.includes(key));
}

function hasExpired({ approval }: CallRow, moment: Moment): boolean {
  return approval === undefined || approval.expires <= moment.at;
}

/** The keys that are new to the call; or which one another call has. */
function freshKeys(
  { call, keys }: { readonly call: string; readonly keys: readonly string[] },
  before: CallRow | undefined,
  lookups: Lookups,
): readonly string[] | string {
  const fresh = keys.filter((key) => before?.keys.includes(key) !== true);
  for (const key of fresh) {
    const holder = lookups.holder(key);
    if (holder !== undefined && !isReleased(holder)) return `a key of call ${call} was taken by call ${holder.id}`;
  }
  return fresh;
}

function newRow({ call, principal, tool }: CallStep & { readonly principal: string; readonly tool: string }): CallRow {
  const none = { state: 'denied', attempt: '', attempts: 0, instance: '', deadline: 0, position: 0 } as const;
  return { id: call, principal, tool, ...none, keys: [], reserved: {}, slots: [], approvals: [] };
}

/** The row without what belongs to one attempt only. */
function bare(row: CallRow): CallRow {
  const { slotsUntil: _until, effectTimeoutMs: _timeout, intent: _intent, ...rest } = row;
  return rest;
}

function at({ position }: Moment): { readonly position: number } {
  return { position };
}

/** The change with counters moved by `deltas` and put to `set`, when all of them stay safe integers from 0 on. */
function tallied(
  step: CallStep,
  row: CallRow,
  deltas: ReadonlyMap<string, number>,
  lookups: Lookups,
  more: { readonly fresh?: readonly string[]; readonly set?: readonly (readonly [string, number])[] } = {},
): Folded {
  const counters: (readonly [string, number])[] = [...(more.set ?? [])];
  for (const [key, delta] of deltas) {
    const value = lookups.counter(key) + delta;
    if (value < 0 || !Number.isSafeInteger(value)) return illegal(step, row, `\`${key}\` would be ${value}`);
    counters.push([key, value]);
  }
  return { ok: true, row, keys: more.fresh ?? [], counters };
}

function changed(row: CallRow): Folded {
  return { ok: true, row, keys: [], counters: [] };
}

function illegal(step: CallStep, before: CallRow | undefined, why?: string): Folded {
  const now = before === undefined ? 'does not exist' : `is \`${before.state}\` (attempt ${before.attempt || 'none'})`;
  const fit = `\`call.${step.kind}\` does not fit`;
  const message = why === undefined ? `call ${step.call} ${now}, so ${fit}` : `call ${step.call}: ${fit}, ${why}`;
  return { ok: false, code: 'illegal', message };
}
