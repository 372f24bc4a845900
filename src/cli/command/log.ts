/** `interlock log`: what was decided, attempted and answered, in order. */

import type { Writable } from 'node:stream';
import { type Entry, parseEntry } from '../../ledger/entry.ts';
import { openReader } from '../../ledger/sqlite/reader.ts';
import { fromUtf8 } from '../../value/encoding.ts';
import { isJsonObject, type JsonValue } from '../../value/json.ts';
import { parseInstant } from '../../value/time.ts';
import { systemWorld } from '../../world/system.ts';
import { type CommonOptions, dataDirectory } from '../configuration.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { type Terminal, inert } from '../terminal.ts';

export interface LogFilter {
  readonly call?: string;
  readonly principal?: string;
  readonly tool?: string;
  readonly effect?: string;
  readonly since?: string;
}

export interface LogOptions extends CommonOptions {
  readonly follow: boolean;
  readonly filter: LogFilter;
}

/** How often `--follow` looks for new entries, milliseconds. */
const FOLLOW_EVERY_MS = 200;
const EFFECTS: ReadonlySet<string> = new Set(['allow', 'ask', 'deny']);

export async function logCommand(terminal: Terminal, options: LogOptions): Promise<ExitCode> {
  const wanted = selection(options.filter);
  using reader = openReader(dataDirectory(terminal, options));
  const ended = new AbortController();
  terminal.output.on('error', () => ended.abort());
  terminal.output.on('close', () => ended.abort());
  let position = 0;
  for (;;) {
    for (const { position: at, leaf } of reader.leaves(position)) {
      position = at + 1;
      const parsed = parseEntry(leaf);
      // A leaf that is no entry is shown whatever the filter: hiding it would hide a tampering.
      if (parsed.ok && !wanted(parsed.value)) continue;
      const line = options.json
        ? (fromUtf8(leaf) ?? JSON.stringify({ position: at, unreadable: true }))
        : parsed.ok
          ? readable(terminal, at, parsed.value)
          : `${at} is not an entry: run interlock verify`;
      await written(terminal.output, line);
      if (ended.signal.aborted) return EXIT.ok;
    }
    if (!options.follow || ended.signal.aborted) return EXIT.ok;
    await systemWorld.sleep(FOLLOW_EVERY_MS, ended.signal);
  }
}

/** Waits for a slow reader, so that a long log never piles up in memory. */
function written(output: Writable, line: string): Promise<void> | undefined {
  if (output.write(`${line}\n`)) return undefined;
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of ['drain', 'close', 'error']) output.off(event, done);
      resolve();
    };
    for (const event of ['drain', 'close', 'error']) output.once(event, done);
  });
}

/** Outcome entries name no principal, tool or effect: they follow the call that an earlier entry selected. */
function selection(filter: LogFilter): (entry: Entry) => boolean {
  const since = filter.since === undefined ? undefined : parseInstant(filter.since);
  if (filter.since !== undefined && since === undefined) {
    throw new CliError('usage', `expected --since to be an RFC 3339 time, got \`${filter.since}\``, {
      hint: 'for example 2026-01-31T18:00:00Z',
    });
  }
  if (filter.effect !== undefined && !EFFECTS.has(filter.effect)) {
    throw new CliError('usage', `expected --effect allow, ask or deny, got \`${filter.effect}\``);
  }
  const attributes = filter.principal !== undefined || filter.tool !== undefined || filter.effect !== undefined;
  const calls = new Set<string>();
  return (entry) => {
    const call = text(entry['call']);
    if (filter.call !== undefined && call !== filter.call) return false;
    if (attributes) {
      const opens = entry.type === 'call.intent' || entry.type === 'call.denied';
      if (opens && matches(entry, filter) && call !== undefined) calls.add(call);
      if (call === undefined || !calls.has(call)) return false;
    }
    return since === undefined || (parseInstant(entry.at) ?? 0) >= since;
  };
}

function matches(entry: Entry, filter: LogFilter): boolean {
  if (filter.principal !== undefined && entry['principal'] !== filter.principal) return false;
  if (filter.effect !== undefined && member(entry['policy'], 'effect') !== filter.effect) return false;
  return filter.tool === undefined || fits(filter.tool, text(member(entry['tool'], 'name')) ?? '');
}

/** `*` is any run of characters; linear in both. */
function fits(pattern: string, name: string): boolean {
  const parts = pattern.split('*');
  const [head = ''] = parts;
  if (parts.length === 1) return name === pattern;
  const tail = parts.at(-1) ?? '';
  if (!name.startsWith(head) || !name.endsWith(tail) || name.length < head.length + tail.length) return false;
  let at = head.length;
  for (const part of parts.slice(1, -1)) {
    const found = name.indexOf(part, at);
    if (found === -1 || found + part.length > name.length - tail.length) return false;
    at = found + part.length;
  }
  return true;
}

/** One line a person can read: time, what happened, to which tool, for whom, and why. */
function readable(terminal: Terminal, position: number, entry: Entry): string {
  const { colour } = terminal;
  const call = text(entry['call']);
  const words = [
    colour.dim(`${String(position).padStart(5)}  ${inert(entry.at)}`),
    paint(terminal, entry.type)(inert(entry.type).padEnd(16)),
    call === undefined ? '' : colour.dim(`…${inert(call.slice(-8))}`),
    inert(text(member(entry['tool'], 'name')) ?? ''),
    inert(detail(entry)),
  ];
  return words.filter((word) => word !== '').join('  ');
}

function detail(entry: Entry): string {
  const said = [text(entry['as']), text(entry['reason']), text(entry['message'])].filter((one) => one !== undefined);
  const code = text(member(entry['policy'], 'code'));
  const rules = member(entry['policy'], 'rules');
  if (code !== undefined) said.push(code);
  if (Array.isArray(rules) && rules.length > 0) said.push(`by ${rules.slice(0, 3).map(String).join(', ')}`);
  if (entry.type === 'policy.loaded') said.push(text(entry['digest']) ?? '');
  const args = entry['args'];
  if (isJsonObject(args) && entry.type.startsWith('call.')) said.push(shorten(JSON.stringify(args)));
  return said.join('  ');
}

function shorten(json: string): string {
  const characters = [...json];
  return characters.length <= 96 ? json : `${characters.slice(0, 95).join('')}…`;
}

function paint(terminal: Terminal, type: Entry['type']): (text: string) => string {
  const { colour } = terminal;
  if (type === 'call.denied' || type === 'policy.refused') return colour.red;
  if (type === 'call.unknown') return colour.yellow;
  return type.startsWith('call.') ? colour.green : colour.cyan;
}

function member(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function text(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
