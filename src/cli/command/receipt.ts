/** `interlock receipt CALL|RUN -o FILE`: the entries of one call, or of a run and its calls, with the proofs that they are in the signed log. */

import type { RunReceipt } from '../../audit/run-receipt.ts';
import { type Bundle, formatBundle } from '../../ledger/bundle/format.ts';
import { makeBundle } from '../../ledger/bundle/make.ts';
import { type Entry, parseEntry } from '../../ledger/entry.ts';
import { parseSignedCheckpoint } from '../../tlog/checkpoint.ts';
import { type CommonOptions, requireNamed } from '../configuration.ts';
import { type Disclosure, type DisclosureOrder, handOut } from '../disclosure.ts';
import { CALL_TAIL_MIN, isCall, textOf } from '../entry-filter.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { writeNamed } from '../file.ts';
import { receiptLines, runEvidence } from '../run-receipt.ts';
import { type SignedDataLog, openSigned } from '../signed-log.ts';
import { type Terminal, inert, inertJson, writeLine } from '../terminal.ts';

export interface ReceiptOptions extends CommonOptions {
  /** The id of a call or a run, or at least the last 8 characters of it. */
  readonly call: string;
  readonly out: string;
  /** What the receipt also opens, to whom, and why. */
  readonly disclose?: Omit<DisclosureOrder, 'call'>;
}

export async function receiptCommand(terminal: Terminal, options: ReceiptOptions): Promise<ExitCode> {
  if (options.call.length < CALL_TAIL_MIN) {
    throw new CliError('usage', `expected the id of a call or a run, or its last ${CALL_TAIL_MIN} characters`);
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
  const { id, run } = bundleOf(log, options);
  if (run === undefined) return id;
  throw new CliError('usage', '`--disclose` opens values of a call, and this is a run', {
    hint: 'make a receipt of the call: the receipt of the run names its calls',
  });
}

/** The bundle of one call or run; `own` of its entries are of it, the others name keys of the log. */
interface Receipt {
  readonly bundle: Bundle;
  readonly id: string;
  readonly own: number;
  /** Of a run: what its entries say of it. */
  readonly run?: RunReceipt;
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
  if (newest === undefined || call === undefined) return bundleOfRun(log, options);
  if (other !== undefined) {
    throw new CliError('usage', `\`${options.call}\` is the end of several ids`, { hint: `${call}, ${other}` });
  }
  return { bundle: cosigned(log, own) ?? newest, id: call, own: own.size };
}

function bundleOfRun(log: SignedDataLog, { call: wanted }: ReceiptOptions): Receipt {
  const found = runEvidence(log.leaves(), wanted);
  const bundle = found && makeBundle(log, (_leaf, position) => found.positions.has(position));
  if (found === undefined || bundle === undefined) {
    throw new CliError('usage', `no call and no run \`${wanted}\` is in this log`, {
      hint: 'interlock log shows the ids of calls, interlock runs those of runs',
    });
  }
  const { receipt: run, positions } = found;
  return { bundle: cosigned(log, positions) ?? bundle, id: run.run, own: positions.size, run };
}

function tell(
  { output }: Terminal,
  { json, out, disclose }: ReceiptOptions,
  { bundle: { key, entries }, id, own, run }: Receipt,
  disclosures: readonly Disclosure[],
): void {
  if (json) {
    const opened = disclose === undefined ? {} : { disclosures };
    const of = run === undefined ? { call: id } : { run: id, receipt: run };
    writeLine(output, inertJson({ ok: true, file: out, ...of, entries: entries.length, key, ...opened }));
    return;
  }
  writeLine(output, `${own} entries of ${run === undefined ? 'call' : 'run'} ${inert(id)}, in ${inert(out)}`);
  for (const line of run === undefined ? [] : receiptLines(run)) writeLine(output, `  ${inert(line)}`);
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
