/**
 * Whether runs go as runs do: figures of each and of all together, each with the threshold from which on it is flagged,
 * and what a batch does otherwise than an earlier one. Figures and their sources: docs/programs.md. Pure.
 */

import { modelNameOf } from '../policy/tool/model.ts';
import { type ReceiptCall, type RunReceipt, isQuestion } from './run-receipt.ts';

/** All from 0 on; all but the entropy up to 1. */
export interface Figures {
  /** Of what was done, how much was undone again. */
  readonly rollbackDensity: number;
  /** Of the attempts, how many repeat a step and tool of the same run. */
  readonly toolChurn: number;
  /** How far the transitions lie from those of the baseline. */
  readonly pathVariance: number;
  /** Bits that a transition tells who knows the step before it. */
  readonly transitionEntropy: number;
  /** Of what was proposed, how much was denied. */
  readonly deniedShare: number;
}

export type Figure = keyof Figures;

/** A figure above its threshold is flagged. */
export const THRESHOLDS: Figures = {
  rollbackDensity: 0.25,
  toolChurn: 0.5,
  pathVariance: 0.5,
  transitionEntropy: 1,
  deniedShare: 0.1,
};

/** How often one step led to another. */
export interface Transition {
  readonly from: string;
  readonly to: string;
  readonly count: number;
  /** Of what `from` led to. */
  readonly share: number;
}

export interface RunFigures {
  readonly run: string;
  readonly status: string;
  readonly figures: Figures;
  readonly flags: readonly Figure[];
}

export interface Batch {
  readonly runs: number;
  /** How many ended how. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly figures: Figures;
  readonly flags: readonly Figure[];
  /** The most frequent first. */
  readonly transitions: readonly Transition[];
}

/** What a batch did otherwise than its baseline. */
export interface Comparison {
  /** The figures of the batch less those of the baseline. */
  readonly changes: Figures;
  /** Of all transitions, how much each has gained or lost; the largest change first. */
  readonly transitions: readonly { readonly from: string; readonly to: string; readonly change: number }[];
}

export interface Health {
  readonly ok: boolean;
  readonly thresholds: Figures;
  readonly batch: Batch;
  readonly runs: readonly RunFigures[];
  readonly comparison?: Comparison;
}

/** What of an earlier batch is compared with. */
export type Baseline = Pick<Batch, 'figures' | 'transitions'>;

/** Without a baseline each run is compared with all of `receipts`. The order of `receipts` matters to nothing but that of `runs`. */
export function runHealth(receipts: readonly RunReceipt[], baseline?: Baseline): Health {
  const counts = tally(receipts);
  const usual = baseline === undefined ? counts : new Map(baseline.transitions.map((one) => [keyOf(one), one]));
  const runs = receipts.map((receipt): RunFigures => {
    const figures = figuresOf([receipt], tally([receipt]), usual);
    return { run: receipt.run, status: receipt.status, figures, flags: flagsOf(figures) };
  });
  const figures = figuresOf(receipts, counts, usual);
  const batch: Batch = {
    runs: receipts.length,
    statuses: statusesOf(receipts),
    figures,
    flags: flagsOf(figures),
    transitions: transitionsOf(counts),
  };
  const ok = batch.flags.length === 0 && runs.every(({ flags }) => flags.length === 0);
  const health = { ok, thresholds: THRESHOLDS, batch, runs };
  return baseline === undefined ? health : { ...health, comparison: compared(batch, counts, baseline, usual) };
}

interface Count {
  readonly from: string;
  readonly to: string;
  readonly count: number;
}
type Counts = ReadonlyMap<string, Count>;

function keyOf({ from, to }: Pick<Count, 'from' | 'to'>): string {
  // No id of a step has a space.
  return `${from} ${to}`;
}

/** The transitions of paths; those of different runs do not join. */
function tally(receipts: readonly RunReceipt[]): Counts {
  const counts = new Map<string, Count>();
  for (const { path } of receipts) {
    for (const [nth, { step: to }] of path.entries()) {
      const from = path[nth - 1]?.step;
      if (from === undefined) continue;
      const key = keyOf({ from, to });
      counts.set(key, { from, to, count: (counts.get(key)?.count ?? 0) + 1 });
    }
  }
  return counts;
}

function figuresOf(receipts: readonly RunReceipt[], counts: Counts, usual: Counts): Figures {
  const calls = receipts.flatMap((receipt) => receipt.calls);
  const done = calls.filter(
    (call) => !isUndo(call) && !isQuestion(call) && modelNameOf(call.tool) === undefined && wasDone(call.state),
  );
  const attempts = sum(calls.map((call) => call.attempts));
  const pairs = sum(receipts.map(pairsOf));
  const denied = sum(receipts.map(({ denials }) => denials.length));
  return {
    rollbackDensity: Math.min(1, ratio(calls.filter(isUndo).length, done.length)),
    toolChurn: attempts === 0 ? 0 : Math.max(0, 1 - pairs / attempts),
    pathVariance: distance(counts, usual),
    transitionEntropy: entropy(counts),
    deniedShare: ratio(denied, denied + calls.length),
  };
}

function isUndo({ command }: ReceiptCall): boolean {
  return command.startsWith('undo/');
}

function wasDone(state: string): boolean {
  return state === 'succeeded' || state === 'settled-executed';
}

/** Different steps and tools among the calls of one run that may have been sent. */
function pairsOf({ calls }: RunReceipt): number {
  const sent = calls.filter(({ attempts }) => attempts > 0);
  return new Set(sent.map(({ command, tool }) => `${placeOf(command)} ${tool}`)).size;
}

/** A command without its visit and without how often a model was asked: `pay` of `pay/2`, `tell/one` of `tell/1/one#0.1`. */
function placeOf(command: string): string {
  return command.replace(/#.*$/u, '').replaceAll(/\/\d+(?=\/|$)/gu, '');
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

function totalOf(counts: Counts): number {
  return sum([...counts.values()].map(({ count }) => count));
}

/** Total variation distance of both as distributions over transitions; without transitions on one side there is none. */
function distance(counts: Counts, usual: Counts): number {
  const [own, other] = [totalOf(counts), totalOf(usual)];
  if (own === 0 || other === 0) return 0;
  const keys = [...new Set([...counts.keys(), ...usual.keys()])];
  const apart = keys.map((key) => Math.abs((counts.get(key)?.count ?? 0) / own - (usual.get(key)?.count ?? 0) / other));
  return Math.min(1, sum(apart.toSorted((one, another) => one - another)) / 2);
}

/** Of a step given the step before, in bits. */
function entropy(counts: Counts): number {
  const total = totalOf(counts);
  const from = outgoing(counts);
  const bits = [...counts.values()].map(
    ({ from: step, count }) => (count / total) * Math.log2((from.get(step) ?? count) / count),
  );
  // In one order, so that the order of runs does not show in the last digit.
  return sum(bits.toSorted((one, another) => one - another));
}

function outgoing(counts: Counts): ReadonlyMap<string, number> {
  const totals = new Map<string, number>();
  for (const { from, count } of counts.values()) totals.set(from, (totals.get(from) ?? 0) + count);
  return totals;
}

function transitionsOf(counts: Counts): readonly Transition[] {
  const totals = outgoing(counts);
  const transitions = [...counts.values()].map((one) => ({ ...one, share: one.count / (totals.get(one.from) ?? 1) }));
  return transitions.toSorted((one, another) => another.count - one.count || compareText(keyOf(one), keyOf(another)));
}

function compareText(one: string, another: string): number {
  return one < another ? -1 : one > another ? 1 : 0;
}

function statusesOf(receipts: readonly RunReceipt[]): Readonly<Record<string, number>> {
  const statuses = new Map<string, number>();
  for (const { status } of receipts) statuses.set(status, (statuses.get(status) ?? 0) + 1);
  return Object.fromEntries([...statuses].toSorted(([one], [another]) => compareText(one, another)));
}

const FIGURES = Object.keys(THRESHOLDS) as readonly Figure[];

function flagsOf(figures: Figures): readonly Figure[] {
  return FIGURES.filter((name) => figures[name] > THRESHOLDS[name]);
}

function compared({ figures }: Batch, counts: Counts, baseline: Baseline, usual: Counts): Comparison {
  const changes = Object.fromEntries(FIGURES.map((name) => [name, figures[name] - baseline.figures[name]]));
  const [own, other] = [totalOf(counts), totalOf(usual)];
  const shifts = [...new Map([...usual, ...counts])].map(([key, { from, to }]) => {
    const change = ratio(counts.get(key)?.count ?? 0, own) - ratio(usual.get(key)?.count ?? 0, other);
    return { from, to, change };
  });
  const changed = shifts.filter(({ change }) => change !== 0);
  const transitions = changed.toSorted(
    (one, another) => Math.abs(another.change) - Math.abs(one.change) || compareText(keyOf(one), keyOf(another)),
  );
  return { changes: changes as unknown as Figures, transitions };
}

/** A batch that was written as JSON; nothing when it is none. */
export function readBaseline(value: unknown): Baseline | undefined {
  const { figures, transitions } = recordOf(recordOf(value)['batch']);
  const read = FIGURES.map((name) => [name, recordOf(figures)[name]] as const);
  if (!read.every(([, figure]) => isFigure(figure)) || !Array.isArray(transitions)) return undefined;
  const listed = (transitions as readonly unknown[]).map(readTransition);
  if (!listed.every((one) => one !== undefined)) return undefined;
  return { figures: Object.fromEntries(read) as unknown as Figures, transitions: listed };
}

function readTransition(value: unknown): Transition | undefined {
  const { from, to, count, share } = recordOf(value);
  const isOne = typeof from === 'string' && typeof to === 'string' && isFigure(count) && isFigure(share);
  return isOne ? { from, to, count, share } : undefined;
}

function isFigure(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
