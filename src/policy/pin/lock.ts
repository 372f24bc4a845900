/** `interlock.lock`: the reviewed definition of each tool, by server; parsed strictly and printed in one way only. */

import { isScalar } from 'yaml';
import { digestOf } from '../../value/digest.ts';
import type { Digest } from '../../value/digest.ts';
import type { JsonObject, JsonValue } from '../../value/json.ts';
import type { Issue, Parsed } from '../../value/issue.ts';
import { vetDocument } from '../../document/document.ts';
import type { DocumentKind } from '../../document/document.ts';
import { issueList } from '../../document/issue-list.ts';
import { isPackageName, isPackageVersion } from '../tool/package.ts';
import type { LockedPackage } from '../tool/package.ts';
import {
  placeOf,
  readBoolean,
  readEntries,
  readFields,
  readJson,
  readText,
  readerOf,
  refuse,
  shown,
  target,
} from '../../document/reader.ts';
import type { Entry, Reader } from '../../document/reader.ts';
import { SERVER_ID } from '../document/server.ts';
import { sourceOf } from '../../document/source.ts';
import { defineTool, pinnedPart } from '../tool/tool.ts';
import type { ToolDefinition } from '../tool/tool.ts';
import { sorted, yamlText } from '../document/yaml-text.ts';

/** What is pinned of one server. */
export interface LockedServer {
  /** Whether `tools` are all that it offered: then it need not be started to know them. */
  readonly complete: boolean;
  readonly package?: LockedPackage;
  /** By the name the server knows them by. */
  readonly tools: ReadonlyMap<string, ToolDefinition>;
}

export interface Lock {
  /** By id. */
  readonly servers: ReadonlyMap<string, LockedServer>;
  /** Of everything that it pins. */
  readonly digest: Digest;
}

/** UTF-16 code units of a lock: the definitions of some thousands of tools. */
export const LOCK_LENGTH_MAX: number = 16 * 1024 * 1024;
const VERSION = 1;
const HEAD = `# Written by \`interlock pin\` and \`interlock init\`: the tool definitions that somebody reviewed.
# A tool whose server defines it otherwise is denied \`pin-changed\`. Keep this file beside interlock.yaml.
`;
const REMAKE = 'write it anew with `interlock pin --accept`';
const KIND: DocumentKind = {
  lengthMax: LOCK_LENGTH_MAX,
  tooLong: 'is this the right file?',
  empty: { code: 'lock-empty', message: 'the lock is empty', hint: `delete it, or ${REMAKE}` },
};

/** A lock of these servers. */
export function lockOf(servers: ReadonlyMap<string, LockedServer>): Lock {
  return Object.freeze({ servers, digest: digestOf(dataOf(servers, ({ digest }) => digest)) });
}

/** The text of the file, servers and tools by name and definitions as they came; parsing it gives the lock again. */
export function printLock({ servers }: Pick<Lock, 'servers'>): string {
  const data = dataOf(servers, ({ digest, raw }) => ({ digest, definition: pinnedPart(raw) }));
  return `${HEAD}${yamlText({ interlock: VERSION, servers: data })}`;
}

function dataOf(servers: ReadonlyMap<string, LockedServer>, pin: (tool: ToolDefinition) => JsonValue): JsonObject {
  return sorted(
    [...servers].map(([id, server]) => {
      const tools = sorted([...server.tools].map(([name, tool]) => [name, pin(tool)] as const));
      const held = server.package === undefined ? {} : { package: { ...server.package } };
      return [id, { ...held, ...(server.complete ? { complete: true } : {}), tools }] as const;
    }),
  );
}

/** The lock that `text` writes, or every problem found; `file` is named in the issues only. */
export function parseLock(text: string, file: string): Parsed<Lock> {
  const source = sourceOf(text, file);
  const issues: Issue[] = [];
  const vetted = vetDocument(source, issues, KIND);
  if (vetted === undefined) return { ok: false, issues };
  const reader = readerOf(source, issues, vetted.aliases, {});
  const start = placeOf(reader, vetted.root, { line: 1, column: 1 });
  let servers: ReadonlyMap<string, LockedServer> | undefined;
  let isVersioned = false;
  const parsers = {
    interlock: (entry: Entry) => {
      isVersioned = true;
      checkVersion(reader, entry);
    },
    servers: (entry: Entry) => void (servers = readServers(reader, entry)),
  };
  const isMap = readFields(reader, vetted.root, start, 'the lock', parsers);
  if (isMap && !isVersioned) refuse(reader, start, 'missing-key', 'the lock has no `interlock`', REMAKE);
  if (isMap && servers === undefined) refuse(reader, start, 'missing-key', 'the lock has no `servers`', REMAKE);
  if (issues.length > 0 || servers === undefined) return { ok: false, issues: issueList(issues) };
  return { ok: true, value: lockOf(servers), issues: [] };
}

function checkVersion(reader: Reader, { value, place }: Entry): void {
  const node = target(reader, value);
  if (isScalar(node) && node.value === VERSION) return;
  refuse(reader, place, 'version-unsupported', `expected \`interlock\` of the lock to be ${VERSION}`, REMAKE);
}

function readServers(reader: Reader, entry: Entry): ReadonlyMap<string, LockedServer> {
  const servers = new Map<string, LockedServer>();
  for (const server of readEntries(reader, entry.value, entry.place, '`servers` of the lock') ?? []) {
    if (SERVER_ID.test(server.key)) servers.set(server.key, readServer(reader, server));
    else refuse(reader, server.keyPlace, 'server-id-malformed', `\`${shown(server.key)}\` cannot name a server`);
  }
  return servers;
}

function readServer(reader: Reader, server: Entry): LockedServer {
  const what = `server \`${server.key}\` of the lock`;
  let complete = false;
  let held: LockedPackage | undefined;
  const tools = new Map<string, ToolDefinition>();
  const parsers = {
    complete: (entry: Entry) => {
      complete = readBoolean(reader, entry.value, entry.place, `\`complete\` of ${what}`) ?? false;
    },
    package: (entry: Entry) => void (held = readPackage(reader, entry, what)),
    tools: (entry: Entry) => {
      for (const tool of readEntries(reader, entry.value, entry.place, `\`tools\` of ${what}`) ?? []) {
        const read = readTool(reader, server.key, tool);
        if (read !== undefined) tools.set(tool.key, read);
      }
    },
  };
  readFields(reader, server.value, server.place, what, parsers);
  return Object.freeze({ complete, tools, ...(held === undefined ? {} : { package: held }) });
}

const INTEGRITY = /^sha512-[A-Za-z0-9+/]{86}==$/u;

function readPackage(reader: Reader, entry: Entry, what: string): LockedPackage | undefined {
  const read: Partial<Record<keyof LockedPackage, string>> = {};
  const reading =
    (key: keyof LockedPackage, isSound: (text: string) => boolean, expected: string) =>
    (inner: Entry): void => {
      const name = `\`${key}\` of the package of ${what}`;
      const text = readText(reader, inner.value, inner.place, name)?.text;
      if (text === undefined || isSound(text)) read[key] = text ?? '';
      else refuse(reader, inner.place, 'wrong-value', `expected ${name} to be ${expected}, got \`${shown(text)}\``);
    };
  const parsers = {
    name: reading('name', isPackageName, 'the name of an npm package'),
    version: reading('version', isPackageVersion, 'an exact version'),
    integrity: reading('integrity', (text) => INTEGRITY.test(text), '`sha512-` and 64 bytes in base64'),
  };
  const before = reader.issues.length;
  if (!readFields(reader, entry.value, entry.place, `the package of ${what}`, parsers)) return undefined;
  const { name, version, integrity } = read;
  if (name !== undefined && version !== undefined && integrity !== undefined) return { name, version, integrity };
  if (reader.issues.length > before) return undefined;
  return refuse(reader, entry.keyPlace, 'missing-key', `the package of ${what} lacks a key`, REMAKE);
}

function readTool(reader: Reader, server: string, tool: Entry): ToolDefinition | undefined {
  const what = `\`${server}.${shown(tool.key)}\` of the lock`;
  let digest: Entry | undefined;
  let definition: Entry | undefined;
  let data: JsonValue | undefined;
  const parsers = {
    digest: (entry: Entry) => void (digest = entry),
    definition: (entry: Entry) => {
      definition = entry;
      data = readJson(reader, entry.value, entry.place, `the definition of ${what}`);
    },
  };
  if (!readFields(reader, tool.value, tool.place, what, parsers)) return undefined;
  if (digest === undefined || definition === undefined) {
    const missing = digest === undefined ? 'digest' : 'definition';
    return refuse(reader, tool.keyPlace, 'missing-key', `${what} has no \`${missing}\``, REMAKE);
  }
  const written = readText(reader, digest.value, digest.place, `the digest of ${what}`)?.text;
  if (written === undefined || data === undefined) return undefined;
  return checkTool(reader, { server, name: tool.key, what, written, digest, definition, data });
}

function checkTool(
  reader: Reader,
  read: {
    readonly server: string;
    readonly name: string;
    readonly what: string;
    readonly written: string;
    readonly digest: Entry;
    readonly definition: Entry;
    readonly data: JsonValue;
  },
): ToolDefinition | undefined {
  const { server, name, what, written, digest, definition, data } = read;
  const defined = defineTool(server, data);
  if (!defined.ok) {
    return refuse(
      reader,
      definition.place,
      'wrong-value',
      `the definition of ${what} is none: ${defined.message}`,
      REMAKE,
    );
  }
  const { tool } = defined;
  const extra = Object.keys(tool.raw).find((key) => !Object.hasOwn(pinnedPart(tool.raw), key));
  if (extra !== undefined) {
    return refuse(
      reader,
      definition.place,
      'unknown-key',
      `the definition of ${what} has no key \`${shown(extra)}\``,
      REMAKE,
    );
  }
  if (tool.upstreamName !== name) {
    const message = `the definition of ${what} is that of \`${shown(tool.upstreamName)}\``;
    return refuse(reader, definition.place, 'wrong-value', message, REMAKE);
  }
  if (tool.digest === written) return tool;
  const message = `the digest of ${what} is not that of its definition, which is ${tool.digest}`;
  return refuse(reader, digest.place, 'digest-mismatch', message, `somebody changed the one or the other: ${REMAKE}`);
}
