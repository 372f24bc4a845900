/** The floors of the code as data: which folder may import which, and where each power of the platform lives. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './source.ts';

/** Folders by name, or every floor up to a number with exceptions. */
export type May = readonly string[] | { readonly upTo: number; readonly except?: readonly string[] };

export interface Floor {
  readonly floor: number;
  readonly folders: readonly string[];
  readonly what: string;
  readonly may: May;
}

export const FLOORS: readonly Floor[] = [
  {
    floor: 0,
    folders: ['value'],
    what: 'strict JSON, canonical bytes (RFC 8785), digests, ids, time arithmetic, limits, located issues',
    may: [],
  },
  {
    floor: 1,
    folders: ['document'],
    what: 'documents that people write: YAML read strictly, with the place of every problem',
    may: ['value'],
  },
  {
    floor: 1,
    folders: ['schema'],
    what: 'JSON Schema: which part of it is supported, what it costs, judging values by it within bounds',
    may: ['value'],
  },
  { floor: 1, folders: ['expression'], what: 'conditions: CEL, typed at load, bounded at run', may: ['value'] },
  {
    floor: 1,
    folders: ['tlog'],
    what: 'the arithmetic of transparency logs: RFC 6962 tree, proofs, C2SP tiles, notes, checkpoints',
    may: ['value'],
  },
  {
    floor: 2,
    folders: ['policy'],
    what: 'the decision point: parse, check against tool schemas, decide, explain, compare',
    may: ['value', 'document', 'schema', 'expression'],
  },
  {
    floor: 2,
    folders: ['program'],
    what: 'finite-state programs as data: parse, check, transition, replay, prove',
    may: ['value', 'document', 'schema', 'expression'],
  },
  { floor: 3, folders: ['world'], what: 'the one door to time, randomness and sleep', may: ['value'] },
  {
    floor: 3,
    folders: ['ledger'],
    what: 'the durable log, its stores, vault, signer, export, structural verification',
    may: ['value', 'tlog', 'world'],
  },
  {
    floor: 3,
    folders: ['guard'],
    what: 'enforcement points on files, network and processes; detection of secrets and personal data',
    may: ['value', 'world'],
  },
  {
    floor: 4,
    folders: ['authority'],
    what: 'decide, record, perform, record; approvals, budgets, permits and idempotency',
    may: { upTo: 3, except: ['program'] },
  },
  { floor: 5, folders: ['runtime'], what: 'drives programs over the authority; reaches models', may: { upTo: 4 } },
  {
    floor: 5,
    folders: ['audit'],
    what: 'deep verification, replay, diff: decides and moves again from the ledger',
    may: { upTo: 5 },
  },
  {
    floor: 6,
    folders: ['gateway', 'proxy', 'adapter'],
    what: 'MCP on both sides; LLM-API proxy; wrappers for agent SDKs',
    may: { upTo: 5 },
  },
  { floor: 7, folders: ['console', 'report'], what: 'HTTP API and web UI; static report', may: { upTo: 5 } },
  { floor: 8, folders: ['cli'], what: 'commands; the composition of everything', may: { upTo: 8 } },
];

/** Files directly under `src` are entry points: they import any folder and nothing imports them. */
export const ENTRY_FLOOR = 9;

/** The last floor that reads no platform, no clock and no randomness and never awaits. */
export const PURE_FLOOR = 2;

/** The imports that pure floors may make of the platform, by file. */
export const PURE_EXCEPTIONS: ReadonlyMap<string, string> = new Map([['src/value/hash.ts', 'node:crypto']]);

/** Names that reach the platform, the clock or a later turn; no pure floor mentions one. */
export const IMPURE_NAMES: ReadonlySet<string> = new Set([
  'Buffer',
  'Promise',
  'console',
  'fetch',
  'globalThis',
  'navigator',
  'process',
  'queueMicrotask',
  'setImmediate',
]);

/** A power of the platform and the only places (folders or files) that have it. */
export interface Home {
  readonly power: string;
  /** Import specifiers, whole or up to a `/`. */
  readonly imports: readonly string[];
  /** Global names. */
  readonly names: readonly string[];
  readonly homes: readonly string[];
}

export const HOMES: readonly Home[] = [
  { power: 'SQLite', imports: ['node:sqlite'], names: [], homes: ['ledger/sqlite'] },
  { power: 'PostgreSQL', imports: ['pg'], names: [], homes: ['ledger/postgres'] },
  {
    power: 'child processes',
    imports: ['node:child_process', 'node:cluster'],
    names: [],
    homes: ['guard/process', 'gateway'],
  },
  {
    power: 'the network',
    imports: [
      'node:net',
      'node:tls',
      'node:dgram',
      'node:dns',
      'node:http',
      'node:https',
      'node:http2',
      'undici',
      'hono',
      '@hono/node-server',
    ],
    names: ['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest'],
    homes: ['guard/net', 'gateway', 'proxy', 'console'],
  },
  { power: 'the MCP SDK', imports: ['@modelcontextprotocol'], names: [], homes: ['gateway'] },
  { power: 'OpenTelemetry', imports: ['@opentelemetry'], names: [], homes: ['gateway/telemetry.ts'] },
  { power: 'the AI SDK', imports: ['ai', '@ai-sdk'], names: [], homes: ['runtime/model'] },
  { power: 'the CEL library', imports: ['@marcbachmann/cel-js'], names: [], homes: ['expression'] },
  {
    power: 'the clock',
    imports: ['node:timers', 'node:perf_hooks'],
    names: ['setTimeout', 'setInterval', 'performance', 'Temporal'],
    homes: ['world/system.ts'],
  },
  {
    power: "the machine's languages and time zones",
    imports: [],
    names: ['Intl'],
    homes: ['expression/time-functions.ts', 'console', 'report', 'cli'],
  },
  { power: 'randomness', imports: [], names: ['crypto'], homes: ['world/system.ts'] },
  {
    power: 'code generation and other ways around the imports',
    imports: ['node:vm', 'node:module', 'node:inspector', 'node:repl'],
    names: ['eval', 'Function', 'require', 'globalThis', 'global'],
    homes: [],
  },
];

/** `left.right` expressions that are a power by another road. */
export const MEMBERS: ReadonlyMap<string, string> = new Map([
  ['Date.now', 'the clock'],
  ['process.hrtime', 'the clock'],
  ['process.uptime', 'the clock'],
  ['AbortSignal.timeout', 'the clock'],
  ['Math.random', 'randomness'],
  ['process.getBuiltinModule', 'code generation and other ways around the imports'],
  ['process.binding', 'code generation and other ways around the imports'],
]);

/** Names imported from `node:crypto` that draw randomness. */
export const RANDOM_NAMES: RegExp = /^(random\w*|getRandomValues|webcrypto|\*|default)$/;

/** Parts of a folder that are narrower than their row, so that they can be read and run alone. */
export const NARROW: readonly { readonly folder: string; readonly mayNot: readonly string[]; readonly why: string }[] =
  [
    {
      folder: 'ledger/verify',
      mayNot: ['world', 'ledger/sqlite', 'ledger/postgres'],
      why: 'the structural verifier depends on no store and no machine',
    },
  ];

/** The floor of `folder`, or undefined when no row names it. */
export function floorOf(folder: string): number | undefined {
  return FLOORS.find((row) => row.folders.includes(folder))?.floor;
}

/** The folders that files of `folder` may import besides their own. */
export function importable(folder: string): ReadonlySet<string> {
  const row = FLOORS.find(({ folders }) => folders.includes(folder));
  if (row === undefined) return new Set();
  const { may } = row;
  if (!('upTo' in may)) return new Set(may);
  const below = FLOORS.filter(({ floor }) => floor <= may.upTo).flatMap(({ folders }) => folders);
  return new Set(below.filter((name) => may.except?.includes(name) !== true));
}

/** The table and the rules beside it as docs/architecture.md prints them. */
export function renderFloors(): string {
  const rows = FLOORS.map(({ floor, folders, what, may }) => {
    const names = folders.map((folder) => `\`${folder}/\``).join(' ');
    return `| ${floor} | ${names} | ${what} | ${renderMay(may)} |`;
  });
  const homes = HOMES.map(({ power, imports, names, homes }) => {
    const members = [...MEMBERS].flatMap(([member, of]) => (of === power ? [member] : []));
    const marks = [...imports, ...names, ...members].map((name) => `\`${name}\``).join(', ');
    const where = homes.map((home) => `\`${home}\``).join(', ');
    return `- ${power} (${marks}): ${where === '' ? 'nowhere' : `only in ${where}`}`;
  });
  const table = ['| floor | folder | what it is | may import |', '| --- | --- | --- | --- |', ...rows];
  return [...table, '', 'Powers of the platform, each with its only homes:', '', ...homes].join('\n');
}

function renderMay(may: May): string {
  if (!('upTo' in may)) return may.length === 0 ? '–' : may.join(', ');
  if (may.upTo >= 8) return 'all';
  return `floors 0–${may.upTo}${may.except === undefined ? '' : ` except ${may.except.join(', ')}`}`;
}

export const FLOORS_PAGE: string = 'docs/architecture.md';
const BEGIN = '<!-- floors: written by `node test/floors.ts --write` -->';
const END = '<!-- /floors -->';

/** `page` with what stands between the markers replaced by the rendered floors; undefined without markers. */
export function withFloors(page: string): string | undefined {
  const from = page.indexOf(BEGIN);
  const to = page.indexOf(END);
  if (from === -1 || to < from) return undefined;
  return `${page.slice(0, from + BEGIN.length)}\n\n${renderFloors()}\n\n${page.slice(to)}`;
}

if (import.meta.main) {
  const page = withFloors(readFileSync(join(ROOT, FLOORS_PAGE), 'utf8'));
  if (page === undefined) throw new Error(`${FLOORS_PAGE} has no floors markers`);
  if (process.argv.includes('--write')) writeFileSync(join(ROOT, FLOORS_PAGE), page);
  else process.stdout.write(`${renderFloors()}\n`);
}
