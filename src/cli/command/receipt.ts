/** `interlock receipt CALL -o FILE`: the entries of one call with the proofs that they are in the signed log. */

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { formatBundle } from '../../ledger/bundle/format.ts';
import { makeBundle } from '../../ledger/bundle/make.ts';
import { errorCodeOf } from '../../ledger/directory.ts';
import { type Entry, parseEntry } from '../../ledger/entry.ts';
import { type CommonOptions, requireNamed } from '../configuration.ts';
import { CALL_TAIL_MIN, isCall, textOf } from '../entry-filter.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { openSigned } from '../signed-log.ts';
import { type Terminal, inert, inertJson, writeLine } from '../terminal.ts';

export interface ReceiptOptions extends CommonOptions {
  /** The id of a call, or at least the last 8 characters of it. */
  readonly call: string;
  readonly out: string;
}

export async function receiptCommand(terminal: Terminal, options: ReceiptOptions): Promise<ExitCode> {
  if (options.call.length < CALL_TAIL_MIN) {
    throw new CliError('usage', `expected the id of a call, or its last ${CALL_TAIL_MIN} characters`);
  }
  await requireNamed(terminal, options);
  using log = await openSigned(terminal, options);
  const calls = new Set<string>();
  const bundle = makeBundle(log, (leaf) => {
    // Most entries are of other calls; those that do not even hold the characters need no parsing.
    if (!Buffer.from(leaf.buffer, leaf.byteOffset, leaf.length).includes(options.call)) return false;
    const call = callOf(leaf);
    if (!isCall(options.call, call)) return false;
    calls.add(call);
    return true;
  });
  const [call, other] = calls;
  if (bundle === undefined || call === undefined) {
    throw new CliError('usage', `no call \`${options.call}\` is in this log`, { hint: 'interlock log shows the ids' });
  }
  if (other !== undefined) {
    throw new CliError('usage', `\`${options.call}\` is the end of several ids`, { hint: `${call}, ${other}` });
  }
  write(terminal, options.out, `${JSON.stringify(formatBundle(bundle), undefined, 2)}\n`);
  const entries = bundle.entries.length;
  if (options.json) {
    writeLine(terminal.output, inertJson({ ok: true, file: options.out, call, entries, key: log.key }));
    return EXIT.ok;
  }
  writeLine(terminal.output, `${entries - 1} entries of call ${inert(call)}, in ${inert(options.out)}`);
  writeLine(terminal.output, `  verify it anywhere with: interlock verify ${inert(options.out)} --key FILE`);
  writeLine(terminal.output, `  the key to trust: ${inert(log.key)}`);
  return EXIT.ok;
}

function callOf(leaf: Uint8Array): string | undefined {
  const parsed = parseEntry(leaf);
  const entry: Entry | undefined = parsed.ok ? parsed.value : undefined;
  return textOf(entry?.['call']);
}

function write(terminal: Terminal, out: string, text: string): void {
  try {
    writeFileSync(path.resolve(terminal.directory, out), text);
  } catch (error) {
    const code = errorCodeOf(error);
    if (code === undefined) throw error;
    throw new CliError('usage', `\`${out}\` cannot be written: the system says ${code}`, { cause: error });
  }
}
