/** Located problems in documents people write, and how they are shown. */

/** A position in a text: both numbers count from 1, `column` in Unicode code points. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** One problem with a document. Only issues of severity `error` stop it from being used. */
export interface Issue extends Place {
  readonly code: string;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly file?: string;
  readonly hint?: string;
  /** The line it stands on, for an issue of another document than the one that is shown with it. */
  readonly excerpt?: string;
}

/** One problem at a place of `file`. */
export function issueAt(
  file: string,
  severity: Issue['severity'],
  { line, column }: Place,
  code: string,
  message: string,
  hint?: string,
): Issue {
  const issue = { code, severity, message, file, line, column };
  return hint === undefined ? issue : { ...issue, hint };
}

/** What parsing and checking return: a value, or the reasons why there is none. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T; readonly issues: readonly Issue[] }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/** The place of UTF-16 `offset` in `source`; an offset past the end is the end. Takes no memory however long the line. */
export function placeAt(source: string, offset: number): Place {
  const end = Math.min(offset, source.length);
  const lineStart = end === 0 ? 0 : source.lastIndexOf('\n', end - 1) + 1;
  let line = 1;
  for (let at = source.indexOf('\n'); at !== -1 && at < lineStart; at = source.indexOf('\n', at + 1)) line += 1;
  let column = 1;
  for (let at = lineStart; at < end; column += 1) at += (source.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  return { line, column };
}

const EXCERPT_MAX = 120;

/**
 * One issue as people read it: `file:line:column: severity: message [code]`, then, when `source` or an
 * excerpt is given, the line with a caret under the place, then the hint. Control characters of the source are
 * shown as `·`, so that a hostile document cannot drive a terminal.
 */
export function renderIssue(issue: Issue, source?: string): string {
  const where = `${issue.file ?? '<input>'}:${issue.line}:${issue.column}`;
  const lines = [`${where}: ${issue.severity}: ${issue.message} [${issue.code}]`];
  const text = issue.excerpt ?? source?.split('\n')[issue.line - 1];
  if (text !== undefined) {
    const points = [...text.replace(/\r$/, '')];
    const from = Math.max(0, Math.min(issue.column - 1 - EXCERPT_MAX / 2, points.length - EXCERPT_MAX));
    const excerpt = points.slice(from, from + EXCERPT_MAX).join('');
    lines.push(`  | ${excerpt.replaceAll(/\p{Cc}|\p{Cf}/gu, '·')}`);
    lines.push(`  | ${' '.repeat(Math.max(0, issue.column - 1 - from))}^`);
  }
  if (issue.hint !== undefined) lines.push(`  hint: ${issue.hint}`);
  return lines.join('\n');
}
