/** Measuring and printing, shared by the benchmarks: latencies, the raw disk, and rows with their base. */

import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';

const MEASURE_MS = 2_000;
/** The disk is measured anew before each row: on a shared machine it is another one every minute. */
const DISK_MS = 500;

export interface Measured {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

/** What this was measured on. */
export function machine(): string {
  const cpu = cpus();
  const load = loadavg()[0]?.toFixed(1);
  const runs = `Node ${process.version}, SQLite ${process.versions.sqlite}`;
  return `${cpu.length} × ${cpu[0]?.model ?? 'unknown'}, ${runs}, load ${load} before`;
}

function summary(latenciesMs: readonly number[], elapsedMs: number): Measured {
  const sorted = latenciesMs.toSorted((left, right) => left - right);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  return { perSecond: (sorted.length / elapsedMs) * 1_000, p50: at(0.5), p99: at(0.99) };
}

/** A write of 4 KiB and its fdatasync, over and over: the least that one durable write can take here. */
export function measureDisk(directory: string): Measured {
  const { latencies, elapsedMs } = writeRaw(directory, DISK_MS);
  return summary(latencies, elapsedMs);
}

/** What `measure` measured, and the raw disk before and after it: on a shared machine it changes meanwhile. */
export async function measureBeside(
  directory: string,
  measure: () => Promise<Measured>,
): Promise<{ readonly measured: Measured; readonly base: Measured }> {
  const before = writeRaw(directory, DISK_MS / 2);
  const measured = await measure();
  const after = writeRaw(directory, DISK_MS / 2);
  const base = summary([...before.latencies, ...after.latencies], before.elapsedMs + after.elapsedMs);
  return { measured, base };
}

function writeRaw(directory: string, forMs: number): { readonly latencies: number[]; readonly elapsedMs: number } {
  const fd = openSync(join(directory, 'raw'), 'w');
  const page = new Uint8Array(4_096);
  const latencies: number[] = [];
  const start = performance.now();
  while (performance.now() - start < forMs) {
    const before = performance.now();
    writeSync(fd, page);
    fdatasyncSync(fd);
    latencies.push(performance.now() - before);
  }
  const elapsedMs = performance.now() - start;
  closeSync(fd);
  return { latencies, elapsedMs };
}

/** Callers that each wait for their own write before the next one. */
export async function measureCallers(callers: number, write: () => Promise<void>): Promise<Measured> {
  const latencies: number[] = [];
  const start = performance.now();
  const caller = async (): Promise<void> => {
    while (performance.now() - start < MEASURE_MS) {
      const before = performance.now();
      await write();
      latencies.push(performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return summary(latencies, performance.now() - start);
}

function ms(value: number): string {
  return `${value.toFixed(3).padStart(9)} ms`;
}

/** One line: rate, latencies, and the ratio of the median to `base`. */
export function row(name: string, { perSecond, p50, p99 }: Measured, base: Measured, more = ''): void {
  const ratio = `${(p50 / base.p50).toFixed(1)}×`.padStart(7);
  const disk = `base p50 ${base.p50.toFixed(3)} ms`;
  console.log(
    `${name.padEnd(34)}${perSecond.toFixed(0).padStart(9)}/s  p50${ms(p50)} ${ratio}  p99${ms(p99)}  ${disk}${more}`,
  );
}
