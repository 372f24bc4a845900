/** `interlock runs --health`: figures of the recorded runs, which of them are flagged, and what changed since a baseline. */

import { type Baseline, type Figure, type Health, THRESHOLDS, readBaseline, runHealth } from '../audit/run-health.ts';
import { type Placed, runReceipts } from '../audit/run-receipt.ts';
import { parseEntry } from '../ledger/entry.ts';
import { openReader } from '../ledger/sqlite/reader.ts';
import type { LogEntry } from '../ledger/verify/verify.ts';
import { fromUtf8 } from '../value/encoding.ts';
import { parseJson } from '../value/json.ts';
import { systemWorld } from '../world/system.ts';
import { type CommonOptions, dataDirectory, requireNamed } from './configuration.ts';
import { CliError, EXIT, type ExitCode } from './exit.ts';
import { readNamed } from './file.ts';
import { counted } from './issues.ts';
import { withProgress } from './progress.ts';
import { type Terminal, inert, inertJson, writeLine } from './terminal.ts';

export interface RunsHealthOptions extends CommonOptions {
  /** Only runs of the program with this name. */
  readonly program?: string;
  /** What an earlier `--health --json` wrote. */
  readonly baseline?: string;
}

const BASELINE_BYTES_MAX = 64 * 1024 * 1024;
const TRANSITIONS_SHOWN = 10;
const RUNS_SHOWN = 20;
const NAMES: Readonly<Record<Figure, string>> = {
  rollbackDensity: 'rollback density',
  toolChurn: 'tool churn',
  pathVariance: 'path variance',
  transitionEntropy: 'transition entropy, bits',
  deniedShare: 'denied share',
};
const FIGURES = Object.keys(THRESHOLDS) as readonly Figure[];

export async function runsHealth(terminal: Terminal, options: RunsHealthOptions): Promise<ExitCode> {
  await requireNamed(terminal, options);
  const baseline = options.baseline === undefined ? undefined : await readSaved(terminal, options.baseline);
  using reader = openReader(dataDirectory(terminal, options));
  const leaves = withProgress(reader.leaves(), reader.head().frontier.size, terminal, systemWorld);
  const { program } = options;
  const receipts = runReceipts(placed(leaves), ({ name }) => program === undefined || name === program);
  const [first] = receipts;
  if (first === undefined) {
    const of = program === undefined ? '' : ` of program \`${program}\``;
    throw new CliError('usage', `no run${of} is recorded here`, { hint: 'interlock run FILE starts one' });
  }
  const health = runHealth(receipts, baseline);
  if (options.json) writeLine(terminal.output, inertJson(health));
  else show(terminal, health);
  return health.ok ? EXIT.ok : EXIT.wrong;
}

/** The entries of leaves; what is none `verify` tells. */
function* placed(leaves: Iterable<LogEntry>): Generator<Placed, void> {
  for (const { position, leaf } of leaves) {
    const parsed = parseEntry(leaf);
    if (parsed.ok) yield [position, parsed.value];
  }
}

async function readSaved(terminal: Terminal, file: string): Promise<Baseline> {
  const text = fromUtf8(await readNamed(terminal, file, BASELINE_BYTES_MAX));
  const parsed = parseJson(text ?? '', { bytesMax: BASELINE_BYTES_MAX, nodesMax: 10_000_000 });
  const baseline = parsed.ok ? readBaseline(parsed.value) : undefined;
  if (baseline !== undefined) return baseline;
  throw new CliError('unreadable', `\`${file}\` holds no figures of runs`, {
    hint: 'interlock runs --health --json writes them',
  });
}

function show({ output, colour }: Terminal, { batch, runs, comparison, ok }: Health): void {
  const ends = Object.entries(batch.statuses).map(([status, count]) => `${count} ${inert(status)}`);
  writeLine(output, `${counted(batch.runs, 'run')}: ${ends.join(', ')}`);
  for (const name of FIGURES) {
    const change = comparison?.changes[name];
    const since = change === undefined ? '' : `  ${change < 0 ? '' : '+'}${told(change)} since the baseline`;
    const line = `  ${NAMES[name].padEnd(26)} ${told(batch.figures[name])}  flagged above ${THRESHOLDS[name]}${since}`;
    writeLine(output, batch.flags.includes(name) ? colour.yellow(line) : line);
  }
  for (const { from, to, count, share } of batch.transitions.slice(0, TRANSITIONS_SHOWN)) {
    writeLine(
      output,
      `  ${inert(from)} → ${inert(to)}  ${count} times, ${percent(share)} of what follows ${inert(from)}`,
    );
  }
  for (const { from, to, change } of comparison?.transitions.slice(0, TRANSITIONS_SHOWN) ?? []) {
    const sign = change < 0 ? '' : '+';
    writeLine(output, `  ${inert(from)} → ${inert(to)}  ${sign}${percent(change)} of all since the baseline`);
  }
  const flagged = runs.filter(({ flags }) => flags.length > 0);
  for (const { run, status, figures, flags } of flagged.slice(0, RUNS_SHOWN)) {
    const why = flags.map((name) => `${NAMES[name]} ${told(figures[name])}`);
    writeLine(output, colour.yellow(`  run ${inert(run)}, ${inert(status)}: ${why.join(', ')}`));
  }
  if (flagged.length > RUNS_SHOWN) writeLine(output, `  and ${counted(flagged.length - RUNS_SHOWN, 'more run')}`);
  writeLine(
    output,
    ok ? colour.green('nothing is flagged') : colour.yellow(`${counted(flagged.length, 'run')} flagged`),
  );
}

function told(figure: number): string {
  return figure.toFixed(3);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
