/** Gathers a report from a log: reads it once to verify it and to choose, then for the proofs, then to decide again. */

import type { Recording } from '../audit/recording.ts';
import { makeBundle } from '../ledger/bundle/make.ts';
import type { Bundle, BundleEntry } from '../ledger/bundle/format.ts';
import { type Entry, parseEntry } from '../ledger/entry.ts';
import { LedgerError } from '../ledger/ledger.ts';
import type { VerifyReport } from '../ledger/verify/report.ts';
import { type LogSource, type VerifyOptions, verifyLog } from '../ledger/verify/verify.ts';
import { fromUtf8, utf8 } from '../value/encoding.ts';
import { Choice, type PageLimits } from './choose.ts';
import type { Told, ToldProblem } from './page/told.ts';
import { tellOfCalls, toldWith } from './tell.ts';

/** Where a log is read from. */
export interface ReportSource {
  /** For the verification. */
  readonly log: LogSource;
  /** What is wrong with what it is kept in, once all was read. */
  readonly problems: (report: VerifyReport) => readonly ToldProblem[];
  /** All leaves from the first on; called twice. */
  readonly leaves: () => Iterable<Uint8Array>;
  readonly recording: () => Recording;
}

export interface ReportRequest {
  /** The id of a session, a run or a call; absent for the whole log. */
  readonly of?: string;
  readonly version: string;
  /** RFC 3339. */
  readonly at: string;
  readonly verify: VerifyOptions;
  /** What a page holds at most, if not the usual. */
  readonly limits?: PageLimits;
}

export interface Gathered {
  readonly bundle: Bundle;
  readonly told: Told;
}

/** Problems that are listed on the page; further ones are counted. */
const PROBLEMS_MAX = 50;

/** Nothing when no decision of what the request names is in the log. */
export async function gatherReport(source: ReportSource, request: ReportRequest): Promise<Gathered | undefined> {
  const { of, version, at } = request;
  const choice = new Choice(of, request.limits);
  const checked = await verifyAndLook(source, request.verify, choice);
  if (of !== undefined && !choice.hasCalls) return undefined;
  const bundle = chosenBundle(source, checked, choice);
  const onPage = bundle.entries.flatMap(({ leaf }) => entryIn(utf8(leaf)) ?? []);
  const calls = new Set(onPage.map(({ call }) => call));
  const told = tellOfCalls(source.recording(), ({ call }) => call !== undefined && calls.has(call));
  const { report } = checked;
  const problems: readonly ToldProblem[] = [...report.problems, ...source.problems(report)];
  const log = {
    verdict: problems.length === 0 ? 'ok' : 'bad',
    entries: report.entries,
    unsigned: report.unsigned,
    problems: problems.slice(0, PROBLEMS_MAX),
    omitted: report.omitted + Math.max(0, problems.length - PROBLEMS_MAX),
  } as const;
  const left = choice.leftBeside(onPage);
  return { bundle, told: toldWith({ version, at, ...(of === undefined ? {} : { of }), log, left }, told) };
}

interface Checked {
  readonly report: VerifyReport;
  /** The last signed note; empty where there is none. */
  readonly checkpoint: string;
}

async function verifyAndLook({ log }: ReportSource, options: VerifyOptions, choice: Choice): Promise<Checked> {
  let [bytes, checkpoint] = [0, ''];
  const entries = async function* (): AsyncGenerator<{ readonly position: number; readonly leaf: Uint8Array }, void> {
    for await (const entry of log.entries) {
      bytes = entry.leaf.length;
      yield entry;
    }
  };
  const checkpoints = async function* (): AsyncGenerator<
    { readonly size: number; readonly note: string | Uint8Array },
    void
  > {
    for await (const kept of log.checkpoints) {
      checkpoint = typeof kept.note === 'string' ? kept.note : (fromUtf8(kept.note) ?? '');
      yield kept;
    }
  };
  const visit: VerifyOptions['visit'] = ({ fields }, position) => choice.look(fields as Entry, position, bytes);
  const report = await verifyLog({ entries: entries(), checkpoints: checkpoints() }, { ...options, visit });
  return { report, checkpoint };
}

/** The chosen entries with their proofs; those that no signature covers have none, and the page says so when it verifies. */
function chosenBundle({ leaves }: ReportSource, { report, checkpoint }: Checked, choice: Choice): Bundle {
  const key = report.key?.vkey ?? '';
  const isChosen = (leaf: Uint8Array, position: number): boolean => {
    const entry = entryIn(leaf);
    return entry !== undefined && choice.isChosen(entry, position);
  };
  let passed = 1;
  try {
    const made = makeBundle({ checkpoint, key, leaves }, (leaf, position) => {
      passed = position + 1;
      return isChosen(leaf, position);
    });
    return { key, checkpoint, entries: [...(made?.entries ?? []), ...unproved(leaves(), passed, isChosen)] };
  } catch (error) {
    // A log whose end or whose checkpoint is gone still has entries to show.
    if (!(error instanceof LedgerError) || error.code !== 'tampered') throw error;
    return { key, checkpoint, entries: [...unproved(leaves(), 0, isChosen)] };
  }
}

function* unproved(
  leaves: Iterable<Uint8Array>,
  from: number,
  isChosen: (leaf: Uint8Array, position: number) => boolean,
): Generator<BundleEntry, void> {
  let position = 0;
  for (const leaf of leaves) {
    const text = position >= from && (position === 0 || isChosen(leaf, position)) ? fromUtf8(leaf) : undefined;
    if (text !== undefined) yield { position, leaf: text, proof: [] };
    position += 1;
  }
}

function entryIn(leaf: Uint8Array): Entry | undefined {
  const parsed = parseEntry(leaf);
  return parsed.ok ? parsed.value : undefined;
}
