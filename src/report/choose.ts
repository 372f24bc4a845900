/** Which entries of a log go into a report: those of the last calls, and what happened around them. */

import { member, textOf } from '../audit/problem.ts';
import { isDecision } from '../audit/recorded-call.ts';
import { runOf } from '../authority/asked.ts';
import type { Entry } from '../ledger/entry.ts';
import { isRunType } from '../ledger/run.ts';
import type { Told } from './page/told.ts';

/** What one page holds at most: a browser opens it in a moment, and a reader can go through it. */
export interface PageLimits {
  readonly decisions: number;
  /** About no single call. */
  readonly events: number;
  /** Of the entries of decisions, and of the policies that they name. */
  readonly bytes: number;
}

const PAGE_LIMITS: PageLimits = { decisions: 2_000, events: 500, bytes: 16 * 1024 * 1024 };

interface Candidate {
  readonly call: string;
  readonly policy: string;
  readonly bytes: number;
}

/** What happens to people's data later is of a session that is over, too. */
const LASTING = /^(?:erasure|hold|disclosure|key)\./u;

/**
 * Looks through a log in order, then says of each entry whether it is on the page. Keeps the last decisions of what `of`
 * names, a session, a run or a call, without it of everything; memory for what is on the page, however long the log is.
 */
export class Choice {
  readonly #of: string | undefined;
  readonly #limits: PageLimits;
  readonly #decisions: Candidate[] = [];
  /** How many candidates each call has. */
  readonly #calls = new Map<string, number>();
  readonly #events: number[] = [];
  /** Events since the last entry of what the page is of: on it only when it goes on. */
  #pending: number[] = [];
  readonly #contents = new Map<string, { readonly positions: number[]; bytes: number }>();
  #bytes = 0;
  #chosen: ReadonlySet<number> = new Set();
  readonly #found = { allow: 0, ask: 0, deny: 0 };
  #eventsLeft = 0;

  constructor(of: string | undefined, limits: PageLimits = PAGE_LIMITS) {
    this.#of = of;
    this.#limits = limits;
  }

  /** The first time through: all entries, in order. `bytes`: how long the leaf is. */
  look(entry: Entry, position: number, bytes: number): void {
    const call = textOf(entry['call']);
    if (entry.type === 'policy.content') return this.#content(entry, position, bytes);
    if (entry.type === 'program.content') return;
    if (isRunType(entry.type) && this.#of !== undefined) {
      if (runOf(entry) === this.#of) this.#keep([position]);
      return;
    }
    const effect = effectOf(entry);
    if (effect !== undefined && this.#isOf(entry)) {
      this.#found[effect] += 1;
      this.#decide({ call, bytes, policy: textOf(member(entry['policy'], 'digest')) });
    }
    if (!entry.type.startsWith('call.')) this.#event(entry, position);
    else if (this.#calls.has(call)) this.#goOn();
  }

  /** Whether a decision of what the page is of was found. */
  get hasCalls(): boolean {
    return this.#decisions.length > 0;
  }

  /** Once all was looked at: whether the entry is on the page. */
  isChosen(entry: Entry, position: number): boolean {
    if (this.#chosen.size === 0) this.#chosen = new Set([...this.#events, ...this.#policies()]);
    return this.#chosen.has(position) || (entry.type.startsWith('call.') && this.#calls.has(textOf(entry['call'])));
  }

  /** What of all that was found is not among the entries of the page. */
  leftBeside(onPage: readonly Entry[]): Told['left'] {
    const decisions = { ...this.#found };
    for (const entry of onPage) {
      const effect = effectOf(entry);
      if (effect !== undefined && this.#isOf(entry)) decisions[effect] -= 1;
    }
    return { decisions, events: this.#eventsLeft };
  }

  #isOf(entry: Entry): boolean {
    return (
      this.#of === undefined || textOf(entry['call']) === this.#of || textOf(member(entry['run'], 'id')) === this.#of
    );
  }

  #decide(candidate: Candidate): void {
    this.#decisions.push(candidate);
    this.#calls.set(candidate.call, (this.#calls.get(candidate.call) ?? 0) + 1);
    this.#bytes += candidate.bytes;
    while (this.#decisions.length > this.#limits.decisions || this.#bytes > this.#limits.bytes) {
      const dropped = this.#decisions.shift();
      if (dropped === undefined) return;
      this.#bytes -= dropped.bytes;
      const others = (this.#calls.get(dropped.call) ?? 0) - 1;
      if (others > 0) this.#calls.set(dropped.call, others);
      else this.#calls.delete(dropped.call);
    }
  }

  #event({ type }: Entry, position: number): void {
    if (this.#of === undefined || (this.hasCalls && LASTING.test(type))) this.#keep([position]);
    else this.#pending.push(position);
    // Before the first call only what was in force then is worth telling.
    const max = this.hasCalls ? this.#limits.events : 1;
    if (this.#pending.length > max) this.#pending = this.#pending.slice(-max);
  }

  #goOn(): void {
    if (this.#pending.length === 0) return;
    this.#keep(this.#pending);
    this.#pending = [];
  }

  #keep(positions: readonly number[]): void {
    this.#events.push(...positions);
    while (this.#events.length > this.#limits.events) {
      this.#events.shift();
      this.#eventsLeft += 1;
    }
  }

  #content({ content }: Entry, position: number, bytes: number): void {
    const known = this.#contents.get(textOf(content)) ?? { positions: [], bytes: 0 };
    known.positions.push(position);
    known.bytes += bytes;
    this.#contents.set(textOf(content), known);
  }

  /** The texts of the policies that decided, as many as there is room for. */
  #policies(): readonly number[] {
    const found: number[] = [];
    let room = this.#limits.bytes;
    for (const digest of new Set(this.#decisions.map(({ policy }) => policy).reverse())) {
      const content = this.#contents.get(digest);
      if (content === undefined || content.bytes > room) continue;
      room -= content.bytes;
      found.push(...content.positions);
    }
    return found;
  }
}

const EFFECTS = ['allow', 'ask', 'deny'] as const;

/** How an entry of a call was decided; nothing of other entries. */
function effectOf(entry: Entry): (typeof EFFECTS)[number] | undefined {
  if (!isDecision(entry) || textOf(entry['call']) === '') return undefined;
  return EFFECTS.find((effect) => effect === member(entry['policy'], 'effect'));
}
