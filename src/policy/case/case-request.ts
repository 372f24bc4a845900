/** What a case asks: the request with its defaults, the facts by their exact keys, and the answers already given. */

import { isJsonObject } from '../../value/json.ts';
import type { JsonObject } from '../../value/json.ts';
import type { Place } from '../../value/issue.ts';
import { parseInstant } from '../../value/time.ts';
import type { Approval } from '../approval/approval.ts';
import type { Request } from '../decide/decision.ts';
import type { FactValues } from '../meter/fact.ts';
import {
  readEntries,
  readFields,
  readItems,
  readJson,
  readText,
  readWhole,
  readWord,
  refuse,
  shown,
} from '../../document/reader.ts';
import type { Entry, Item, Reader } from '../../document/reader.ts';

/** When a request is made that does not say when: 2026-01-01T00:00:00Z. */
const NOW = 1_767_225_600_000;
/** 9999-12-31T23:59:59.999Z: an answer that does not say when it expires. */
const NEVER = 253_402_300_799_999;
const WHOLE_MAX = Number.MAX_SAFE_INTEGER;

type Draft<T> = { -readonly [K in keyof T]?: T[K] | undefined };

/** The request of a case, or `undefined` with an error. */
export function readRequest(reader: Reader, entry: Entry, what: string): Request | undefined {
  const before = reader.issues.length;
  const draft: Draft<Request> = {};
  const text = (inner: Entry): string | undefined => readAnyText(reader, inner, `\`${inner.key}\` of ${what}`);
  const parsers = {
    principal: (inner: Entry) => void (draft.principal = text(inner)),
    agent: (inner: Entry) => void (draft.agent = text(inner)),
    tenant: (inner: Entry) => void (draft.tenant = text(inner)),
    tool: (inner: Entry) => void (draft.tool = text(inner)),
    args: (inner: Entry) => void (draft.args = readArguments(reader, inner, `\`args\` of ${what}`)),
    call: (inner: Entry) => void (draft.call = readCall(reader, inner, `\`call\` of ${what}`)),
    run: (inner: Entry) => void (draft.run = readRun(reader, inner, `\`run\` of ${what}`)),
    now: (inner: Entry) => void (draft.now = readInstant(reader, inner, `\`now\` of ${what}`)),
  };
  if (!readFields(reader, entry.value, entry.place, what, parsers) || reader.issues.length > before) return undefined;
  const { principal = 'local', tool, args = {}, call = readyCall({}), run = readyRun({}), now = NOW } = draft;
  if (tool === undefined) return refuse(reader, entry.place, 'missing-key', `${what} has no \`tool\``);
  const { agent, tenant } = draft;
  const behalf = { ...(agent === undefined ? {} : { agent }), ...(tenant === undefined ? {} : { tenant }) };
  return Object.freeze({ principal, tool, args, call, run, now, ...behalf });
}

function readyCall({ id = '', attempt = 1, key = '' }: Draft<Request['call']>): Request['call'] {
  return { id, attempt, key };
}

function readyRun({ id = '', depth = 0 }: Draft<Request['run']>): Request['run'] {
  return { id, depth };
}

function readCall(reader: Reader, entry: Entry, what: string): Request['call'] {
  const draft: Draft<Request['call']> = {};
  const parsers = {
    id: (inner: Entry) => void (draft.id = readAnyText(reader, inner, `\`id\` of ${what}`)),
    key: (inner: Entry) => void (draft.key = readAnyText(reader, inner, `\`key\` of ${what}`)),
    attempt: (inner: Entry) => {
      draft.attempt = readWhole(reader, inner.value, inner.place, `\`attempt\` of ${what}`, 1, WHOLE_MAX);
    },
  };
  readFields(reader, entry.value, entry.place, what, parsers);
  return readyCall(draft);
}

function readRun(reader: Reader, entry: Entry, what: string): Request['run'] {
  const draft: Draft<Request['run']> = {};
  const parsers = {
    id: (inner: Entry) => void (draft.id = readAnyText(reader, inner, `\`id\` of ${what}`)),
    depth: (inner: Entry) => {
      draft.depth = readWhole(reader, inner.value, inner.place, `\`depth\` of ${what}`, 0, WHOLE_MAX);
    },
  };
  readFields(reader, entry.value, entry.place, what, parsers);
  return readyRun(draft);
}

/** Text that may be empty: what calls are made of is not chosen by whoever writes the policy. */
function readAnyText(reader: Reader, { value, place }: Entry, what: string): string | undefined {
  const read = readJson(reader, value, place, what);
  if (read === undefined || typeof read === 'string') return read;
  return refuse(reader, place, 'wrong-type', `expected ${what} to be text`, 'put it in quotes');
}

function readArguments(reader: Reader, { value, place }: Entry, what: string): JsonObject | undefined {
  const read = readJson(reader, value, place, what);
  if (read === undefined || isJsonObject(read)) return read;
  return refuse(reader, place, 'wrong-type', `expected ${what} to be a map`);
}

function readInstant(reader: Reader, { value, place }: Entry, what: string): number | undefined {
  const text = readText(reader, value, place, what)?.text;
  if (text === undefined) return undefined;
  const instant = parseInstant(text);
  if (instant !== undefined) return instant;
  const hint = 'write `2026-01-31T12:00:00Z`';
  return refuse(reader, place, 'wrong-value', `expected ${what} to be an RFC 3339 time, got \`${shown(text)}\``, hint);
}

/** The facts of a case: numbers by key, also such as no ledger holds. */
export function readFacts(reader: Reader, entry: Entry, what: string): FactValues | undefined {
  const facts = new Map<string, number>();
  const entries = readEntries(reader, entry.value, entry.place, what);
  for (const { key, value, place } of entries ?? []) {
    const read = readJson(reader, value, place, `\`${shown(key)}\` of ${what}`);
    if (typeof read === 'number') facts.set(key, read);
    else if (read !== undefined) {
      refuse(reader, place, 'wrong-type', `expected \`${shown(key)}\` of ${what} to be a number`);
    }
  }
  return entries === undefined ? undefined : facts;
}

/** The answers of a case: who said yes, how, and until when it counts. */
export function readApprovals(reader: Reader, entry: Entry, what: string): readonly Approval[] | undefined {
  const items = readItems(reader, entry.value, entry.place, what);
  const read = items?.map(({ item, place }, index) => readApproval(reader, item, place, `item ${index} of ${what}`));
  return read?.every((approval) => approval !== undefined) === true ? read : undefined;
}

const WAYS = ['signed', 'unsigned', 'elicited'] as const;

function readApproval(reader: Reader, item: Item, place: Place, what: string): Approval | undefined {
  const draft: Draft<Approval> = {};
  const parsers = {
    by: (entry: Entry) => void (draft.by = readAnyText(reader, entry, `\`by\` of ${what}`)),
    how: (entry: Entry) => void (draft.how = readWord(reader, entry.value, entry.place, `\`how\` of ${what}`, WAYS)),
    expires: (entry: Entry) => void (draft.expires = readInstant(reader, entry, `\`expires\` of ${what}`)),
  };
  if (!readFields(reader, item, place, what, parsers)) return undefined;
  const { by, how = 'signed', expires = NEVER } = draft;
  if (by === undefined) return refuse(reader, place, 'missing-key', `${what} has no \`by\``);
  return { by, how, expires };
}
