/** `interlock log`: what was decided, attempted and answered, in order. */

import type { Writable } from 'node:stream';
import { type Entry, parseEntry } from '../../ledger/entry.ts';
import { type StoredLeaf, openReader } from '../../ledger/sqlite/reader.ts';
import { fromUtf8 } from '../../value/encoding.ts';
import { systemWorld } from '../../world/system.ts';
import { type CommonOptions, dataDirectory, requireNamed } from '../configuration.ts';
import { lineOf } from '../entry-line.ts';
import { type EntryFilter, selection } from '../entry-filter.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { type Terminal, inertJson, writeLine } from '../terminal.ts';

export interface LogOptions extends CommonOptions {
  readonly follow: boolean;
  readonly filter: EntryFilter;
}

/** How often `--follow` looks for new entries, milliseconds. */
const FOLLOW_EVERY_MS = 200;

export async function logCommand(terminal: Terminal, options: LogOptions): Promise<ExitCode> {
  const wanted = selection(options.filter);
  await requireNamed(terminal, options);
  using reader = openReader(dataDirectory(terminal, options));
  const gone = new AbortController();
  const leave = (): void => gone.abort();
  for (const event of ['error', 'close']) terminal.output.on(event, leave);
  try {
    let unreadable = 0;
    let position = 0;
    while (!gone.signal.aborted) {
      for (const stored of reader.leaves(position)) {
        position = stored.position + 1;
        const told = tell(terminal, options, wanted, stored);
        if (told.unreadable) unreadable += 1;
        if (told.line !== undefined) await written(terminal.output, told.line);
        if (gone.signal.aborted) break;
      }
      if (!options.follow) break;
      await systemWorld.sleep(FOLLOW_EVERY_MS, gone.signal);
    }
    if (unreadable === 0) return EXIT.ok;
    writeLine(terminal.errors, 'interlock: some of this is no entry of a ledger: run `interlock verify`');
    return EXIT.wrong;
  } finally {
    for (const event of ['error', 'close']) terminal.output.off(event, leave);
  }
}

interface Told {
  /** Absent when the filter leaves the entry out. */
  readonly line?: string;
  readonly unreadable: boolean;
}

function tell(
  terminal: Terminal,
  { json }: LogOptions,
  wanted: (entry: Entry) => boolean,
  { position, leaf }: StoredLeaf,
): Told {
  const parsed = parseEntry(leaf);
  if (!parsed.ok) {
    // It is told of whatever the filter, because hiding it would hide a tampering; but what it holds is not shown,
    // because it could hold anything, such as the lines of other entries.
    const line = json ? inertJson({ position, unreadable: true }) : `${position} is no entry`;
    return { line, unreadable: true };
  }
  if (!wanted(parsed.value)) return { unreadable: false };
  const line = json ? (fromUtf8(leaf) ?? '') : lineOf(terminal.colour, position, parsed.value);
  return { line, unreadable: false };
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
