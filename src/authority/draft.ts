/** The entries the authority writes, as drafts. */

import { uuidV7 } from '../value/id.ts';
import type { JsonObject, JsonValue } from '../value/json.ts';
import { formatInstant } from '../value/time.ts';
import type { EntryDraft, EntryType } from '../ledger/entry.ts';
import type { Decision } from '../policy/decide/decision.ts';
import { withoutSecrets } from '../guard/secret/find.ts';
import type { Proposal } from './proposal.ts';
import type { World } from '../world/world.ts';

/** A decision may cite thousands of rules and a host may send any tool name; an entry holds the head of each. */
const RULES_MAX = 64;
const NAME_CODE_UNITS_MAX = 256;
const REASON_CODE_UNITS_MAX = 1_024;

/** A fresh id: UUIDv7 (RFC 9562) of the world's clock and randomness. */
export function newId(world: World): string {
  return uuidV7(world.now(), world.random(10));
}

export function draft(world: World, type: EntryType, fields: JsonObject): EntryDraft {
  return { id: newId(world), type, fields };
}

/** A reason that came from outside, as an entry holds it: its head, well-formed, and without what looks like a secret. */
export function recordedReason(reason: string): string {
  return withoutSecrets(reason.toWellFormed()).slice(0, REASON_CODE_UNITS_MAX).toWellFormed();
}

/** What an entry says of a decision. */
export function policyFields(digest: string | undefined, decision: Decision, layers: JsonObject): JsonObject {
  return {
    ...(digest === undefined ? {} : { digest }),
    effect: decision.effect,
    code: decision.code,
    rules: decision.rules.slice(0, RULES_MAX),
    ...(decision.rules.length > RULES_MAX ? { rulesTotal: decision.rules.length } : {}),
    ...(decision.facts === undefined ? {} : { facts: decision.facts }),
    ...(decision.shadowed === undefined ? {} : { shadowed: shadowedFields(decision.shadowed) }),
    ...layers,
  };
}

/** What the rules said of a call that the preset `shadow` let through. */
function shadowedFields({ effect, code, rules }: NonNullable<Decision['shadowed']>): JsonObject {
  return { effect, code, rules: rules.slice(0, RULES_MAX) };
}

/** What the intent takes, as folding reads it: docs/ledger.md, counters. */
export function reservationFields({ reservation }: Decision): JsonObject {
  if (reservation === undefined) return {};
  const { reserved, rates, slots, effectTimeoutMs } = reservation;
  return { reserved, rates, slots, ...(effectTimeoutMs === undefined ? {} : { effectTimeoutMs }) };
}

function subjectField({ subject, checked }: Pick<DeniedFields, 'subject' | 'checked'>): JsonObject {
  return { ...(subject.length === 0 ? {} : { subject }), ...(checked === undefined ? {} : { checked }) };
}

/** A tool's name, which a host may have made up, as an entry holds it. */
export function recordedTool(name: string): string {
  return name.toWellFormed().slice(0, NAME_CODE_UNITS_MAX).toWellFormed();
}

/** What an entry says of the run that a call is of: of a program's, the step too. */
export function runFields({ session: id, program: of }: Pick<Proposal, 'session' | 'program'>): JsonObject {
  if (of === undefined) return { id };
  const { program, seq, step, command, depth } = of;
  return { id, program, seq, step, command, ...(depth === 0 ? {} : { depth }) };
}

export interface DeniedFields {
  readonly call: string;
  readonly principal: string;
  /** `runFields` of the proposal. */
  readonly run: JsonObject;
  readonly tool: string;
  /** The digest of its definition, where one is known. */
  readonly definition?: string | undefined;
  readonly policy: string | undefined;
  readonly decision: Decision;
  /** What stood beside the policy: layers.ts. */
  readonly layers: JsonObject;
  readonly args: JsonValue;
  /** `s_…` of whom the call says that it is about. */
  readonly subject: readonly string[];
  /** The call that asked whether it is. */
  readonly checked?: string | undefined;
}

export function deniedDraft(world: World, denied: DeniedFields): EntryDraft {
  return draft(world, 'call.denied', {
    call: denied.call,
    principal: denied.principal,
    run: denied.run,
    tool: {
      name: recordedTool(denied.tool),
      ...(denied.definition === undefined ? {} : { definition: denied.definition }),
    },
    policy: policyFields(denied.policy, denied.decision, denied.layers),
    args: denied.args,
    ...subjectField(denied),
  });
}

export interface IntentFields {
  readonly call: string;
  readonly attempt: string;
  readonly instance: string;
  readonly deadlineMs: number;
  /** What is special about the attempt: which one it repeats, what it looks into, the key that it takes along. */
  readonly about?: JsonObject;
  readonly principal: string;
  /** `runFields` of the proposal. */
  readonly run: JsonObject;
  readonly keys: readonly string[];
  readonly tool: { readonly name: string; readonly effect: string; readonly definition?: string };
  readonly policy: string | undefined;
  readonly decision: Decision;
  readonly layers: JsonObject;
  readonly args: JsonValue;
  /** As in `DeniedFields`. */
  readonly subject: readonly string[];
  readonly checked?: string | undefined;
}

export function intentDraft(world: World, intent: IntentFields): EntryDraft {
  return draft(world, 'call.intent', {
    call: intent.call,
    attempt: intent.attempt,
    instance: intent.instance,
    deadline: formatInstant(intent.deadlineMs),
    principal: intent.principal,
    run: intent.run,
    keys: intent.keys,
    tool: { ...intent.tool },
    policy: { ...policyFields(intent.policy, intent.decision, intent.layers), ...reservationFields(intent.decision) },
    args: intent.args,
    ...subjectField(intent),
    ...intent.about,
  });
}

export interface ParkedFields extends Omit<IntentFields, 'attempt' | 'instance' | 'deadlineMs' | 'about'> {
  readonly approval: JsonObject;
  /** The commitment to its arguments with their secrets, while it waits. */
  readonly live?: JsonValue;
}

export function parkedDraft(world: World, parked: ParkedFields): EntryDraft {
  return draft(world, 'call.parked', {
    call: parked.call,
    principal: parked.principal,
    run: parked.run,
    keys: parked.keys,
    tool: { ...parked.tool },
    policy: policyFields(parked.policy, parked.decision, parked.layers),
    args: parked.args,
    ...subjectField(parked),
    approval: parked.approval,
    ...(parked.live === undefined ? {} : { live: parked.live }),
  });
}
