/** How `interlock test` tells of a case and of coverage: to people with what was expected and why, to programs as JSON. */

import type { PolicyCase } from '../policy/case/case.ts';
import type { CaseOutcome } from '../policy/case/case-outcome.ts';
import type { Difference } from '../policy/case/case-expectation.ts';
import { type Coverage, percentOf } from '../policy/case/coverage.ts';
import type { JsonValue } from '../value/json.ts';
import { ruleLines } from './rule-result.ts';
import { type Terminal, inert, inertJson, writeLine } from './terminal.ts';

/** One case that was run. */
export interface Tried {
  readonly file: string;
  readonly tried: PolicyCase;
  readonly outcome: CaseOutcome;
}

const RULES_SHOWN = 8;
const GAPS_SHOWN = 50;

/** A case that failed, on standard output: where it is, in what the decision differs, and what the rules said. */
export function showFailure(terminal: Terminal, { file, tried, outcome }: Tried): void {
  const { colour, output } = terminal;
  const { line, column } = tried.place;
  const say = (text: string): void => writeLine(output, text);
  say(`${inert(file)}:${line}:${column}: ${colour.red('failed')}: ${inert(tried.name)}`);
  if (tried.why !== undefined) say(`  ${inert(tried.why)}`);
  for (const difference of outcome.differences) {
    say(`  ${difference.member}: expected ${shown(difference.expected)}, came ${shown(difference.came)}`);
  }
  say(`  ${inert(outcome.decision.explanation)}`);
  if (outcome.decision.nearest !== undefined) say(`  ${inert(outcome.decision.nearest.text)}`);
  for (const key of outcome.unread) say(`  the policy needs no fact \`${inert(key)}\` for this request`);
  for (const result of telling(outcome.differences, outcome.results).slice(0, RULES_SHOWN)) {
    for (const text of ruleLines(terminal, result)) say(`    ${text}`);
  }
  say('');
}

/** The rules that matched, and those that were expected to: by their ids, or by their effect. */
function telling(differences: readonly Difference[], results: CaseOutcome['results']): CaseOutcome['results'] {
  const expected = new Map(differences.map((difference) => [difference.member, difference.expected]));
  const rules = expected.get('rules');
  const wanted: ReadonlySet<JsonValue> = new Set(Array.isArray(rules) ? rules : []);
  const chosen = results.filter(
    ({ rule, effect, matched }) => matched || wanted.has(rule) || effect === expected.get('effect'),
  );
  return chosen.length > 0 ? chosen : results;
}

function shown(value: JsonValue): string {
  return typeof value === 'string' ? inert(value) : inertJson(value);
}

/** What no case has exercised, with its place in the policy. */
export function showCoverage(terminal: Terminal, file: string, { gaps }: Coverage): void {
  for (const { place, text } of gaps.slice(0, GAPS_SHOWN)) {
    writeLine(terminal.output, `${inert(file)}:${place.line}:${place.column}: ${inert(text)}`);
  }
  if (gaps.length > GAPS_SHOWN) writeLine(terminal.output, `${inert(file)}: and ${gaps.length - GAPS_SHOWN} more`);
}

export function toldCase({ file, tried, outcome }: Tried): JsonValue {
  const { effect, code, rules } = outcome.decision;
  const { name, place } = tried;
  const differences = outcome.differences.map((each) => ({ ...each }));
  const ok = differences.length === 0;
  return { file, line: place.line, column: place.column, name, ok, effect, code, rules, differences };
}

export function toldCoverage(file: string, coverage: Coverage): JsonValue {
  const rules = coverage.rules.map(({ rule, effect, place, matched, unmatched, clauses }) => ({
    rule,
    effect,
    line: place.line,
    column: place.column,
    matched,
    unmatched,
    clauses: clauses.map(({ text, place: at, ...counts }) => ({ text, line: at.line, column: at.column, ...counts })),
  }));
  return { file, percent: percentOf(coverage), rules };
}
