/** The evidence of one run: where its entries, those of its calls and the texts that it was frozen with stand in the log. */

import { type Placed, type RunReceipt, runReceipts } from '../audit/run-receipt.ts';
import { runOf, stepOf } from '../authority/asked.ts';
import { parseEntry } from '../ledger/entry.ts';
import { isRunType } from '../ledger/run.ts';
import { readStarted } from '../runtime/entry.ts';
import { isCall, isProposed, textOf } from './entry-filter.ts';
import { CliError } from './exit.ts';
import { counted } from './issues.ts';

/** What a receipt of a run holds. */
export interface RunEvidence {
  readonly receipt: RunReceipt;
  /** Of its own entries and those of its calls, and of the programs and the capability that it was frozen with. */
  readonly positions: ReadonlySet<number>;
}

/** The evidence of the run with the id `wanted`, or that ends so; nothing when there is none. One pass over `leaves`. */
export function runEvidence(leaves: Iterable<Uint8Array>, wanted: string): RunEvidence | undefined {
  const contents = new Map<string, number[]>();
  const own: Placed[] = [];
  const runs = new Set<string>();
  const calls = new Set<string>();
  const frozen = new Set<number>();
  let position = -1;
  for (const leaf of leaves) {
    position += 1;
    const entry = ofRuns(leaf, wanted, calls.size > 0);
    if (entry === undefined) continue;
    const { type, content } = entry;
    const [run, call] = [runOf(entry), textOf(entry['call']) ?? ''];
    if (type === 'program.content' && typeof content === 'string') {
      contents.set(content, [...(contents.get(content) ?? []), position]);
    } else if (isRunType(type) && isCall(wanted, run)) {
      runs.add(run);
      own.push([position, entry]);
      const started = readStarted(entry);
      const digests = started && [started.program, ...started.programs.values(), started.capability];
      for (const digest of digests ?? []) for (const at of contents.get(digest) ?? []) frozen.add(at);
    } else if (calls.has(call) || (isProposed(entry) && stepOf(entry) !== undefined && runs.has(run))) {
      calls.add(call);
      own.push([position, entry]);
    }
  }
  const [run, other] = runs;
  if (other !== undefined) {
    throw new CliError('usage', `\`${wanted}\` is the end of several ids`, { hint: `${run}, ${other}` });
  }
  const [receipt] = runReceipts(own);
  if (receipt === undefined) return undefined;
  return { receipt, positions: new Set([...own.map(([at]) => at), ...frozen]) };
}

/** Most entries are of others: what cannot be of the run is not parsed. */
function ofRuns(leaf: Uint8Array, wanted: string, hasCalls: boolean): Placed[1] | undefined {
  const text = Buffer.from(leaf.buffer, leaf.byteOffset, leaf.length);
  const isNear = text.includes(wanted) || text.includes('"type":"program.content"');
  if (!isNear && !(hasCalls && text.includes('"type":"call.'))) return undefined;
  const parsed = parseEntry(leaf);
  return parsed.ok ? parsed.value : undefined;
}

/** A receipt for people, a line each. */
export function receiptLines(receipt: RunReceipt): readonly string[] {
  const { program, version, digests, status, path, calls, denials, approvals, spent, notUndone, unproved } = receipt;
  const attempts = calls.reduce((sum, call) => sum + call.attempts, 0);
  const cost = Object.entries(spent ?? {}).map(([name, amount]) => `${name} ${JSON.stringify(amount)}`);
  return [
    `program ${program} of version ${version}, ${digests.program}`,
    `${status}: ${path.map(({ step }) => step).join(' → ')}`,
    ...calls.map(({ command, tool, state, call }) => `${command}  ${tool}  ${state}  ${call}`),
    ...denials.map(({ command, tool, code }) => `${command}  ${tool}  denied ${code}`),
    ...approvals.map(({ call, answer, by }) => `${answer}${by === undefined ? '' : ` by ${by}`}: ${call}`),
    `${counted(calls.length, 'call')}, ${counted(attempts, 'attempt')}${cost.length === 0 ? '' : `; ${cost.join(', ')}`}`,
    ...notUndone.map((command) => `not undone: ${JSON.stringify(command)}`),
    ...unproved.map((property) => `started without a proof of: ${JSON.stringify(property)}`),
  ];
}
