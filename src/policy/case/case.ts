/** A file of cases: calls with what is to be decided of them, read strictly. Format: docs/policy-cases.md. */

import { isMap, isScalar, YAMLMap } from 'yaml';
import type { Node } from 'yaml';
import type { Issue, Parsed, Place } from '../../value/issue.ts';
import type { Approval } from '../approval/approval.ts';
import { readExpectation } from './case-expectation.ts';
import type { Expectation } from './case-expectation.ts';
import { readApprovals, readFacts, readRequest } from './case-request.ts';
import { readConfiguration } from '../document/configuration.ts';
import type { Configuration } from '../document/configuration.ts';
import type { Request } from '../decide/decision.ts';
import { FILE_LENGTH_MAX, vetDocument } from '../../document/document.ts';
import type { DocumentKind } from '../../document/document.ts';
import type { FactValues } from '../meter/fact.ts';
import { issueList } from '../../document/issue-list.ts';
import { lockOf } from '../pin/lock.ts';
import type { Lock } from '../pin/lock.ts';
import {
  placeOf,
  readEntries,
  readerOf,
  readFields,
  readItems,
  readJson,
  readText,
  refuse,
  shown,
  target,
} from '../../document/reader.ts';
import type { Entry, Item, Reader } from '../../document/reader.ts';
import { SERVER_ID } from '../document/server.ts';
import { sourceOf } from '../../document/source.ts';
import type { Located } from '../../document/source.ts';
import { defineTool } from '../tool/tool.ts';
import type { ToolDefinition } from '../tool/tool.ts';

/** What a case is decided by: the configuration beside the file, one in another file, or one written in place. */
export type CasePolicy =
  | { readonly kind: 'beside' }
  | { readonly kind: 'file'; readonly path: Located }
  | { readonly kind: 'inline'; readonly configuration: Parsed<Configuration> };

export interface PolicyCase {
  readonly name: string;
  readonly place: Place;
  /** What the case is there for; the reason of its expectation. */
  readonly why?: string;
  readonly policy: CasePolicy;
  readonly request: Request;
  readonly facts: FactValues;
  /** The answers to a call that was parked; absent for a call that is new. */
  readonly approved?: readonly Approval[];
  readonly expect: Expectation;
}

export interface CaseFile {
  readonly file: string;
  /** What the servers serve, by policy name; absent where the file does not say. */
  readonly tools?: ReadonlyMap<string, ToolDefinition>;
  /** The servers of which `tools` has the whole list. */
  readonly complete: ReadonlySet<string>;
  /** What is pinned, where the file says so. */
  readonly lock?: Lock;
  /** In file order, at least one. */
  readonly cases: readonly PolicyCase[];
}

const VERSION = 1;
const CASES_MAX = 10_000;
const BESIDE: CasePolicy = { kind: 'beside' };
const NO_CASES = {
  code: 'cases-missing',
  message: 'the file has no cases, so it would test nothing',
  hint: 'write `interlock: 1` and `cases:`',
} as const;
const KIND: DocumentKind = {
  lengthMax: FILE_LENGTH_MAX,
  tooLong: 'write several files: all those beside a configuration are run',
  empty: NO_CASES,
};

/**
 * The cases that `text` writes, as YAML or JSON, or every problem found. A configuration written in place that does not
 * load is no problem of the file: its cases are decided `policy-invalid`. `environment` gives the values of `${NAME}` in
 * such configurations.
 */
export function parseCases(
  text: string,
  options: { readonly file: string; readonly environment: Readonly<Record<string, string | undefined>> },
): Parsed<CaseFile> {
  const source = sourceOf(text, options.file);
  const issues: Issue[] = [];
  const vetted = vetDocument(source, issues, KIND);
  if (vetted === undefined) return { ok: false, issues };
  const reader = readerOf(source, issues, vetted.aliases, options.environment);
  const file = readFile({ reader, inline: new Map() }, vetted.root);
  const all = issueList(issues);
  return file === undefined ? { ok: false, issues: all } : { ok: true, value: file, issues: all };
}

interface Work {
  readonly reader: Reader;
  /** Configurations written in place, each read once however often an alias repeats it. */
  readonly inline: Map<Node, CasePolicy>;
  /** The configuration of the whole file, which those of its cases are laid over. */
  base?: YAMLMap;
}

function readFile(work: Work, root: Node): CaseFile | undefined {
  const { reader } = work;
  const start = placeOf(reader, root, { line: 1, column: 1 });
  const what = 'the file of cases';
  let version: Entry | undefined;
  let policy: CasePolicy | undefined = BESIDE;
  let served: Served | undefined;
  let lock: Lock | undefined;
  let list: Entry | undefined;
  let common: YAMLMap | undefined;
  const parsers = {
    interlock: (entry: Entry) => void (version = entry),
    about: (entry: Entry) => void readText(reader, entry.value, entry.place, '`about`'),
    policy: (entry: Entry) => {
      policy = readPolicy(work, entry, '`policy`');
      const node = target(reader, entry.value);
      if (isMap(node)) common = node;
    },
    tools: (entry: Entry) => void (served = readServed(reader, entry, '`tools`')),
    pinned: (entry: Entry) => void (lock = lockedAs(readServed(reader, entry, '`pinned`'))),
    cases: (entry: Entry) => void (list = entry),
  };
  if (!readFields(reader, root, start, what, parsers)) return undefined;
  if (version === undefined)
    refuse(reader, start, 'missing-key', `${what} has no \`interlock\``, 'write `interlock: 1`');
  else checkVersion(reader, version);
  if (list === undefined) refuse(reader, start, 'missing-key', `${what} has no \`cases\``, NO_CASES.hint);
  if (lock !== undefined && served === undefined) {
    refuse(
      reader,
      start,
      'missing-key',
      `${what} has \`pinned\` without \`tools\``,
      'write what the servers offer now',
    );
  }
  if (common !== undefined) work.base = common;
  const cases = list === undefined ? [] : readCases(work, list, policy ?? BESIDE);
  if (reader.issues.some((issue) => issue.severity === 'error')) return undefined;
  const known = { ...(served ?? { complete: new Set<string>() }), ...(lock === undefined ? {} : { lock }) };
  return Object.freeze({ file: reader.source.file, ...known, cases });
}

function checkVersion(reader: Reader, { value, place }: Entry): void {
  const node = target(reader, value);
  if (isScalar(node) && node.value === VERSION) return;
  refuse(reader, place, 'version-unsupported', `expected \`interlock\` to be the number ${VERSION}`);
}

type Served = Pick<Required<CaseFile>, 'tools' | 'complete'>;

/** Definitions by server, as `tools/list` returns them. */
function readServed(reader: Reader, entry: Entry, section: string): Served {
  const tools = new Map<string, ToolDefinition>();
  const complete = new Set<string>();
  for (const server of readEntries(reader, entry.value, entry.place, section) ?? []) {
    const what = `\`${shown(server.key)}\` of ${section}`;
    if (!SERVER_ID.test(server.key)) refuse(reader, server.keyPlace, 'wrong-value', `${what} is no id of a server`);
    complete.add(server.key);
    for (const [index, { item, place }] of (readItems(reader, server.value, server.place, what) ?? []).entries()) {
      const raw = readJson(reader, item, place, `item ${index} of ${what}`);
      const defined = raw === undefined ? undefined : defineTool(server.key, raw);
      if (defined?.ok === true) tools.set(defined.tool.name, defined.tool);
      else if (defined !== undefined)
        refuse(reader, place, 'wrong-value', `item ${index} of ${what}: ${defined.message}`);
    }
  }
  return { tools, complete };
}

/** The lock that holds these definitions. */
function lockedAs({ tools, complete }: Served): Lock {
  const held = [...complete].map((id) => {
    const own = [...tools.values()]
      .filter(({ server }) => server === id)
      .map((tool) => [tool.upstreamName, tool] as const);
    return [id, { complete: false, tools: new Map(own) }] as const;
  });
  return lockOf(new Map(held));
}

function readPolicy({ reader, inline, base }: Work, entry: Entry, what: string): CasePolicy | undefined {
  const node = target(reader, entry.value);
  if (node === undefined || node === null || isScalar(node)) {
    const path = readText(reader, entry.value, entry.place, `${what}, where it is no configuration,`);
    return path === undefined ? undefined : { kind: 'file', path };
  }
  const known = inline.get(node);
  if (known !== undefined) return known;
  const policy = {
    kind: 'inline',
    configuration: readConfiguration({ ...reader, issues: [] }, laid(node, base)),
  } as const;
  inline.set(node, policy);
  return policy;
}

/** What is written for a case, with the keys that the configuration of the whole file has besides. */
function laid(node: Node, base: YAMLMap | undefined): Node {
  if (base === undefined || !isMap(node)) return node;
  const own = new Set(node.items.map(({ key }) => (isScalar(key) ? key.value : undefined)));
  const whole = new YAMLMap();
  whole.range = node.range ?? null;
  whole.items = [...base.items.filter(({ key }) => isScalar(key) && !own.has(key.value)), ...node.items];
  return whole;
}

function readCases(work: Work, entry: Entry, policy: CasePolicy): readonly PolicyCase[] {
  const { reader } = work;
  const items = readItems(reader, entry.value, entry.place, '`cases`');
  if (items === undefined) return [];
  if (items.length === 0) refuse(reader, entry.place, NO_CASES.code, '`cases` is empty, so it would test nothing');
  if (items.length > CASES_MAX) {
    refuse(reader, entry.keyPlace, 'too-many', `expected at most ${CASES_MAX} cases, got ${items.length}`);
    return [];
  }
  const names = new Map<string, Place>();
  const cases: PolicyCase[] = [];
  for (const [index, { item, place }] of items.entries()) {
    const read = readCase(work, item, place, `\`cases/${index}\``, policy);
    if (read === undefined) continue;
    const before = names.get(read.name);
    if (before === undefined) names.set(read.name, place);
    else
      refuse(reader, place, 'duplicate-id', `\`${read.name}\` is already the name of the case on line ${before.line}`);
    cases.push(read);
  }
  return cases;
}

function readCase(work: Work, item: Item, place: Place, what: string, common: CasePolicy): PolicyCase | undefined {
  const { reader } = work;
  const before = reader.issues.length;
  const draft: { -readonly [K in keyof PolicyCase]?: PolicyCase[K] | undefined } = { policy: common, facts: new Map() };
  const text = (entry: Entry): string | undefined =>
    readText(reader, entry.value, entry.place, `\`${entry.key}\` of ${what}`)?.text;
  const parsers = {
    name: (entry: Entry) => void (draft.name = text(entry)),
    why: (entry: Entry) => void (draft.why = text(entry)),
    policy: (entry: Entry) => void (draft.policy = readPolicy(work, entry, `\`policy\` of ${what}`)),
    request: (entry: Entry) => void (draft.request = readRequest(reader, entry, `\`request\` of ${what}`)),
    facts: (entry: Entry) => void (draft.facts = readFacts(reader, entry, `\`facts\` of ${what}`)),
    approved: (entry: Entry) => void (draft.approved = readApprovals(reader, entry, `\`approved\` of ${what}`)),
    expect: (entry: Entry) => void (draft.expect = readExpectation(reader, entry, `\`expect\` of ${what}`)),
  };
  if (!readFields(reader, item, place, what, parsers) || reader.issues.length > before) return undefined;
  const { name, why, policy, request, facts, approved, expect } = draft;
  for (const [key, value] of Object.entries({ name, request, expect })) {
    if (value === undefined) refuse(reader, place, 'missing-key', `${what} has no \`${key}\``);
  }
  if (name === undefined || request === undefined || expect === undefined) return undefined;
  if (policy === undefined || facts === undefined) return undefined;
  const said = { ...(why === undefined ? {} : { why }), ...(approved === undefined ? {} : { approved }) };
  return Object.freeze({ name, place, policy, request, facts, expect, ...said });
}
