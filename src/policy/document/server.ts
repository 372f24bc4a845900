/** `servers:` — the upstreams and how they are started. */

import type { Place } from '../../value/issue.ts';
import { expand, warnUnreplaced } from './environment.ts';
import type { EnvironmentValue } from './environment.ts';
import { LATER } from './later.ts';
import {
  readEntries,
  readFields,
  readText,
  readTexts,
  readWhole,
  refuse,
  refuseLater,
  shown,
  target,
} from '../../document/reader.ts';
import { parsePackage } from '../tool/package.ts';
import type { ServerPackage } from '../tool/package.ts';
import type { Entry, Reader } from '../../document/reader.ts';
import { isScalar } from 'yaml';

/** An upstream MCP server on stdio. Paths stand as written: relative ones are relative to the configuration file. */
export interface ServerConfiguration {
  readonly id: string;
  readonly place: Place;
  /** Empty for a package until it is known where that is installed: an empty command starts nothing. */
  readonly command: string;
  /** Run by Node in the place of a command. */
  readonly package?: ServerPackage;
  readonly args: readonly string[];
  readonly env: ReadonlyMap<string, EnvironmentValue>;
  /** Where the child starts; absent means the directory of the configuration file. */
  readonly cwd?: string;
  readonly sandbox: 'off';
  /** How long one call may take, milliseconds. */
  readonly timeoutMs: number;
  /** How long `initialize` may take before the server's tools are left out of the list, milliseconds. */
  readonly startTimeoutMs: number;
}

export const SERVER_ID: RegExp = /^[a-z][a-z0-9-]{0,31}$/u;
const ENVIRONMENT_NAME = /^[^=\0]+$/u;
const SERVERS_MAX = 1_000;
const TIMEOUT_MS = 60_000;
const START_TIMEOUT_MS = 10_000;
/** Beyond it Node's timers fire at once. */
const TIMEOUT_MS_MAX = 2_147_483_647;

/** The server whose tools are models. */
export const MODEL_SERVER = 'llm';
/** Ids that stand for Interlock itself and for models. */
export const RESERVED_SERVERS: readonly string[] = ['interlock', MODEL_SERVER];

export function readServers(reader: Reader, entry: Entry): ReadonlyMap<string, ServerConfiguration> {
  const servers = new Map<string, ServerConfiguration>();
  const entries = readEntries(reader, entry.value, entry.place, '`servers`') ?? [];
  if (entries.length > SERVERS_MAX) {
    refuse(reader, entry.keyPlace, 'too-many', `expected at most ${SERVERS_MAX} servers, got ${entries.length}`);
    return servers;
  }
  for (const server of entries) {
    const read = checkId(reader, server) ? readServer(reader, server) : undefined;
    if (read !== undefined) servers.set(server.key, read);
  }
  return servers;
}

function checkId(reader: Reader, { key, keyPlace }: Entry): boolean {
  if (RESERVED_SERVERS.includes(key)) {
    refuse(reader, keyPlace, 'server-id-reserved', `\`${key}\` is reserved and cannot name a server`);
    return false;
  }
  if (SERVER_ID.test(key)) return true;
  const hint = 'a lower-case letter, then at most 31 lower-case letters, digits and `-`';
  refuse(reader, keyPlace, 'server-id-malformed', `\`${shown(key)}\` cannot name a server`, hint);
  return false;
}

function readServer(reader: Reader, server: Entry): ServerConfiguration | undefined {
  const what = `server \`${server.key}\``;
  const before = reader.issues.length;
  let command: string | undefined;
  let held: ServerPackage | undefined;
  let isPackage = false;
  let args: readonly string[] = [];
  let env: ReadonlyMap<string, EnvironmentValue> = new Map();
  let cwd: string | undefined;
  let timeoutMs = TIMEOUT_MS;
  let startTimeoutMs = START_TIMEOUT_MS;
  const text = (entry: Entry): string | undefined => {
    const read = readText(reader, entry.value, entry.place, `\`${entry.key}\` of ${what}`);
    if (read !== undefined) warnUnreplaced(reader, read, `\`${entry.key}\``);
    return read?.text;
  };
  const whole = (entry: Entry): number =>
    readWhole(reader, entry.value, entry.place, `\`${entry.key}\` of ${what}`, 1, TIMEOUT_MS_MAX) ?? 0;
  const parsers = {
    command: (entry: Entry) => void (command = text(entry)),
    package: (entry: Entry) => {
      isPackage = true;
      held = readPackage(reader, entry, what);
    },
    args: (entry: Entry) => {
      const read = readTexts(reader, entry.value, entry.place, `\`args\` of ${what}`) ?? [];
      for (const item of read) warnUnreplaced(reader, item, '`args`');
      args = read.map((item) => item.text);
    },
    env: (entry: Entry) => void (env = readEnvironment(reader, entry, what)),
    cwd: (entry: Entry) => void (cwd = text(entry)),
    sandbox: (entry: Entry) => readSandbox(reader, entry, what),
    timeoutMs: (entry: Entry) => void (timeoutMs = whole(entry)),
    startTimeoutMs: (entry: Entry) => void (startTimeoutMs = whole(entry)),
  };
  readFields(reader, server.value, server.place, what, parsers, LATER.server);
  if (reader.issues.slice(before).some((issue) => issue.severity === 'error')) return undefined;
  if (isPackage && command !== undefined) {
    return refuse(reader, server.keyPlace, 'wrong-value', `${what} has both \`command\` and \`package\``, 'write one');
  }
  if (!isPackage && command === undefined) {
    const hint = 'write the program to start, or a `package`';
    return refuse(reader, server.keyPlace, 'missing-key', `${what} has no \`command\``, hint);
  }
  const started = held === undefined ? { command: command ?? '' } : { command: '', package: held };
  const rest = { ...started, args, env, sandbox: 'off', timeoutMs, startTimeoutMs } as const;
  const read = { id: server.key, place: server.keyPlace, ...rest };
  return Object.freeze(cwd === undefined ? read : { ...read, cwd });
}

function readPackage(reader: Reader, entry: Entry, what: string): ServerPackage | undefined {
  const text = readText(reader, entry.value, entry.place, `\`package\` of ${what}`)?.text;
  const read = text === undefined ? undefined : parsePackage(text);
  if (read !== undefined || text === undefined) return read;
  const message = `expected \`package\` of ${what} to be NAME@VERSION of an npm package, got \`${shown(text)}\``;
  return refuse(reader, entry.place, 'wrong-value', message, 'write one exact version, such as `1.2.3`');
}

function readEnvironment(reader: Reader, entry: Entry, what: string): ReadonlyMap<string, EnvironmentValue> {
  const env = new Map<string, EnvironmentValue>();
  for (const variable of readEntries(reader, entry.value, entry.place, `\`env\` of ${what}`) ?? []) {
    const name = `\`${shown(variable.key)}\` in \`env\` of ${what}`;
    if (!ENVIRONMENT_NAME.test(variable.key)) {
      refuse(reader, variable.keyPlace, 'wrong-value', `${name} cannot name an environment variable`);
      continue;
    }
    const template = readText(reader, variable.value, variable.place, name);
    const value = template === undefined ? undefined : expand(reader, template, name);
    if (value !== undefined) env.set(variable.key, value);
  }
  return env;
}

function readSandbox(reader: Reader, entry: Entry, what: string): void {
  const node = target(reader, entry.value);
  if (isScalar(node) && node.value === 'off') return;
  const known = isScalar(node) ? node.value === 'preferred' || node.value === 'required' : node !== null;
  if (known) refuseLater(reader, entry.place, `a sandbox for ${what}`);
  else refuse(reader, entry.place, 'wrong-value', `expected \`sandbox\` of ${what} to be \`off\``, 'write `off`');
}
