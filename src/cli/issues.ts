/** How problems in documents are shown: to people with the line and a caret, to programs as JSON. */

import { type Issue, renderIssue } from '../value/issue.ts';
import { type Terminal, inert, writeLine } from './terminal.ts';

/** An issue with all its members, as `--json` prints it. */
export interface ToldIssue {
  readonly code: string;
  readonly severity: Issue['severity'];
  readonly message: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly hint: string | null;
}

/** Each issue on standard error; `file` is named where an issue names none, `source` is the text it is in. */
export function showIssues(terminal: Terminal, issues: readonly Issue[], file: string, source?: string): void {
  for (const issue of issues) {
    const { message, hint } = issue;
    const safe = { ...issue, file: inert(issue.file ?? file), message: inert(message) };
    writeLine(terminal.errors, renderIssue(hint === undefined ? safe : { ...safe, hint: inert(hint) }, source));
  }
}

export function toldIssues(issues: readonly Issue[], file: string): ToldIssue[] {
  return issues.map(({ code, severity, message, line, column, ...rest }) => ({
    code,
    severity,
    message,
    file: rest.file ?? file,
    line,
    column,
    hint: rest.hint ?? null,
  }));
}

/** Whether what the issues are about must not be used. */
export function forbidUse(issues: readonly Issue[]): boolean {
  return issues.some((issue) => issue.severity === 'error');
}

/** The first error with its place, in one line. */
export function firstError(issues: readonly Issue[], file: string): string {
  const error = issues.find((issue) => issue.severity === 'error');
  if (error === undefined) return 'no reason was given';
  return `${error.file ?? file}:${error.line}:${error.column}: ${error.message}`;
}

/** `1 error`, `2 errors`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}
