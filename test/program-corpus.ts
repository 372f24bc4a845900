/** The corpus of programs in test/corpus/program: its cases as types, and what a driver of them must tell. */

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Validator } from '@cfworker/json-schema';
import { canonicalText } from '../src/value/canonical.ts';
import { type JsonObject, type JsonValue, isJsonObject, parseJson } from '../src/value/json.ts';
import { ROOT } from './source.ts';

/** One case, with what its file says for all of them. Format and meaning: test/corpus/program/README.md. */
export interface ProgramCase {
  readonly file: string;
  readonly title: string;
  /** The keys of `interlock.yaml`. */
  readonly policy: JsonObject;
  /** By server, what `tools/list` returns. */
  readonly tools: Readonly<Record<string, readonly JsonValue[]>>;
  readonly models: readonly string[];
  /** A document, or its text. */
  readonly program: JsonObject | string;
  /** Those that it may call, by name. */
  readonly programs: Readonly<Record<string, JsonObject>>;
  readonly input: JsonObject;
  /** By tool, what its calls come to, in order; one for all that is not in a list. */
  readonly calls: Readonly<Record<string, Outcome | readonly Outcome[]>>;
  /** By model. */
  readonly answers: Readonly<Record<string, ModelAnswer | readonly ModelAnswer[]>>;
  readonly outside: readonly Outside[];
  readonly expect: Expectation;
}

/** What one attempt of a call comes to. */
export interface Outcome {
  readonly succeeded?: JsonValue;
  readonly failed?: string;
  readonly 'not-started'?: string;
  readonly unknown?: string;
  /** A duration. */
  readonly takes?: string;
  readonly mutates?: true;
}

export interface ModelAnswer {
  readonly says?: string | { readonly repeat: string; readonly times: number };
  readonly failed?: string;
  readonly 'not-started'?: string;
  readonly tokens?: number;
  readonly usd?: number;
  readonly takes?: string;
}

/** What comes from outside, and when. */
export interface Outside {
  readonly signal?: string;
  readonly payload?: JsonValue;
  readonly id?: string;
  readonly answer?: 'yes' | 'no';
  readonly settle?: 'executed' | 'not-executed';
  readonly output?: JsonValue;
  readonly cancel?: true;
  readonly clock?: string;
  readonly crash?: true;
  /** The command that it is about. */
  readonly to?: string;
  /** The command that began the run it is about. */
  readonly in?: string;
  readonly while?: string;
  readonly late?: true;
  readonly moves?: boolean;
}

type Call = readonly [tool: string, args: JsonObject];

export interface Expectation {
  readonly issues?: readonly (readonly [code: string, line?: number])[];
  readonly status?: string;
  readonly output?: JsonValue;
  readonly because?: string;
  readonly path?: readonly string[];
  readonly calls?: readonly (Call | { readonly together: readonly Call[] })[];
  readonly asked?: readonly (string | readonly [model: string, prompt: string])[];
  readonly denied?: readonly string[];
  readonly undone?: readonly string[];
  readonly notUndone?: readonly string[];
  readonly failure?: readonly [step: string, code: string];
  readonly spent?: Partial<Spent>;
  readonly runs?: Readonly<Record<string, { readonly status: string; readonly path: readonly string[] }>>;
}

interface Spent {
  readonly steps: number;
  readonly attempts: number;
  readonly tokens: number;
  readonly usd: number;
  /** Milliseconds. */
  readonly time: number;
}

/** What came of a case: of a program that does not load `issues`, of all others the rest. */
export interface Observed {
  readonly issues?: readonly (readonly [code: string, line: number])[];
  readonly status?: string;
  readonly output?: JsonValue;
  readonly because?: string;
  readonly path: readonly string[];
  readonly calls: readonly Call[];
  readonly asked: readonly (readonly [model: string, prompt: string])[];
  readonly denied: readonly string[];
  readonly undone: readonly string[];
  readonly notUndone: readonly string[];
  readonly failure?: readonly [step: string, code: string];
  readonly spent?: Spent;
  /** By the command that began it, each run of another program. */
  readonly runs: Readonly<Record<string, { readonly status: string; readonly path: readonly string[] }>>;
  /** Of each event from outside, whether it moved a run. */
  readonly moved: readonly boolean[];
}

/** Runs a case through some implementation. */
export type Drive = (each: ProgramCase) => Observed | Promise<Observed>;

const FOLDER = 'test/corpus/program';
const SCHEMA = JSON.parse(readFileSync(join(ROOT, FOLDER, 'case.schema.json'), 'utf8')) as JsonObject;

/** Every case of the corpus, in the order of files and in them. */
export function programCases(): readonly ProgramCase[] {
  const files = globSync(`${FOLDER}/*.json`, { cwd: ROOT }).toSorted();
  return files.filter((file) => !file.endsWith('.schema.json')).flatMap(casesOf);
}

function casesOf(path: string): readonly ProgramCase[] {
  const file = basename(path, '.json');
  const parsed = parseJson(readFileSync(join(ROOT, path), 'utf8'));
  assert.ok(parsed.ok && isJsonObject(parsed.value), `${path}: ${JSON.stringify(parsed.issues)}`);
  const { valid, errors } = new Validator(SCHEMA, '7', false).validate(parsed.value);
  assert.ok(valid, `${path}: ${JSON.stringify(errors.slice(-3))}`);
  const { cases, policy, about: _about, interlock: _version, ...common } = parsed.value;
  // The schema has just said so.
  return (cases as readonly JsonObject[]).map(
    (each) =>
      ({ ...DEFAULTS, ...common, ...each, file, policy: laid(policy, each['policy']) }) as unknown as ProgramCase,
  );
}

const DEFAULTS = { tools: {}, models: [], programs: {}, input: {}, calls: {}, answers: {}, outside: [] };

/** The keys of a case's own policy take the place of the file's. */
function laid(base: JsonValue | undefined, own: JsonValue | undefined): JsonObject {
  return { ...(isJsonObject(base) ? base : {}), ...(isJsonObject(own) ? own : {}) };
}

/** Each member that came otherwise than expected, with both. */
export function differences(each: ProgramCase, came: Observed): readonly string[] {
  const { expect, outside } = each;
  const { calls = [], asked: wanted = [] } = expect;
  const found: string[] = [];
  const compare = (member: string, expected: unknown, got: unknown): void => {
    const [one, other] = [textOf(expected), textOf(got)];
    if (one !== other) found.push(`${member}: expected ${one}, came ${other}`);
  };
  if (expect.issues !== undefined || came.issues !== undefined) {
    compare(
      'issues',
      expect.issues,
      came.issues?.map(([code, line], at) => (expect.issues?.[at]?.[1] === undefined ? [code] : [code, line])),
    );
    return found;
  }
  compare('status', expect.status, came.status);
  compare('output', expect.output, came.output);
  if (expect.because !== undefined) compare('because', expect.because, came.because);
  compare('path', expect.path ?? [], came.path);
  compare('calls', inOrder(calls), inOrder(calls, came.calls));
  const asked = wanted.map((one, at) => [one, came.asked[at]] as const);
  for (const [one, other] of asked) compare('asked', one, typeof one === 'string' ? other?.[0] : other);
  compare('asked', asked.length, came.asked.length);
  for (const member of ['denied', 'undone', 'notUndone'] as const) compare(member, expect[member] ?? [], came[member]);
  compare('failure', expect.failure, came.failure);
  for (const [name, amount] of Object.entries(expect.spent ?? {})) {
    compare(`spent.${name}`, amount, came.spent?.[name as keyof Spent]);
  }
  for (const [command, run] of Object.entries(expect.runs ?? {})) compare(`runs.${command}`, run, came.runs[command]);
  compare(
    'moves',
    outside.map(({ moves = true }) => moves),
    came.moved,
  );
  return found;
}

/** What is expected, or what came as it is expected: calls made together each in the order of their text. */
function inOrder(expected: NonNullable<Expectation['calls']>, came?: readonly Call[]): readonly Call[] {
  let at = 0;
  const groups = expected.map((one): readonly Call[] => {
    const wanted = 'together' in one ? one.together : [one];
    const group = came === undefined ? wanted : came.slice(at, at + wanted.length);
    at += wanted.length;
    return group.toSorted((a, b) => (textOf(a) < textOf(b) ? -1 : 1));
  });
  return [...groups.flat(), ...(came?.slice(at) ?? [])];
}

function textOf(value: unknown): string {
  return value === undefined ? 'nothing' : canonicalText(value as JsonValue);
}
