/** `interlock receipt CALL -o FILE`: the entries of one call with the proofs that they are in the signed log. */

import { type Bundle, formatBundle } from '../../ledger/bundle/format.ts';
import { makeBundle } from '../../ledger/bundle/make.ts';
import { type Entry, parseEntry } from '../../ledger/entry.ts';
import { parseSignedCheckpoint } from '../../tlog/checkpoint.ts';
import { type CommonOptions, requireNamed } from '../configuration.ts';
import { type Disclosure, type DisclosureOrder, handOut } from '../disclosure.ts';
import { CALL_TAIL_MIN, isCall, textOf } from '../entry-filter.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { writeNamed } from '../file.ts';
import { type SignedDataLog, openSigned } from '../signed-log.ts';
import { type Terminal, inert, inertJson, writeLine } from '../terminal.ts';

export interface ReceiptOptions extends CommonOptions {
  /** The id of a call, or at least the last 8 characters of it. */
  readonly call: string;
  readonly out: string;
  /** What the receipt also opens, to whom, and why. */
  readonly disclose?: Omit<DisclosureOrder, 'call'>;
}

export async function receiptCommand(terminal: Terminal, options: ReceiptOptions): Promise<ExitCode> {
  if (options.call.length < CALL_TAIL_MIN) {
    throw new CliError('usage', `expected the id of a call, or its last ${CALL_TAIL_MIN} characters`);
  }
  await requireNamed(terminal, options);
  const { disclose } = options;
  const disclosed =
    disclose === undefined
      ? undefined
      : await handOut(terminal, options, { ...disclose, call: await wholeId(terminal, options) });
  if (disclosed?.ok === false) {
    if (options.json) writeLine(terminal.output, inertJson(disclosed));
    else writeLine(terminal.errors, `interlock: ${inert(disclosed.message)} [${disclosed.code}]`);
    return EXIT.wrong;
  }
  // Signed only now: the receipt holds the entry that says to whom it was given.
  using log = await openSigned(terminal, options);
  const receipt = bundleOf(log, options);
  const opened = disclosed?.disclosures ?? [];
  const disclosures = opened.map(({ position, disclosure }) => ({ position, disclosure }));
  writeNamed(
    terminal,
    options.out,
    `${JSON.stringify(formatBundle({ ...receipt.bundle, disclosures }), undefined, 2)}\n`,
  );
  tell(terminal, options, receipt, opened);
  return EXIT.ok;
}

/** The id of a call that may be named by its end. */
async function wholeId(terminal: Terminal, options: ReceiptOptions): Promise<string> {
  using log = await openSigned(terminal, options);
  return bundleOf(log, options).call;
}

/** The bundle of one call; `own` of its entries are the call's, the others name keys of the log. */
interface Receipt {
  readonly bundle: Bundle;
  readonly call: string;
  readonly own: number;
}

function bundleOf(log: SignedDataLog, options: ReceiptOptions): Receipt {
  const calls = new Set<string>();
  const own = new Set<number>();
  const newest = makeBundle(log, (leaf, position) => {
    // Most entries are of other calls; those that do not even hold the characters need no parsing.
    if (!Buffer.from(leaf.buffer, leaf.byteOffset, leaf.length).includes(options.call)) return false;
    const call = callOf(leaf);
    if (!isCall(options.call, call)) return false;
    calls.add(call);
    own.add(position);
    return true;
  });
  const [call, other] = calls;
  if (newest === undefined || call === undefined) {
    throw new CliError('usage', `no call \`${options.call}\` is in this log`, { hint: 'interlock log shows the ids' });
  }
  if (other !== undefined) {
    throw new CliError('usage', `\`${options.call}\` is the end of several ids`, { hint: `${call}, ${other}` });
  }
  return { bundle: cosigned(log, own) ?? newest, call, own: own.size };
}

function tell(
  { output }: Terminal,
  { json, out, disclose }: ReceiptOptions,
  { bundle: { key, entries }, call, own }: Receipt,
  disclosures: readonly Disclosure[],
): void {
  if (json) {
    const opened = disclose === undefined ? {} : { disclosures };
    writeLine(output, inertJson({ ok: true, file: out, call, entries: entries.length, key, ...opened }));
    return;
  }
  writeLine(output, `${own} entries of call ${inert(call)}, in ${inert(out)}`);
  for (const { pointer } of disclosures) writeLine(output, `  and in clear, with its proof: ${inert(pointer)}`);
  writeLine(output, `  verify it anywhere with: interlock verify ${inert(out)} --key FILE`);
  writeLine(output, `  the key to trust: ${inert(key)}`);
}

/** Where no witness could be asked now: the bundle under the last checkpoint that one cosigned, if that covers it all. */
function cosigned(log: SignedDataLog, own: ReadonlySet<number>): Bundle | undefined {
  if (log.asked.length === 0 || log.asked.some(({ answer }) => answer.kind === 'cosigned')) return undefined;
  const checkpoint = log.cosignedBefore();
  const read = checkpoint === undefined ? undefined : parseSignedCheckpoint(checkpoint);
  if (checkpoint === undefined || read?.ok !== true || read.value.checkpoint.size <= Math.max(...own)) return undefined;
  return makeBundle({ ...log, checkpoint }, (_leaf, position) => own.has(position));
}

function callOf(leaf: Uint8Array): string | undefined {
  const parsed = parseEntry(leaf);
  const entry: Entry | undefined = parsed.ok ? parsed.value : undefined;
  return textOf(entry?.['call']);
}
