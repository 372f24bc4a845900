/** Entries of the ledger: their types, what each says, and the leaf bytes they become. */

import assert from 'node:assert/strict';
import { canonicalBytes, canonicalText } from '../value/canonical.ts';
import { equalBytes } from '../value/digest.ts';
import { utf8 } from '../value/encoding.ts';
import { isUuid } from '../value/id.ts';
import type { Issue, Parsed } from '../value/issue.ts';
import type { JsonObject, JsonValue } from '../value/json.ts';
import { isJsonObject, parseJson } from '../value/json.ts';
import { DEPTH_CEILING, ENTRY_BYTES_MAX } from '../value/limits.ts';
import { formatInstant, parseInstant } from '../value/time.ts';

export const ENTRY_TYPES = [
  'ledger.created',
  'ledger.opened',
  'ledger.closed',
  'ledger.outside-failed',
  'ledger.witness-failed',
  'ledger.rollback-accepted',
  'ledger.rollback-lifted',
  'policy.loaded',
  'policy.content',
  'policy.refused',
  'policy.waiting',
  'policy.approved',
  'policy.withdrawn',
  'policy.exception',
  'policy.exception-ended',
  'call.denied',
  'call.parked',
  'call.approved',
  'call.refused',
  'call.expired',
  'call.intent',
  'call.not-started',
  'call.succeeded',
  'call.failed',
  'call.unknown',
  'call.settled',
  'denial.repeated',
  'kill.set',
  'kill.lifted',
  'erasure.expired',
  'erasure.requested',
  'erasure.executed',
  'hold.added',
  'hold.lifted',
  'disclosure.made',
  'key.rotated',
  'key.destroyed',
  'key.added',
  'key.revoked',
  'pin.trusted',
  'clock.jumped',
  'clock.accepted',
  'program.content',
  'program.started',
  'program.moved',
  'program.ended',
  'program.ignored',
  'program.saved',
  'program.deleted',
] as const;

export type EntryType = (typeof ENTRY_TYPES)[number];

/** An entry before the store has given it `v`, `log` and `at`. `id` is a UUIDv7 (RFC 9562). */
export interface EntryDraft {
  readonly id: string;
  readonly type: EntryType;
  readonly fields: JsonObject;
}

/** An entry as its leaf says it: `fields` beside the envelope. */
export interface Entry {
  readonly v: 1;
  readonly log: string;
  readonly id: string;
  readonly at: string;
  readonly type: EntryType;
  readonly [field: string]: JsonValue;
}

/** What the store adds to a draft. `at` is in milliseconds since the epoch. */
export interface Envelope {
  readonly log: string;
  readonly at: number;
}

/** A leaf but for its time, which is only known under the write lock: the canonical text around it. */
export interface UndatedLeaf {
  readonly type: EntryType;
  readonly before: string;
  readonly after: string;
}

const ENVELOPE: ReadonlySet<string> = new Set(['v', 'log', 'id', 'at', 'type']);

/** Only such integers can be ones that `parseJson` refuses, 2^53 being 9.007e15; within a string it may look the same. */
const LONG_NUMBER = /[:,[-](?:9\d{15}|\d{17})/;

/** `"at":"` … `",` around the 24 characters that `formatInstant` always writes. */
const TIME_BYTES = 32;

/**
 * The canonical text of `draft` as an entry of `log`, split where its time goes. An id that is no UUID, a field named
 * like the envelope, a leaf above `ENTRY_BYTES_MAX` (see `entrySize`) or an integer that would not parse again is a bug
 * of the caller and fails an assertion; what has no canonical form throws what `canonicalText` throws.
 */
export function undatedLeaf(draft: EntryDraft, log: string): UndatedLeaf {
  assert(isUuid(draft.id), 'expected an entry id that is a UUID');
  const leaf = split(draft, log);
  const size = sizeOf(leaf);
  assert(size <= ENTRY_BYTES_MAX, `expected an entry of at most ${ENTRY_BYTES_MAX} bytes, got ${size}`);
  if (LONG_NUMBER.test(leaf.before) || LONG_NUMBER.test(leaf.after)) {
    const { ok } = parseJson(datedText(leaf, ''), { depthMax: DEPTH_CEILING });
    assert(ok, 'expected an entry that parses again, got an integer beyond 2^53');
  }
  return leaf;
}

/** The text of a leaf once its time is known: `at` as `formatInstant` writes it. */
export function datedText({ before, after }: UndatedLeaf, at: string): string {
  return `${before}"at":"${at}",${after}`;
}

/** The bytes of the leaf: the canonical JSON (RFC 8785) of envelope and fields. Fails where `undatedLeaf` does. */
export function encodeEntry(draft: EntryDraft, { log, at }: Envelope): Uint8Array {
  return utf8(datedText(undatedLeaf(draft, log), formatInstant(at)));
}

/** How many bytes the leaf of `draft` would have in `log`; it must not be above `ENTRY_BYTES_MAX`. */
export function entrySize(draft: EntryDraft, log: string): number {
  return sizeOf(split(draft, log));
}

function sizeOf({ before, after }: UndatedLeaf): number {
  return Buffer.byteLength(before) + TIME_BYTES + Buffer.byteLength(after);
}

function split({ id, type, fields }: EntryDraft, log: string): UndatedLeaf {
  const before: [string, JsonValue][] = [];
  const after: [string, JsonValue][] = [
    ['v', 1],
    ['log', log],
    ['id', id],
    ['type', type],
  ];
  for (const [name, value] of Object.entries(fields)) {
    assert(!ENVELOPE.has(name), `expected fields beside the envelope, got \`${name}\``);
    // Canonical order is by UTF-16 code units, which is how JavaScript compares strings.
    (name < 'at' ? before : after).push([name, value]);
  }
  const head = canonicalText(Object.fromEntries(before)).slice(0, -1);
  return {
    type,
    before: before.length === 0 ? head : `${head},`,
    after: canonicalText(Object.fromEntries(after)).slice(1),
  };
}

/**
 * The entry that `leaf` holds, or why it is none: not strict JSON, not its canonical form, too long, or an envelope
 * that this version does not know. The fields of its type are not checked here.
 */
export function parseEntry(leaf: Uint8Array): Parsed<Entry> {
  if (leaf.length > ENTRY_BYTES_MAX) {
    return refused('entry-size', `expected an entry of at most ${ENTRY_BYTES_MAX} bytes, got ${leaf.length}`);
  }
  // Arguments as deep as a document may be stand some levels inside their entry.
  const parsed = parseJson(leaf, { depthMax: DEPTH_CEILING });
  if (!parsed.ok) return parsed;
  const problem = envelopeProblem(parsed.value);
  if (problem !== undefined) return refused('entry-envelope', problem);
  if (!equalBytes(canonicalBytes(parsed.value), leaf)) {
    return refused('entry-not-canonical', 'expected canonical JSON (RFC 8785), got other bytes of the same value');
  }
  return { ok: true, value: parsed.value as Entry, issues: [] };
}

/** What the entry in `leaf` commits to with `{"$body": commitment}` as its field `role`; nothing when it does not. */
export function bodyCommitment(leaf: Uint8Array, role: string): string | undefined {
  const parsed = parseEntry(leaf);
  const field = parsed.ok ? parsed.value[role] : undefined;
  const commitment = isJsonObject(field) ? field['$body'] : undefined;
  return typeof commitment === 'string' ? commitment : undefined;
}

function envelopeProblem(value: JsonValue): string | undefined {
  if (!isJsonObject(value)) return 'expected an entry to be an object';
  const { v, log, id, at, type } = value;
  if (v !== 1) return `expected \`v\` to be 1, got \`${JSON.stringify(v)}\``;
  if (typeof log !== 'string' || log === '') return 'expected `log` to name the log';
  if (typeof id !== 'string' || !isUuid(id)) return 'expected `id` to be a UUID';
  const instant = typeof at === 'string' ? parseInstant(at) : undefined;
  if (instant === undefined || formatInstant(instant) !== at) {
    return 'expected `at` to be an RFC 3339 instant in UTC with milliseconds';
  }
  if (typeof type !== 'string' || !(ENTRY_TYPES as readonly string[]).includes(type)) {
    return `expected a type of entry that this version knows, got \`${JSON.stringify(type)}\``;
  }
  return undefined;
}

function refused(code: string, message: string): { readonly ok: false; readonly issues: readonly Issue[] } {
  return { ok: false, issues: [{ code, severity: 'error', message, line: 1, column: 1 }] };
}
