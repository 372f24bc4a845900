/** What one rule said of a call, for people: whether it matched, and each clause. */

import type { ClauseResult, RuleResult } from '../policy/decide/decision.ts';
import { type Terminal, inert } from './terminal.ts';

/** The rule on its own line, then its clauses. */
export function ruleLines(
  { colour }: Pick<Terminal, 'colour'>,
  { rule, effect, matched, because, error, clauses }: RuleResult,
): string[] {
  const how = matched ? (error === undefined ? 'matches' : 'matches, because it errs') : 'does not match';
  const lines = [`${inert(rule)}: ${effect} ${how}${because === undefined ? '' : `: ${inert(because)}`}`];
  if (clauses.length === 0) lines.push('  always');
  for (const clause of clauses) lines.push(`  ${clauseLine(colour, clause)}`);
  // What errs as a whole although no clause does has run out of steps.
  const whole = error !== undefined && clauses.every(({ result }) => result !== 'error');
  if (whole) lines.push(`  error: ${inert(error)}`);
  return lines;
}

function clauseLine(colour: Terminal['colour'], { text, result, error }: ClauseResult): string {
  const shown = inert(text.replaceAll(/\s+/gu, ' '));
  if (result === 'error') return `${colour.yellow('error')}  ${shown}: ${inert(error ?? '')}`;
  return `${result ? colour.green('true ') : colour.red('false')}  ${shown}`;
}
