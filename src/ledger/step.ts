/** What the entries say that change tables, read from their fields. Pure. */

import type { JsonObject, JsonValue } from '../value/json.ts';
import { isJsonObject } from '../value/json.ts';
import { parseInstant } from '../value/time.ts';
import type { ClockStep } from './clock.ts';
import { readAccepted, readJumped, readOpened } from './clock.ts';
import { type ContentStep, readContent } from './content.ts';
import { readRepeated } from './denial.ts';
import type { EntryType } from './entry.ts';
import type { ApprovalRequest, Charges } from './ledger.ts';
import { type RunStep, isRunStep, isRunType, readRun } from './run.ts';
import { type SavedStep, readSaved } from './saved.ts';
import { type StandingStep, isStanding, readStanding } from './standing.ts';
import { type VaultStep, isVaultType, readVaultStep } from './vault-step.ts';

/** So that it can be added to any time, milliseconds. */
const EFFECT_TIMEOUT_MS_MAX = 2 ** 50;

interface Proposed {
  readonly call: string;
  readonly principal: string;
  readonly tool: string;
}

/** What folding reads of an entry about a call. `kind` is the entry's type after `call.`. */
export type CallStep =
  | (Proposed & { readonly kind: 'denied' })
  | (Proposed & {
      readonly kind: 'parked';
      readonly keys: readonly string[];
      readonly approval: ApprovalRequest;
    })
  | (Proposed & {
      readonly kind: 'intent';
      readonly attempt: string;
      readonly instance: string;
      /** Milliseconds since the epoch. */
      readonly deadline: number;
      readonly keys: readonly string[];
      /** Added to the counters. */
      readonly reserved: Charges;
      /** Put in the place of the counters. */
      readonly rates: Charges;
      /** The leases that the attempt takes, one a key. */
      readonly slots: readonly string[];
      readonly effectTimeoutMs?: number;
      /** The unknown or failed attempt that it repeats: what it asks for cannot happen twice. */
      readonly resends?: string;
    })
  | { readonly kind: 'not-started'; readonly call: string; readonly attempt: string }
  | { readonly kind: 'unknown'; readonly call: string; readonly attempt: string }
  | {
      readonly kind: 'succeeded' | 'failed';
      readonly call: string;
      readonly attempt: string;
      /** What is charged instead of what was reserved, for some of the keys that were. */
      readonly charged: Charges;
    }
  | {
      readonly kind: 'settled';
      readonly call: string;
      readonly attempt: string;
      readonly as: 'executed' | 'not-executed';
      readonly charged: Charges;
    }
  | {
      readonly kind: 'approved';
      readonly call: string;
      readonly by: string;
      readonly digest: string;
      /** As the entry has it; none when the approval is unsigned. */
      readonly signature?: string;
      /** An unsigned one that the requester's own host fetched. */
      readonly interactive?: true;
    }
  | { readonly kind: 'refused' | 'expired'; readonly call: string };

interface Switched {
  readonly target: string;
  readonly reason: string;
  readonly by: string;
  /** None: it is about no single call. */
  readonly call?: never;
}

/** `kill.set` and `kill.lifted`. */
export type KillStep = (Switched & { readonly kind: 'kill-set' }) | (Switched & { readonly kind: 'kill-lifted' });

/** `pin.trusted`: a tool was used for the first time, under this definition. */
export interface PinStep {
  readonly kind: 'pin-trusted';
  readonly tool: string;
  readonly digest: string;
  readonly call?: never;
}

/** `ledger.rollback-accepted` and `ledger.rollback-lifted`: about no single call. */
export type RollbackStep =
  | {
      readonly kind: 'rollback-accepted';
      /** What witnesses had seen of the newer log: sizes, by name and id of their keys. */
      readonly witnesses: Charges;
      readonly call?: never;
    }
  | { readonly kind: 'rollback-lifted'; readonly call?: never };

export type Step =
  | CallStep
  | KillStep
  | PinStep
  | ClockStep
  | ContentStep
  | StandingStep
  | RollbackStep
  | RunStep
  | SavedStep
  | VaultStep;

/** The step of an entry; none for types that change no table; or why the fields are not those of its type. */
export type ReadStep = { readonly ok: true; readonly step?: Step } | { readonly ok: false; readonly message: string };

/** The call, or the run of a program, whose sealed values the entry of `step` commits to. */
export function ownerOf(step: Step | undefined): string | undefined {
  return step !== undefined && isRunStep(step) ? step.run : step?.call;
}

/** Whether entries of this type change the tables. */
export function isStep(type: EntryType): boolean {
  return (
    /^(?:call|kill|pin|clock)\.|^ledger\.(?:opened$|rollback-)|^(?:policy|program)\.content$|^program\.(?:saved|deleted)$/u.test(
      type,
    ) ||
    isRunType(type) ||
    isStanding(type) ||
    isVaultType(type)
  );
}

/** Reads the fields that folding needs. `fields` may be a whole entry. */
export function readStep(type: EntryType, fields: JsonObject): ReadStep {
  switch (type) {
    case 'call.denied':
      return readDenied(fields);
    case 'call.parked':
      return readParked(fields);
    case 'call.intent':
      return readIntent(fields);
    case 'call.not-started':
    case 'call.unknown':
      return readUncharged(type === 'call.unknown' ? 'unknown' : 'not-started', fields);
    case 'call.succeeded':
    case 'call.failed':
      return readAnswered(type === 'call.failed' ? 'failed' : 'succeeded', fields);
    case 'call.settled':
      return readSettled(fields);
    case 'call.approved':
      return readApproved(fields);
    case 'call.refused':
    case 'call.expired':
      return readClosed(type === 'call.refused' ? 'refused' : 'expired', fields);
    case 'kill.set':
    case 'kill.lifted':
      return readKill(type === 'kill.set' ? 'kill-set' : 'kill-lifted', fields);
    case 'pin.trusted':
      return readPin(fields);
    case 'ledger.opened':
      return readOpened(fields);
    case 'clock.jumped':
      return readJumped(fields);
    case 'clock.accepted':
      return readAccepted(fields);
    case 'ledger.rollback-accepted':
    case 'ledger.rollback-lifted':
      return readRollback(type === 'ledger.rollback-lifted' ? 'rollback-lifted' : 'rollback-accepted', fields);
    case 'policy.content':
    case 'program.content':
      return readContent(fields);
    case 'program.started':
    case 'program.moved':
    case 'program.ended':
      return readRun(type, fields);
    case 'program.saved':
    case 'program.deleted':
      return readSaved(type, fields);
    case 'denial.repeated':
      return readRepeated(fields);
    default:
      return readVaultStep(type, fields) ?? readStanding(type, fields);
  }
}

function readDenied(fields: JsonObject): ReadStep {
  const { call, principal } = fields;
  const tool = toolName(fields);
  if (!isName(call)) return missing('call');
  if (typeof principal !== 'string') return missing('principal');
  return tool === undefined ? missing('tool.name') : { ok: true, step: { kind: 'denied', call, principal, tool } };
}

function readParked(fields: JsonObject): ReadStep {
  const { call, principal, keys } = fields;
  const tool = toolName(fields);
  const approval = approvalRequest(fields['approval']);
  if (!isName(call)) return missing('call');
  if (typeof principal !== 'string') return missing('principal');
  if (tool === undefined) return missing('tool.name');
  if (!isNameSet(keys)) return missing('keys');
  if (approval === undefined) return missing('approval');
  return { ok: true, step: { kind: 'parked', call, principal, tool, keys, approval } };
}

function approvalRequest(value: JsonValue | undefined): ApprovalRequest | undefined {
  if (!isJsonObject(value)) return undefined;
  const { digest, approvers, quorum, notRequester = false, requester } = value;
  const expires = typeof value['expires'] === 'string' ? parseInstant(value['expires']) : undefined;
  if (!isName(digest) || !isNameSet(approvers) || !isCount(quorum) || quorum === 0) return undefined;
  if (typeof notRequester !== 'boolean' || typeof requester !== 'string' || expires === undefined) return undefined;
  return { digest, approvers, quorum, notRequester, requester, expires };
}

function readIntent(fields: JsonObject): ReadStep {
  const { call, attempt, instance, principal, keys, policy = {} } = fields;
  const tool = toolName(fields);
  const deadline = typeof fields['deadline'] === 'string' ? parseInstant(fields['deadline']) : undefined;
  if (!isName(call)) return missing('call');
  if (!isName(attempt)) return missing('attempt');
  if (!isName(instance)) return missing('instance');
  if (deadline === undefined) return missing('deadline');
  if (typeof principal !== 'string') return missing('principal');
  if (tool === undefined) return missing('tool.name');
  if (!isNameSet(keys)) return missing('keys');
  if (!isJsonObject(policy)) return missing('policy');
  const { reserved = {}, rates = {}, slots = [], effectTimeoutMs } = policy;
  if (!isCharges(reserved, ['budget/', 'count/'])) return missing('policy.reserved');
  if (!isCharges(rates, ['rate/'])) return missing('policy.rates');
  if (!isNameSet(slots) || !slots.every((key) => key.startsWith('slots/'))) return missing('policy.slots');
  const { resends } = fields;
  if (resends !== undefined && !isName(resends)) return missing('resends');
  const repeated = resends === undefined ? {} : { resends };
  const step = { kind: 'intent', call, attempt, instance, deadline, principal, tool, keys, ...repeated } as const;
  const held = { reserved, rates, slots };
  if (effectTimeoutMs === undefined) return { ok: true, step: { ...step, ...held } };
  if (!isCount(effectTimeoutMs) || effectTimeoutMs > EFFECT_TIMEOUT_MS_MAX) return missing('policy.effectTimeoutMs');
  return { ok: true, step: { ...step, ...held, effectTimeoutMs } };
}

function readUncharged(kind: 'not-started' | 'unknown', fields: JsonObject): ReadStep {
  const { call, attempt, charged } = fields;
  if (!isName(call)) return missing('call');
  if (!isName(attempt)) return missing('attempt');
  // The one gives everything back and the other keeps everything: a charge beside them would say what is not so.
  return charged === undefined ? { ok: true, step: { kind, call, attempt } } : missing('charged');
}

function readAnswered(kind: 'succeeded' | 'failed', fields: JsonObject): ReadStep {
  const { call, attempt, charged = {} } = fields;
  if (!isName(call)) return missing('call');
  if (!isName(attempt)) return missing('attempt');
  if (!isCharges(charged, ['budget/', 'count/'])) return missing('charged');
  return { ok: true, step: { kind, call, attempt, charged } };
}

function readSettled(fields: JsonObject): ReadStep {
  const { call, attempt, as, charged = {} } = fields;
  if (!isName(call)) return missing('call');
  if (!isName(attempt)) return missing('attempt');
  if (as !== 'executed' && as !== 'not-executed') return missing('as');
  if (!isCharges(charged, ['budget/', 'count/'])) return missing('charged');
  if (as === 'not-executed' && fields['charged'] !== undefined) return missing('charged');
  return { ok: true, step: { kind: 'settled', call, attempt, as, charged } };
}

function readApproved(fields: JsonObject): ReadStep {
  const { call, by, digest, signature, unsigned, interactive } = fields;
  if (!isName(call)) return missing('call');
  if (!isName(by)) return missing('by');
  if (!isName(digest)) return missing('digest');
  const step = { kind: 'approved', call, by, digest } as const;
  // It is one or the other, said aloud: a signature that was lost must not pass for an approval that never had one.
  if (interactive !== undefined && interactive !== true) return missing('interactive');
  const fetched = interactive === undefined ? {} : { interactive };
  if (signature === undefined)
    return unsigned === true ? { ok: true, step: { ...step, ...fetched } } : missing('signature');
  if (unsigned !== undefined || interactive !== undefined || !isName(signature)) return missing('signature');
  return { ok: true, step: { ...step, signature } };
}

function readClosed(kind: 'refused' | 'expired', fields: JsonObject): ReadStep {
  const { call, by, reason } = fields;
  if (!isName(call)) return missing('call');
  if (kind === 'refused' && !isName(by)) return missing('by');
  if (kind === 'refused' && typeof reason !== 'string') return missing('reason');
  return { ok: true, step: { kind, call } };
}

const KILL_TARGET = /^(?:all|(?:principal|server|tool):.+)$/su;

function readKill(kind: 'kill-set' | 'kill-lifted', fields: JsonObject): ReadStep {
  const { target, reason, by } = fields;
  if (typeof target !== 'string' || !KILL_TARGET.test(target)) return missing('target');
  if (!isName(reason)) return missing('reason');
  if (!isName(by)) return missing('by');
  return { ok: true, step: { kind, target, reason, by } };
}

/** A definition that is too large for its entry is left out; its digest never is. */
function readPin(fields: JsonObject): ReadStep {
  const { tool, definition } = fields;
  const name = toolName(fields);
  const digest = isJsonObject(tool) ? tool['definition'] : undefined;
  if (!isName(name)) return missing('tool.name');
  // It stands before the name in the key of its fact.
  if (!isName(digest) || digest.includes('/')) return missing('tool.definition');
  if (definition !== undefined && typeof definition !== 'string') return missing('definition');
  return { ok: true, step: { kind: 'pin-trusted', tool: name, digest } };
}

function readRollback(kind: RollbackStep['kind'], { reason, by, witnesses = {} }: JsonObject): ReadStep {
  if (!isName(reason)) return missing('reason');
  if (!isName(by)) return missing('by');
  if (kind === 'rollback-lifted') return { ok: true, step: { kind } };
  return isCharges(witnesses, ['']) ? { ok: true, step: { kind, witnesses } } : missing('witnesses');
}

function toolName(fields: JsonObject): string | undefined {
  const tool = fields['tool'];
  if (!isJsonObject(tool)) return undefined;
  const name = tool['name'];
  return typeof name === 'string' ? name : undefined;
}

function isName(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value !== '';
}

function isNameSet(value: JsonValue | undefined): value is string[] {
  return Array.isArray(value) && value.every(isName) && new Set(value).size === value.length;
}

function isCount(value: JsonValue | undefined): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/** Each kind of fact has its own folder, so that no entry can move a number of another kind. */
function isCharges(value: JsonValue | undefined, folders: readonly string[]): value is Record<string, number> {
  if (!isJsonObject(value)) return false;
  return Object.entries(value).every(([key, n]) => isCount(n) && folders.some((folder) => key.startsWith(folder)));
}

function missing(field: string): ReadStep {
  return { ok: false, message: `the entry lacks a usable \`${field}\`` };
}
