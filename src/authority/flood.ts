/** Keeps a flood of denials out of the log: the first of a minute are entries, the others are counted. */

import assert from 'node:assert/strict';
import { DENIALS_MAX, DENIALS_SPAN_MS, DENIED_TOOLS_MAX } from '../ledger/denial.ts';
import type { EntryDraft } from '../ledger/entry.ts';
import { type Composition, type Ledger, LedgerError } from '../ledger/ledger.ts';
import type { Code } from '../policy/decide/code.ts';
import { formatInstant } from '../value/time.ts';
import type { World } from '../world/world.ts';
import { draft, recordedTool } from './draft.ts';

/** Spans that are under way, and spans that are over and not yet recorded, each: whoever makes up principals gets no memory for it. */
const SPANS_MAX = 1_024;
/** Entries that are written at once. */
const WRITTEN_MAX = 64;

/** A denial that is about to be recorded. */
export interface Denial {
  readonly principal: string;
  readonly code: Code;
  readonly tool: string;
}

/**
 * Whether the denial is to be an entry; else it is counted. `at` is the ledger's time. For one call it may be asked
 * again, as a transaction that is composed again does: the last answer holds.
 */
export type Admits = (denial: Denial, at: number) => boolean;

/** One process's account of what it denied, each principal and code for itself. */
export interface Floods {
  /** Runs what may deny one call. What it was told counts once `deny` resolves, and not when it rejects. */
  denying<T>(deny: (admits: Admits) => Promise<T>): Promise<T>;
  /**
   * Records what was only counted: of the spans that are over, or of all, before the process ends; resolves with how many
   * entries that took. Throws `LedgerError`: then it is counted on and recorded another time. A crash loses the counts
   * that are not recorded yet, which is what was denied beyond the entries within the last minute.
   */
  tell(which: 'over' | 'all'): Promise<number>;
}

/** At most a minute, of one principal and code. */
interface Span {
  readonly principal: string;
  readonly code: Code;
  /** The time of its first entry in the log, milliseconds since the epoch. */
  since: number;
  /** Its beginning on the monotonic clock: a wall clock that went back must not prolong it. */
  readonly began: number;
  /** Entries that may have been written, and those that certainly were. */
  taken: number;
  recorded: number;
  /** Calls whose transaction is under way. */
  open: number;
  count: number;
  first: number;
  last: number;
  readonly tools: Set<string>;
  toolsMore: boolean;
}

interface Placed {
  readonly span: Span;
  readonly isEntry: boolean;
  readonly tool: string;
  readonly at: number;
}

export function watchFloods(ledger: Ledger, world: World): Floods {
  const spans = createSpans(world);
  return {
    denying: async (deny) => {
      let placed: Placed | undefined;
      let isSettled = false;
      const admits: Admits = (denial, at) => {
        // Of a commit that lands when nobody waits for it any more, the last answer holds.
        if (!isSettled) {
          if (placed !== undefined) release(placed);
          placed = spans.place(denial, at);
        }
        return placed?.isEntry ?? true;
      };
      try {
        const result = await deny(admits);
        isSettled = true;
        if (placed !== undefined) land(placed);
        return result;
      } catch (error) {
        isSettled = true;
        // What may have landed keeps its place.
        const isUnsure = error instanceof LedgerError && error.code === 'outcome-unknown';
        if (placed !== undefined) release(placed, isUnsure);
        throw error;
      }
    },
    tell: async (which) => {
      let told = 0;
      for (;;) {
        const due = spans.take(which);
        if (due.length === 0) return told;
        try {
          await record(ledger, world, due);
        } catch (error) {
          // What may be in the log already is not told twice.
          if (!(error instanceof LedgerError) || error.code !== 'outcome-unknown') spans.putBack(due);
          throw error;
        }
        told += due.length;
      }
    },
  };
}

interface Spans {
  /** Nothing where no further span can be kept: then the denial is an entry, and counts for none. */
  place(denial: Denial, at: number): Placed | undefined;
  /** Some of those with a count, which are from now on not kept here. */
  take(which: 'over' | 'all'): readonly Span[];
  putBack(spans: readonly Span[]): void;
}

function createSpans(world: World): Spans {
  /** In the order in which they began. */
  const running = new Map<string, Span>();
  let over: Span[] = [];

  const isOver = ({ since, began }: Span, at: number): boolean =>
    at - since >= DENIALS_SPAN_MS || world.monotonic() - began >= DENIALS_SPAN_MS;
  const end = (key: string, span: Span): void => {
    running.delete(key);
    if (span.count > 0 || span.open > 0) over.push(span);
  };
  const sweep = (at: number): void => {
    for (const [key, span] of running) {
      if (!isOver(span, at)) break;
      end(key, span);
    }
  };
  const begin = (key: string, { principal, code }: Denial, at: number): Span | undefined => {
    // They wait for a ledger that takes nothing: then it takes no denials either.
    if (over.length >= SPANS_MAX) return undefined;
    const [oldest] = running;
    if (running.size >= SPANS_MAX && oldest !== undefined) end(...oldest);
    const none = { taken: 0, recorded: 0, open: 0, count: 0, first: at, last: at, toolsMore: false };
    const span = { principal, code, since: at, began: world.monotonic(), ...none, tools: new Set<string>() };
    running.set(key, span);
    return span;
  };

  return {
    place: (denial, at) => {
      const key = JSON.stringify([denial.principal, denial.code]);
      const known = running.get(key);
      if (known !== undefined && isOver(known, at)) end(key, known);
      const span = running.get(key) ?? begin(key, denial, at);
      if (span === undefined) return undefined;
      const isEntry = span.taken < DENIALS_MAX;
      if (isEntry) {
        span.taken += 1;
        span.since = Math.min(span.since, at);
      }
      span.open += 1;
      return { span, isEntry, tool: denial.tool, at };
    },
    take: (which) => {
      sweep(world.now());
      if (which === 'all') for (const [key, span] of running) end(key, span);
      const due = over.filter(({ open, count }) => open === 0 && count > 0).slice(0, WRITTEN_MAX);
      over = over.filter((span) => !due.includes(span) && (span.open > 0 || span.count > 0));
      return due;
    },
    putBack: (spans) => void over.push(...spans),
  };
}

/** The transaction did not come to what was composed; `isUnsure` where it may have. */
function release({ span, isEntry }: Placed, isUnsure = false): void {
  span.open -= 1;
  if (isEntry && !isUnsure) span.taken -= 1;
}

function land({ span, isEntry, tool, at }: Placed): void {
  span.open -= 1;
  if (isEntry) {
    span.recorded += 1;
    return;
  }
  span.first = span.count === 0 ? at : Math.min(span.first, at);
  span.last = span.count === 0 ? at : Math.max(span.last, at);
  span.count += 1;
  const name = recordedTool(tool);
  if (name === '' || span.tools.has(name)) return;
  if (span.tools.size < DENIED_TOOLS_MAX) span.tools.add(name);
  else span.toolsMore = true;
}

/** A crash leaves all of these entries or none. */
function record(ledger: Ledger, world: World, spans: readonly Span[]): Promise<void> {
  assert(spans.length > 0, 'expected something that was counted');
  return ledger.transact({}, ({ at }): Composition<void> => {
    return { writes: { entries: spans.map((span) => repeatedDraft(ledger, world, span, at)) }, result: undefined };
  });
}

/** What a clock that jumped meanwhile said is brought within the span, and before the entry. */
function repeatedDraft({ instance }: Ledger, world: World, span: Span, at: number): EntryDraft {
  const { principal, code, count, recorded, since, tools, toolsMore } = span;
  const within = (time: number): number => Math.min(Math.max(time, since), since + DENIALS_SPAN_MS - 1, at);
  return draft(world, 'denial.repeated', {
    instance,
    principal,
    code,
    count,
    recorded,
    first: formatInstant(within(span.first)),
    last: formatInstant(within(span.last)),
    tools: [...tools],
    ...(toolsMore ? { toolsMore } : {}),
  });
}
