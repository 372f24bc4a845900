/** What a run did and came to, as a function of its entries and nothing else. Pure. */

import { stepOf } from '../authority/asked.ts';
import type { Entry } from '../ledger/entry.ts';
import { isRunType } from '../ledger/run.ts';
import { ASK } from '../policy/tool/own.ts';
import { type JsonObject, type JsonValue, isJsonObject } from '../value/json.ts';
import { type Started, readStanding, readStarted } from '../runtime/entry.ts';
import { member, textOf } from './problem.ts';
import { isDecision } from './recorded-call.ts';

export type Placed = readonly [position: number, entry: Entry];

/** One step that was entered, and the entry that says so. */
export interface PathStep {
  readonly step: string;
  readonly entry: number;
}

export interface ReceiptCall {
  readonly call: string;
  readonly command: string;
  readonly step: string;
  readonly tool: string;
  /** Where its entries leave it: `succeeded`, `unknown`, `parked`… */
  readonly state: string;
  /** Intents: how often it may have been sent. */
  readonly attempts: number;
  /** Its first entry. */
  readonly entry: number;
}

export interface ReceiptDenial {
  readonly entry: number;
  readonly command: string;
  readonly step: string;
  readonly tool: string;
  readonly code: string;
}

/** Somebody's answer to a call, or to a question, that waited for it. */
export interface ReceiptAnswer {
  readonly entry: number;
  readonly call: string;
  readonly answer: 'approved' | 'refused' | 'expired';
  readonly by?: string;
}

export interface RunReceipt {
  readonly run: string;
  readonly program: string;
  readonly version: number;
  /** Of the program, the policy, and what the run may do. */
  readonly digests: { readonly program: string; readonly policy: string; readonly capability: string };
  readonly principal: string;
  /** `running`, `suspended`, or how it ended. */
  readonly status: string;
  readonly started: string;
  /** Absent while it is under way. */
  readonly ended?: string;
  readonly path: readonly PathStep[];
  readonly calls: readonly ReceiptCall[];
  readonly denials: readonly ReceiptDenial[];
  readonly approvals: readonly ReceiptAnswer[];
  /** The runs that it called, with how each ended. */
  readonly children: readonly { readonly run: string; readonly status: string }[];
  /** Steps, attempts, tokens, millionths of a dollar and active milliseconds; absent while it is under way. */
  readonly spent?: JsonObject;
  /** Of its last entry: it stands for all that led there. */
  readonly snapshot: string;
  readonly because?: string;
  readonly failure?: JsonObject;
  /** What could not be undone. */
  readonly notUndone: readonly JsonValue[];
  /** Properties that it was started without a proof of. */
  readonly unproved: readonly JsonValue[];
}

type Draft = { -readonly [K in keyof RunReceipt]: RunReceipt[K] } & {
  path: PathStep[];
  calls: ReceiptCall[];
  denials: ReceiptDenial[];
  approvals: ReceiptAnswer[];
  children: { readonly run: string; readonly status: string }[];
};

/** Which runs somebody wants to see. */
export type Wanted = (started: Started) => boolean;

/**
 * The receipts of the runs of a log, in the order in which these started; of parts of a log, as a bundle is one, what
 * they say. One pass; memory for the runs that are wanted.
 */
export function runReceipts(entries: Iterable<Placed>, isWanted: Wanted = () => true): readonly RunReceipt[] {
  const drafts = new Map<string, Draft>();
  const calls = new Map<string, Draft>();
  for (const [position, entry] of entries) {
    const run = drafts.get(textOf(member(entry['run'], 'id')));
    const started = entry.type === 'program.started' ? readStarted(entry) : undefined;
    if (started !== undefined && isWanted(started)) drafts.set(started.id, begun(started, entry, position));
    else if (run !== undefined && isRunType(entry.type)) moved(run, entry, position);
    else if (run !== undefined && isDecision(entry) && stepOf(entry) !== undefined) {
      decided(run, entry, position);
      calls.set(textOf(entry['call']), run);
    } else if (typeof entry['call'] === 'string') {
      const of = calls.get(entry['call']);
      if (of !== undefined) ended(of, entry, position);
    }
  }
  return [...drafts.values()];
}

function begun(started: Started, entry: Entry, position: number): Draft {
  const { id: run, name, version, principal, program, policy, capability } = started;
  const draft: Draft = {
    run,
    program: name,
    version,
    digests: { program, policy, capability },
    principal,
    status: '',
    started: entry.at,
    path: [],
    calls: [],
    denials: [],
    approvals: [],
    children: [],
    snapshot: '',
    notUndone: [],
    unproved: listIn(entry, 'unproved'),
  };
  moved(draft, entry, position);
  return draft;
}

function moved(draft: Draft, entry: Entry, position: number): void {
  const standing = readStanding(entry);
  if (standing === undefined) return;
  const { status, steps, snapshot } = standing;
  draft.status = status;
  draft.snapshot = snapshot;
  draft.path.push(...steps.map((step) => ({ step, entry: position })));
  const { event } = entry;
  if (member(event, 'kind') === 'child') {
    draft.children.push({ run: textOf(member(event, 'of')), status: textOf(member(event, 'status')) });
  }
  if (status === 'running' || status === 'suspended') return;
  const { because, failure, spent } = entry;
  draft.ended = entry.at;
  draft.notUndone = listIn(entry, 'notUndone');
  if (typeof because === 'string') draft.because = because;
  if (isJsonObject(failure)) draft.failure = failure;
  if (isJsonObject(spent)) draft.spent = spent;
}

function decided(draft: Draft, entry: Entry, position: number): void {
  const { call: id, run, tool, policy } = entry;
  const [call, command, step] = [textOf(id), textOf(member(run, 'command')), textOf(member(run, 'step'))];
  const name = textOf(member(tool, 'name'));
  if (entry.type === 'call.denied') {
    draft.denials.push({ entry: position, command, step, tool: name, code: textOf(member(policy, 'code')) });
    return;
  }
  const at = draft.calls.findLastIndex((one) => one.call === call);
  const attempt = entry.type === 'call.intent' ? 1 : 0;
  const state = entry.type === 'call.intent' ? 'intent' : 'parked';
  const known = draft.calls[at];
  if (known === undefined)
    draft.calls.push({ call, command, step, tool: name, state, attempts: attempt, entry: position });
  else draft.calls[at] = { ...known, state, attempts: known.attempts + attempt };
}

const OUTCOME = /^call\.(succeeded|failed|not-started|unknown|settled|refused|expired)$/u;

function ended(draft: Draft, entry: Entry, position: number): void {
  const { type, call: id, as, by } = entry;
  const call = textOf(id);
  const named = typeof by === 'string' ? { by } : {};
  if (type === 'call.approved') draft.approvals.push({ entry: position, call, answer: 'approved', ...named });
  if (type === 'call.refused') draft.approvals.push({ entry: position, call, answer: 'refused', ...named });
  if (type === 'call.expired') draft.approvals.push({ entry: position, call, answer: 'expired' });
  const [, outcome] = OUTCOME.exec(type) ?? [];
  const at = draft.calls.findLastIndex((one) => one.call === call);
  const known = draft.calls[at];
  if (outcome === undefined || known === undefined) return;
  draft.calls[at] = { ...known, state: outcome === 'settled' ? `settled-${textOf(as)}` : outcome };
}

function listIn(entry: Entry, name: string): readonly JsonValue[] {
  const value = entry[name];
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [];
}

/** Whether a call asked people, and did nothing in the world. */
export function isQuestion({ tool }: ReceiptCall): boolean {
  return tool === ASK.name;
}
