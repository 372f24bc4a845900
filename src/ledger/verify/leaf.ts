/** The check of one leaf: canonical bytes and the envelope of an entry. What the fields mean is for the deep verifier. */

import { canonicalText } from '../../value/canonical.ts';
import { fromUtf8 } from '../../value/encoding.ts';
import { ValueError } from '../../value/error.ts';
import { isUuid } from '../../value/id.ts';
import { isJsonObject } from '../../value/json.ts';
import type { JsonObject, JsonValue } from '../../value/json.ts';
import { ENTRY_BYTES_MAX } from '../../value/limits.ts';
import { parseInstant } from '../../value/time.ts';
import type { ProblemCode } from './report.ts';

/** What later entries are compared with, and the key that entry 0 brings. */
export interface Envelope {
  readonly log: string;
  readonly type: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly fields: JsonObject;
}

export type CheckedLeaf =
  | { readonly ok: true; readonly envelope: Envelope }
  | { readonly ok: false; readonly code: ProblemCode; readonly message: string };

const TYPE = /^[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*$/;

function refuse(code: ProblemCode, message: string): CheckedLeaf {
  return { ok: false, code, message };
}

/** The envelope of the entry whose leaf this is, or what is wrong with it. */
export function checkLeaf(leaf: Uint8Array): CheckedLeaf {
  if (leaf.length > ENTRY_BYTES_MAX) {
    return refuse('entry-too-large', `expected at most ${ENTRY_BYTES_MAX} bytes, got ${leaf.length}`);
  }
  const text = fromUtf8(leaf);
  if (text === undefined) return refuse('entry-not-canonical', 'expected UTF-8, got bytes that are not');
  const value = parseCanonical(text);
  if (value === undefined) {
    return refuse('entry-not-canonical', 'expected canonical JSON (RFC 8785), got other bytes');
  }
  if (!isJsonObject(value)) return refuse('entry-malformed', 'expected an object, got another JSON value');
  return checkEnvelope(value);
}

/**
 * The value of `text` when `text` is its canonical form. `JSON.parse` forgives what the strict parser refuses, such as
 * duplicate keys and long integers, but then the value prints differently, so the comparison finds it.
 */
function parseCanonical(text: string): JsonValue | undefined {
  try {
    const value = JSON.parse(text) as JsonValue;
    return canonicalText(value) === text ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof ValueError) return undefined;
    throw error;
  }
}

function checkEnvelope(fields: JsonObject): CheckedLeaf {
  const { v, log, id, at, type } = fields;
  if (v !== 1) {
    const code = typeof v === 'number' ? 'entry-version' : 'entry-malformed';
    return refuse(code, `expected \`v\` 1, got ${shown(v)}`);
  }
  if (typeof log !== 'string' || log === '') return refuse('entry-malformed', `expected \`log\`, got ${shown(log)}`);
  if (typeof id !== 'string' || !isUuid(id)) {
    return refuse('entry-malformed', `expected \`id\` to be a UUID, got ${shown(id)}`);
  }
  const instant = typeof at === 'string' ? parseInstant(at) : undefined;
  if (instant === undefined) {
    return refuse('entry-malformed', `expected \`at\` to be an RFC 3339 instant, got ${shown(at)}`);
  }
  if (typeof type !== 'string' || !TYPE.test(type)) {
    return refuse('entry-malformed', `expected \`type\` such as \`call.intent\`, got ${shown(type)}`);
  }
  return { ok: true, envelope: { log, type, at: instant, fields } };
}

const SHOWN_MAX = 80;

/** A value from a log that may be hostile, for a message of one line. */
export function shown(value: JsonValue | undefined): string {
  if (value === undefined) return 'nothing';
  const text = typeof value === 'string' ? value : canonicalText(value);
  return `\`${text
    .slice(0, SHOWN_MAX)
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Cf}`]/gu, '·')}\``;
}
