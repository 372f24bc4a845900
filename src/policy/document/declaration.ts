/** `tools:` — what the operator knows of the tools; a server's own annotations are never trusted. */

import { isJsonObject } from '../../value/json.ts';
import type { JsonObject } from '../../value/json.ts';
import type { Place } from '../../value/issue.ts';
import { alike } from '../../document/alike.ts';
import { readCharges } from '../meter/cost.ts';
import type { Charge } from '../meter/cost.ts';
import type { ToolEffect } from '../decide/decision.ts';
import { readDuration } from '../../document/duration.ts';
import { readDownstreamKey } from '../tool/downstream-key.ts';
import type { DownstreamKey } from '../tool/downstream-key.ts';
import { LATER } from './later.ts';
import { MODEL_SERVER } from './server.ts';
import { readProbe } from '../tool/probe.ts';
import type { ProbeDeclaration } from '../tool/probe.ts';
import { readSecrets } from '../tool/secret-declaration.ts';
import type { SecretDeclaration } from '../tool/secret-declaration.ts';
import {
  locateKey,
  readEntries,
  readFields,
  readJson,
  readText,
  readTexts,
  readWord,
  refuse,
  shown,
} from '../../document/reader.ts';
import type { Entry, Reader } from '../../document/reader.ts';
import { serverOf } from '../tool/pattern.ts';
import { patternAt } from './rule.ts';
import type { LocatedPattern } from './rule.ts';
import { locate } from '../../document/source.ts';
import type { Located } from '../../document/source.ts';

/** Arguments that are paths, and the directory their real targets must lie in. */
export interface PathGuard {
  /** As written; relative to the directory of the configuration file. */
  readonly within: string;
  /** Names of the guarded arguments; absent means every one that its schema or name marks as a path. */
  readonly args?: readonly string[];
}

export interface GuardDeclaration {
  readonly path?: PathGuard;
}

/** What is declared for a tool. Every key may be absent. */
export interface Declared {
  readonly effect?: ToolEffect;
  /** JSON Schema of the arguments; takes the place of the one the server sends. */
  readonly input?: JsonObject;
  /** Expression of the business idempotency key. */
  readonly key?: Located;
  /** What a call is charged before it runs, and what it turned out to take. */
  readonly cost?: readonly Charge[];
  readonly actualCost?: readonly Charge[];
  /** A call that the tool answered with an error took nothing. */
  readonly failed?: 'no-effect';
  /** How long after an unknown outcome the tool may still be at work, milliseconds. */
  readonly effectTimeout?: number;
  /** Where the tool takes an idempotency key of its own. */
  readonly downstreamKey?: DownstreamKey;
  /** How to find out whether a call of unknown outcome has happened. */
  readonly probe?: ProbeDeclaration;
  /** Expressions of arguments that are personal values. */
  readonly personal?: readonly Located[];
  /** Expression of the person the data is about. */
  readonly subject?: Located;
  /** A tool that knows whose data it is, or `required`. */
  readonly subjectCheck?: Located;
  /** What is secret of a call and of its result. */
  readonly secrets?: SecretDeclaration;
  readonly labels?: readonly string[];
  readonly guard?: GuardDeclaration;
}

/** One entry of `tools:`. */
export interface ToolDeclaration {
  readonly pattern: LocatedPattern;
  readonly declared: Declared;
  /** Where each declared key stands. */
  readonly places: ReadonlyMap<keyof Declared, Place>;
}

const DECLARATIONS_MAX = 10_000;
const TOOL_EFFECTS: readonly ToolEffect[] = ['read', 'write', 'irreversible'];
const FAILED = ['no-effect'] as const;

export function readTools(reader: Reader, entry: Entry): readonly ToolDeclaration[] {
  const entries = readEntries(reader, entry.value, entry.place, '`tools`') ?? [];
  if (entries.length > DECLARATIONS_MAX) {
    refuse(reader, entry.keyPlace, 'too-many', `expected at most ${DECLARATIONS_MAX} tools, got ${entries.length}`);
    return [];
  }
  const declarations: ToolDeclaration[] = [];
  for (const tool of entries) {
    const pattern = patternAt(reader, locateKey(tool), `a key of \`tools\``);
    if (pattern !== undefined) declarations.push(readTool(reader, tool, pattern));
  }
  return declarations;
}

function readTool(reader: Reader, tool: Entry, pattern: LocatedPattern): ToolDeclaration {
  const what = `tool \`${tool.key}\``;
  const declared: { -readonly [K in keyof Declared]: Declared[K] } = {};
  const places = new Map<keyof Declared, Place>();
  const reading =
    <K extends keyof Declared>(key: K, read: (entry: Entry, name: string) => Declared[K] | undefined) =>
    (entry: Entry): void => {
      const value = read(entry, `\`${entry.key}\` of ${what}`);
      if (value === undefined) return;
      declared[key] = value;
      places.set(key, entry.place);
    };
  const parsers = {
    effect: reading('effect', (entry, name) => readWord(reader, entry.value, entry.place, name, TOOL_EFFECTS)),
    input: reading('input', (entry, name) => readInput(reader, entry, name, pattern)),
    key: reading('key', (entry, name) => readText(reader, entry.value, entry.place, name)),
    cost: reading('cost', (entry, name) => readCharges(reader, entry, name)),
    actualCost: reading('actualCost', (entry, name) => readCharges(reader, entry, name)),
    failed: reading('failed', (entry, name) => readWord(reader, entry.value, entry.place, name, FAILED)),
    effectTimeout: reading('effectTimeout', (entry, name) => readDuration(reader, entry, name)),
    downstreamKey: reading('downstreamKey', (entry, name) => readDownstreamKey(reader, entry, name)),
    probe: reading('probe', (entry, name) => readProbe(reader, entry, name)),
    personal: reading('personal', (entry, name) => readTexts(reader, entry.value, entry.place, name)),
    subject: reading('subject', (entry, name) => readText(reader, entry.value, entry.place, name)),
    subjectCheck: reading('subjectCheck', (entry, name) => readText(reader, entry.value, entry.place, name)),
    secrets: reading('secrets', (entry, name) => readSecrets(reader, entry, name)),
    labels: reading('labels', (entry, name) =>
      readTexts(reader, entry.value, entry.place, name)?.map((label) => label.text),
    ),
    guard: reading('guard', (entry, name) => readGuard(reader, entry, name)),
  };
  readFields(reader, tool.value, tool.place, what, parsers, LATER.tool);
  return Object.freeze({ pattern, declared: Object.freeze(declared), places });
}

/** Every budget that is charged must be one of `budgets`: a misspelt one would leave the call uncounted. */
export function checkCharges(
  reader: Reader,
  declarations: readonly ToolDeclaration[],
  budgets: ReadonlyMap<string, unknown>,
): void {
  for (const { pattern, declared } of declarations) {
    for (const [key, charges = []] of [
      ['cost', declared.cost] as const,
      ['actualCost', declared.actualCost] as const,
    ]) {
      for (const { budget } of charges.filter((charge) => !budgets.has(charge.budget.text))) {
        const near = alike(budget.text, budgets.keys());
        const hint = near === undefined ? 'declare it under `budgets`' : `did you mean \`${near}\`?`;
        const message = `\`${key}\` of tool \`${pattern.text}\` charges \`${shown(budget.text)}\`, which is no budget`;
        refuse(reader, locate(budget, 0), 'budget-unknown', message, hint);
      }
    }
  }
}

function readInput(reader: Reader, entry: Entry, name: string, pattern: LocatedPattern): JsonObject | undefined {
  if (pattern.runs.length > 1) {
    const hint = 'write `input` under the full name of one tool';
    return refuse(reader, entry.keyPlace, 'input-of-pattern', `${name} cannot describe a pattern`, hint);
  }
  if (serverOf(pattern) === MODEL_SERVER) {
    const hint = 'remove it: what a model takes is known';
    return refuse(reader, entry.keyPlace, 'input-of-model', `${name} cannot describe a model`, hint);
  }
  const schema = readJson(reader, entry.value, entry.place, name);
  if (schema === undefined) return undefined;
  if (isJsonObject(schema) && (!Object.hasOwn(schema, 'type') || schema['type'] === 'object')) return schema;
  return refuse(reader, entry.place, 'wrong-value', `expected ${name} to be a JSON Schema of \`type: object\``);
}

function readGuard(reader: Reader, entry: Entry, name: string): GuardDeclaration | undefined {
  let path: PathGuard | undefined;
  const parsers = { path: (inner: Entry) => void (path = readPathGuard(reader, inner, name)) };
  const read = readFields(reader, entry.value, entry.place, name, parsers, LATER.guard);
  if (!read) return undefined;
  return path === undefined ? {} : Object.freeze({ path });
}

function readPathGuard(reader: Reader, entry: Entry, name: string): PathGuard | undefined {
  const what = `\`path\` of ${name}`;
  let within: string | undefined;
  let args: readonly string[] | undefined;
  const parsers = {
    within: (inner: Entry) => void (within = readText(reader, inner.value, inner.place, `\`within\` of ${what}`)?.text),
    args: (inner: Entry) => {
      args = readTexts(reader, inner.value, inner.place, `\`args\` of ${what}`)?.map((arg) => arg.text);
      if (args?.length !== 0) return;
      const hint = 'leave `args` out to guard every argument that is a path';
      refuse(reader, inner.place, 'wrong-value', `\`args\` of ${what} is empty: it would guard nothing`, hint);
    },
  };
  const before = reader.issues.length;
  if (!readFields(reader, entry.value, entry.place, what, parsers, LATER.guardPath)) return undefined;
  if (within !== undefined) return Object.freeze(args === undefined ? { within } : { within, args });
  if (reader.issues.length > before) return undefined;
  return refuse(reader, entry.keyPlace, 'missing-key', `${what} has no \`within\``, 'write the directory that holds');
}
