/** Problems as a person reads them: in the order of the file, and never so many that nobody would. */

import type { Issue } from '../value/issue.ts';

/** What a person can read of one file; the rest is counted. */
const ISSUES_MAX = 200;

/** The issues in the order of the file; of very many the first, errors before warnings, and how many more there are. */
export function issueList(issues: readonly Issue[]): readonly Issue[] {
  if (issues.length <= ISSUES_MAX) return issues.toSorted(byPlace);
  const ranked = issues.toSorted((a, b) => a.severity.localeCompare(b.severity) || byPlace(a, b));
  const told = ranked.slice(0, ISSUES_MAX).toSorted(byPlace);
  const [next, ...rest] = ranked.slice(ISSUES_MAX);
  if (next === undefined) return told;
  const { hint: _, ...where } = next;
  return [...told, { ...where, code: 'too-many-problems', message: `${rest.length + 1} more problems` }];
}

function byPlace(a: Issue, b: Issue): number {
  return a.line - b.line || a.column - b.column;
}
