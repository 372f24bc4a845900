/** What the entries `program.*` say of a run, written and read. */

import type { Entry } from '../ledger/entry.ts';
import type { Capability } from '../policy/decide/capability.ts';
import type { CommandId, RunEvent } from '../program/event.ts';
import type { Failure, RunState } from '../program/state.ts';
import type { Digest } from '../value/digest.ts';
import { type JsonObject, type JsonValue, isJsonObject } from '../value/json.ts';
import { formatInstant, parseInstant } from '../value/time.ts';

const WAIT_KINDS = ['event', 'approval', 'settlement', 'run'] as const;

/** What a run waits for, as its last entry says it: nothing else moves it. */
export interface Wait {
  readonly command: CommandId;
  /** Something from outside; the approval or the settlement of a call; the end of another run. */
  readonly kind: (typeof WAIT_KINDS)[number];
  /** The event, the call or the run. */
  readonly of: string;
  /** The end of the time to wait for an event, milliseconds since the epoch. */
  readonly expires?: number;
}

/** The run that called this one, and the command that did. */
export interface Parent {
  readonly run: string;
  readonly command: CommandId;
}

/** Where a run stands after one of its entries. */
export interface Standing {
  readonly seq: number;
  readonly status: string;
  readonly step: string;
  /** The steps that were entered by the move, in order; of very many the first. */
  readonly steps: readonly string[];
  readonly waits: readonly Wait[];
  /** What stands for everything that led here: snapshot.ts. */
  readonly snapshot: string;
  /** Who moved it. */
  readonly instance: string;
}

/** What a run is, from its first entry on. */
export interface Started {
  readonly id: string;
  readonly principal: string;
  readonly program: string;
  readonly name: string;
  readonly version: number;
  /** The digest of what it may do, and the tools that this is about. */
  readonly capability: string;
  readonly tools: readonly string[];
  /** The digests of the programs that it may call, by name. */
  readonly programs: ReadonlyMap<string, string>;
  readonly depth: number;
  readonly parent?: Parent;
  readonly policy: string;
  /** The digest of the list of tools that the policy was over. */
  readonly catalog: string;
}

const STEPS_MAX = 256;
const RUN_TYPES = /^program\.(?:started|moved|ended)$/u;

export function startedFields(started: Started, input: JsonValue, unproved: readonly string[]): JsonObject {
  const { id, program, principal, name, version, capability, tools, programs, depth, parent, policy, catalog } =
    started;
  return {
    run: { id, program, seq: 0 },
    principal,
    name,
    version,
    policy,
    catalog,
    capability,
    tools,
    args: input,
    ...(programs.size === 0 ? {} : { programs: Object.fromEntries(programs) }),
    ...(depth === 0 ? {} : { depth }),
    ...(parent === undefined ? {} : { parent: { ...parent } }),
    ...(unproved.length === 0 ? {} : { unproved }),
  };
}

export function standingFields({ status, step, steps, waits, snapshot, instance }: Standing): JsonObject {
  return {
    status,
    step,
    steps: steps.slice(0, STEPS_MAX),
    ...(steps.length > STEPS_MAX ? { stepsTotal: steps.length } : {}),
    waits: waits.map(({ expires, ...wait }) => ({
      ...wait,
      ...(expires === undefined ? {} : { expires: formatInstant(expires) }),
    })),
    snapshot,
    instance,
  };
}

/** What an entry says of the end; `output` is what it commits to. */
export function endedFields({ ending, notUndone, spent }: RunState, output: JsonValue | undefined): JsonObject {
  const { because, failure } = ending ?? {};
  return {
    ...(output === undefined ? {} : { output }),
    ...(because === undefined ? {} : { because }),
    ...(failure === undefined ? {} : { failure: failureFields(failure) }),
    ...(notUndone.length === 0 ? {} : { notUndone }),
    spent: { ...spent },
  };
}

function failureFields({ step, code, message }: Failure): JsonObject {
  return { step, code, message };
}

/** Whether `entry` is one of a run's moves. */
export function isMove({ type }: Entry): boolean {
  return RUN_TYPES.test(type);
}

export function readStarted(entry: Entry): Started | undefined {
  const { type, run, principal, name, version, capability, tools, programs = {}, depth = 0, parent } = entry;
  const { policy, catalog } = entry;
  const { id, program } = isJsonObject(run) ? run : {};
  if (type !== 'program.started' || typeof id !== 'string' || typeof program !== 'string') return undefined;
  if (typeof principal !== 'string' || typeof name !== 'string' || typeof version !== 'number') return undefined;
  if (typeof capability !== 'string' || typeof policy !== 'string' || typeof depth !== 'number') return undefined;
  if (typeof catalog !== 'string' || !isTexts(tools) || !isJsonObject(programs)) return undefined;
  const called = Object.entries(programs).flatMap(([of, digest]) =>
    typeof digest === 'string' ? [[of, digest] as const] : [],
  );
  const above = readParent(parent);
  return {
    id,
    principal,
    program,
    name,
    version,
    capability,
    tools,
    programs: new Map(called),
    depth,
    policy,
    catalog,
    ...(above === undefined ? {} : { parent: above }),
  };
}

/** What it may do, as it was taken when the run started. */
export function capabilityFrom({ capability: digest, tools }: Started): Capability {
  return { digest: digest as Digest, tools };
}

function readParent(value: JsonValue | undefined): Parent | undefined {
  const { run, command } = isJsonObject(value) ? value : {};
  return typeof run === 'string' && typeof command === 'string' ? { run, command } : undefined;
}

export function readStanding(entry: Entry): Standing | undefined {
  const { run, status, step, steps, waits, snapshot, instance } = entry;
  const seq = isJsonObject(run) ? run['seq'] : undefined;
  if (!isMove(entry) || typeof seq !== 'number' || typeof status !== 'string' || typeof step !== 'string')
    return undefined;
  if (!isTexts(steps) || !Array.isArray(waits) || typeof snapshot !== 'string' || typeof instance !== 'string')
    return undefined;
  const listed = (waits as readonly JsonValue[]).map(readWait);
  if (!listed.every((wait) => wait !== undefined)) return undefined;
  return { seq, status, step, steps, waits: listed, snapshot, instance };
}

function readWait(value: JsonValue): Wait | undefined {
  if (!isJsonObject(value)) return undefined;
  const { command, kind, of, expires } = value;
  if (typeof command !== 'string' || typeof of !== 'string') return undefined;
  const known = WAIT_KINDS.find((one) => one === kind);
  if (known === undefined) return undefined;
  const until = typeof expires === 'string' ? parseInstant(expires) : undefined;
  return { command, kind: known, of, ...(until === undefined ? {} : { expires: until }) };
}

/** An event as an entry says it. What a call, an event or a run brought lies where it was recorded first. */
export interface RecordedEvent {
  readonly event: RunEvent;
  /** The call or the run that it is about. */
  readonly of?: string;
}

export function eventFields({ event, of }: RecordedEvent): JsonObject {
  const { output: _output, payload: _payload, ...said } = { output: undefined, payload: undefined, ...event };
  return { ...said, ...(of === undefined ? {} : { of }) };
}

/** What an entry says of the event that moved the run, without what that brought; nothing where it is no event. */
export function readEvent({ event }: Entry): RecordedEvent | undefined {
  if (!isJsonObject(event)) return undefined;
  const { of, ...said } = event;
  if (!isEvent(said)) return undefined;
  return { event: said as unknown as RunEvent, ...(typeof of === 'string' ? { of } : {}) };
}

const ENDS: readonly JsonValue[] = ['succeeded', 'failed', 'not-started', 'denied', 'unknown'];
const ANSWERS: readonly JsonValue[] = ['yes', 'no', 'expired'];
const COUNTS = ['attempts', 'activeMs', 'tokens', 'microUsd'];

function isEvent({ kind, command, ...said }: JsonObject): boolean {
  if (kind === 'cancel') return true;
  if (typeof command !== 'string') return false;
  const { end, message = '', as, status, answer } = said;
  switch (kind) {
    case 'call':
      return isOneOf(ENDS, end) && typeof message === 'string' && COUNTS.every((name) => isCount(said[name]));
    case 'settled':
      return as === 'executed' || as === 'not-executed';
    case 'child':
      return typeof status === 'string';
    case 'answer':
      return isOneOf(ANSWERS, answer);
    default:
      return kind === 'waits' || kind === 'event' || kind === 'expired';
  }
}

function isOneOf(words: readonly JsonValue[], value: JsonValue | undefined): boolean {
  return value !== undefined && words.includes(value);
}

function isCount(value: JsonValue = 0): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isTexts(value: JsonValue | undefined): value is readonly string[] & JsonValue {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
