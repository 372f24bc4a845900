/** Whether denials that were only counted had reason to be: enough of their kind stand in the log before them. */

import { DENIALS_MAX, DENIALS_SPAN_MS, deniedCode, readRepeated } from '../ledger/denial.ts';
import type { Entry } from '../ledger/entry.ts';
import { parseInstant } from '../value/time.ts';
import { type DeepProblem, textOf, told } from './problem.ts';

/** Principals and codes that are kept, before those are dropped that no count can be about any more. */
const KEPT_MAX = 10_000;

export class Denials {
  /** By principal and code, the times of the last ones that are entries. */
  #recent = new Map<string, number[]>();

  /** The next entry. Which process wrote a denial its entry does not say, so that those of siblings count too. */
  look(entry: Entry, position: number): DeepProblem | undefined {
    const at = parseInstant(entry.at) ?? 0;
    if (entry.type === 'call.denied') this.#add(textOf(entry['principal']), deniedCode(entry) ?? '', at);
    if (entry.type !== 'denial.repeated') return undefined;
    const read = readRepeated(entry);
    // Its form is checked where all forms are.
    if (!read.ok) return undefined;
    const { principal, code, recorded, last } = read.repeated;
    const times = this.#recent.get(keyOf(principal, code)) ?? [];
    const found = times.filter((time) => time > last - DENIALS_SPAN_MS).length;
    const wrong =
      last > at
        ? `expected denials that were counted to come before their entry, got ${told(entry['last'])}`
        : found < recorded
          ? `expected ${recorded} denials ${told(code)} of ${told(principal)} within the minute, got ${found}`
          : undefined;
    return wrong === undefined ? undefined : { code: 'denial-count', message: wrong, entry: position };
  }

  #add(principal: string, code: string, at: number): void {
    const key = keyOf(principal, code);
    const times = this.#recent.get(key) ?? [];
    times.push(at);
    if (times.length > DENIALS_MAX) times.shift();
    this.#recent.set(key, times);
    if (this.#recent.size <= KEPT_MAX) return;
    // What is counted is recorded a moment after its minute.
    this.#recent = new Map([...this.#recent].filter(([, kept]) => (kept.at(-1) ?? 0) > at - 2 * DENIALS_SPAN_MS));
  }
}

function keyOf(principal: string, code: string): string {
  return JSON.stringify([principal, code]);
}
