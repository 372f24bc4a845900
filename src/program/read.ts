/** Reads a program from YAML or JSON: what is written, strictly, every problem with its place. */

import { vetDocument } from '../document/document.ts';
import { readDuration } from '../document/duration.ts';
import { issueList } from '../document/issue-list.ts';
import {
  type Entry,
  type Reader,
  readEntries,
  readFields,
  readJson,
  readText,
  readWhole,
  readerOf,
  refuse,
  shown,
} from '../document/reader.ts';
import type { Located } from '../document/source.ts';
import { sourceOf } from '../document/source.ts';
import type { Issue, Parsed } from '../value/issue.ts';
import { type JsonObject, isJsonObject } from '../value/json.ts';
import { schemaAt } from './fields.ts';
import { DEFAULT_LIMITS, type RunLimits } from './program.ts';
import { readProperties } from './read-property.ts';
import { readSteps } from './read-step.ts';
import type { WrittenProgram, WrittenProperty, WrittenStep } from './written.ts';

const PROGRAM = {
  /** UTF-16 code units. */
  lengthMax: 8 * 1024 * 1024,
  tooLong: 'one file is one program: is this the right file?',
  empty: {
    code: 'program-empty',
    message: 'the program is empty',
    hint: 'write at least `program`, `start` and `steps`',
  },
};
const NAME = /^[a-z][a-z0-9_-]{0,63}$/;
const STEPS_MAX = 100_000;
const START = { line: 1, column: 1 };
const MICRO_USD = 1_000_000;

/** What `text` says. `file` is the name that problems are told with. */
export function readProgram(text: string, file: string): Parsed<WrittenProgram> {
  const source = sourceOf(text, file);
  const issues: Issue[] = [];
  const vetted = vetDocument(source, issues, PROGRAM);
  if (vetted === undefined) return { ok: false, issues: issueList(issues) };
  const reader = readerOf(source, issues, vetted.aliases, {});
  const value = readRoot(reader, { key: '', keyPlace: START, value: vetted.root, place: START });
  const isBad = issues.some(({ severity }) => severity === 'error');
  return value === undefined || isBad
    ? { ok: false, issues: issueList(issues) }
    : { ok: true, value, issues: issueList(issues) };
}

interface Draft {
  name?: string;
  version: number;
  input: JsonObject;
  events: ReadonlyMap<string, JsonObject>;
  limits: RunLimits;
  start?: Located;
  steps?: ReadonlyMap<string, WrittenStep>;
  properties: readonly WrittenProperty[];
}

function readRoot(reader: Reader, root: Entry): WrittenProgram | undefined {
  const draft: Draft = {
    version: 1,
    input: { type: 'object' },
    events: new Map(),
    limits: DEFAULT_LIMITS,
    properties: [],
  };
  const parsers = {
    program: (entry: Entry) => {
      const name = readText(reader, entry.value, entry.place, '`program`')?.text;
      if (name !== undefined && NAME.test(name)) draft.name = name;
      else if (name !== undefined) {
        const message = `expected \`program\` to be a name of a-z, 0-9, \`-\` and \`_\`, got \`${shown(name)}\``;
        refuse(reader, entry.place, 'name-malformed', message);
      }
    },
    version: (entry: Entry) => {
      draft.version = readWhole(reader, entry.value, entry.place, '`version`', 1, 1_000_000) ?? draft.version;
    },
    input: (entry: Entry) => void (draft.input = schemaAt(reader, entry, '`input`') ?? draft.input),
    events: (entry: Entry) => void (draft.events = readEvents(reader, entry)),
    limits: (entry: Entry) => void (draft.limits = readLimits(reader, entry)),
    start: (entry: Entry) => {
      const start = readText(reader, entry.value, entry.place, '`start`');
      if (start !== undefined) draft.start = start;
    },
    steps: (entry: Entry) => {
      const steps = readSteps(reader, entry);
      if (steps !== undefined) draft.steps = steps;
    },
    properties: (entry: Entry) => void (draft.properties = readProperties(reader, entry) ?? []),
  };
  if (!readFields(reader, root.value, START, 'the program', parsers)) return undefined;
  const { name, start, steps, ...rest } = draft;
  const before = reader.issues.length;
  for (const [key, value] of Object.entries({ program: name, start, steps })) {
    const isWritten = reader.issues.some(({ severity }) => severity === 'error');
    if (value === undefined && !isWritten) refuse(reader, START, 'missing-key', `the program has no \`${key}\``);
  }
  if (steps !== undefined && steps.size > STEPS_MAX) {
    refuse(reader, START, 'too-large', `expected at most ${STEPS_MAX} steps, got ${steps.size}`);
  }
  const data = readJson(reader, root.value, START, 'the program');
  if (reader.issues.length > before || !isJsonObject(data)) return undefined;
  return name === undefined || start === undefined || steps === undefined
    ? undefined
    : { name, start, steps, data, ...rest };
}

function readEvents(reader: Reader, entry: Entry): ReadonlyMap<string, JsonObject> {
  const events = new Map<string, JsonObject>();
  for (const each of readEntries(reader, entry.value, entry.place, '`events`') ?? []) {
    const schema = schemaAt(reader, each, `the event \`${shown(each.key)}\``);
    if (schema !== undefined) events.set(each.key, schema);
  }
  return events;
}

function readLimits(reader: Reader, entry: Entry): RunLimits {
  const limits: { -readonly [K in keyof RunLimits]: RunLimits[K] } = { ...DEFAULT_LIMITS };
  const whole = (key: 'steps' | 'stalled' | 'tokens', max: number) => (inner: Entry) => {
    limits[key] = readWhole(reader, inner.value, inner.place, `\`${key}\` of \`limits\``, 1, max) ?? limits[key];
  };
  readFields(reader, entry.value, entry.place, '`limits`', {
    steps: whole('steps', 10_000_000),
    stalled: whole('stalled', 1_000),
    tokens: whole('tokens', Number.MAX_SAFE_INTEGER),
    usd: (inner) => void (limits.microUsd = readUsd(reader, inner) ?? limits.microUsd),
    time: (inner) => void (limits.timeMs = readDuration(reader, inner, '`time` of `limits`') ?? limits.timeMs),
  });
  return limits;
}

function readUsd(reader: Reader, { value, place }: Entry): number | undefined {
  const usd = readJson(reader, value, place, '`usd` of `limits`');
  if (usd === undefined) return undefined;
  const micro = typeof usd === 'number' ? Math.round(usd * MICRO_USD) : Number.NaN;
  if (Number.isSafeInteger(micro) && micro > 0) return micro;
  return refuse(reader, place, 'wrong-value', 'expected `usd` of `limits` to be an amount of US dollars above 0');
}
