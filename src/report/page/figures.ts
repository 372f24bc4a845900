/** The figures of a report, all counted from the entries it holds. Pure. */

import { numberIn } from './fields.ts';
import { STATE_ORDER } from './meaning.ts';
import type { CallState, Recorded, Story } from './story.ts';
import { decisionIn, isDecision } from './story.ts';

export interface Figures {
  readonly entries: number;
  readonly calls: number;
  /** Decisions by effect; a call that waits for an approval is decided more than once. */
  readonly decisions: { readonly allow: number; readonly ask: number; readonly deny: number };
  /** How the calls stand, those states that occur. */
  readonly states: Readonly<Partial<Record<CallState, number>>>;
  /** Denials beside them that were only counted. */
  readonly counted: number;
  readonly approvals: number;
  /** Distinct tools, principals and sessions. */
  readonly tools: number;
  readonly principals: number;
  readonly sessions: number;
  /** Of the first and the last entry, milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
}

export function figuresOf({ entries, calls, events }: Story): Figures {
  const decided = entries.filter(isDecision).map((entry) => decisionIn(entry).effect);
  const of = (effect: string): number => decided.filter((one) => one === effect).length;
  const states = STATE_ORDER.map((state) => [state, calls.filter((call) => call.state === state).length] as const);
  const about = calls.length === 0 ? entries : calls.flatMap((call) => call.entries);
  const times = about.map(({ at }) => at);
  return {
    entries: entries.length,
    calls: calls.length,
    decisions: { allow: of('allow'), ask: of('ask'), deny: of('deny') },
    counted: events.reduce((sum, event) => sum + countedIn(event), 0),
    states: Object.fromEntries(states.filter(([, n]) => n > 0)),
    approvals: entries.filter(({ type }) => type === 'call.approved').length,
    tools: new Set(calls.map(({ tool }) => tool)).size,
    principals: new Set(calls.map(({ principal }) => principal)).size,
    sessions: new Set(calls.map(({ session }) => session)).size,
    from: times.reduce((least, at) => Math.min(least, at), times[0] ?? 0),
    to: times.reduce((most, at) => Math.max(most, at), 0),
  };
}

function countedIn({ type, fields }: Recorded): number {
  return type === 'denial.repeated' ? (numberIn(fields, 'count') ?? 0) : 0;
}
