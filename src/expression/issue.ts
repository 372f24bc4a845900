/** Problems of an expression found before it is ever evaluated. */

/** One problem with an expression. `offset` counts UTF-16 units of the source. */
export interface ExpressionIssue {
  readonly code: ExpressionIssueCode;
  readonly message: string;
  readonly hint?: string;
  readonly offset: number;
  readonly severity: 'error' | 'warning';
}

/**
 * `expression-syntax` not CEL, or a part of CEL not offered here; `expression-too-deep`, `expression-too-long` beyond
 * the limits; `unknown-name`, `unknown-member`, `unknown-function` no such thing; `type-mismatch` operands that do not
 * go together; `invalid-pattern` a regular expression that is not RE2; `not-boolean` a condition of another type;
 * `optional-unguarded` (warning) an optional member read without `has()`.
 */
export type ExpressionIssueCode =
  | 'expression-syntax'
  | 'expression-too-deep'
  | 'expression-too-long'
  | 'unknown-name'
  | 'unknown-member'
  | 'unknown-function'
  | 'type-mismatch'
  | 'invalid-pattern'
  | 'not-boolean'
  | 'optional-unguarded';

/** Stops the reading of an expression; never leaves this folder, `compile` answers with its issue. */
export class Rejection extends Error {
  override readonly name = 'Rejection';
  readonly issue: ExpressionIssue;
  constructor(issue: ExpressionIssue) {
    super(issue.message);
    this.issue = issue;
  }
}

/** Stops with an error issue. */
export function reject(code: ExpressionIssueCode, offset: number, message: string, hint?: string): never {
  throw new Rejection({ code, message, offset, severity: 'error', ...(hint === undefined ? {} : { hint }) });
}
