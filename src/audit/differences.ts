/** What a changed policy would change: every recorded call decided under both, on the recorded clock and counters. */

import type { Configuration } from '../policy/document/configuration.ts';
import type { Decision } from '../policy/decide/decision.ts';
import { decideUnder, isDecidable } from './decide-under.ts';
import { type Recording, decisionsAndCounts } from './recording.ts';
import type { Said } from './replay.ts';

/** Entries that are named of each change. */
const EXAMPLES_MAX = 5;

/** Calls of one tool that are decided otherwise in one way; the same answer by another rule is none. */
export interface Change {
  readonly tool: string;
  readonly before: Said;
  readonly after: Said;
  readonly calls: number;
  /** The first of them. */
  readonly entries: readonly number[];
}

export interface Differences {
  /** Calls that were decided under both. */
  readonly decided: number;
  /** Calls that no policy decides, whose arguments are gone, or that were denied and only counted. */
  readonly passed: number;
  /** The most calls first. */
  readonly changes: readonly Change[];
  /** Calls of which a denial becomes an allowance. */
  readonly allowed: number;
}

/** Decides the calls of `recording` from `since` on, milliseconds since the epoch. */
export function differences(
  recording: Recording,
  before: Configuration,
  after: Configuration,
  since?: number,
): Differences {
  const changes = new Map<string, { -readonly [K in keyof Change]: Change[K] }>();
  let [decided, passed, allowed] = [0, 0, 0];
  for (const item of decisionsAndCounts(recording, since)) {
    if (item.kind === 'counted') {
      passed += item.count;
      continue;
    }
    if (!isDecidable(item)) {
      passed += 1;
      continue;
    }
    decided += 1;
    const [then, now] = [saidOf(decideUnder(item, before)), saidOf(decideUnder(item, after))];
    if (then.effect === now.effect && then.code === now.code) continue;
    if (then.effect === 'deny' && now.effect === 'allow') allowed += 1;
    const { tool } = item.recorded.request;
    const key = JSON.stringify([tool, then, now]);
    const known = changes.get(key) ?? { tool, before: then, after: now, calls: 0, entries: [] };
    known.calls += 1;
    if (known.entries.length < EXAMPLES_MAX) known.entries = [...known.entries, item.recorded.position];
    changes.set(key, known);
  }
  return { decided, passed, changes: [...changes.values()].sort((a, b) => b.calls - a.calls), allowed };
}

/** A policy that does not load over the recorded tools denies. */
function saidOf(decision: Decision | undefined): Said {
  if (decision === undefined) return { effect: 'deny', code: 'policy-invalid', rules: [] };
  const { effect, code, rules } = decision;
  return { effect, code, rules };
}
