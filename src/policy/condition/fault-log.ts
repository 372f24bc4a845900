/** Problems of expressions as issues of the file; one mistake that shows on many tools is told once. */

import type { ExpressionIssue } from '../../expression/compile.ts';
import type { Issue } from '../../value/issue.ts';
import { locate } from '../../document/source.ts';
import type { Located } from '../../document/source.ts';

/** Tools named in one message; the rest is counted. */
const TOOLS_SHOWN = 3;

/** A problem of an expression: of the language, or of what the expression is for. */
export type Problem = Omit<ExpressionIssue, 'code'> & { readonly code: string };

interface Fault {
  readonly text: Located;
  readonly issue: Problem;
  readonly severity: Issue['severity'];
  readonly what: string;
  readonly tools: string[];
}

/** Gathers problems by place and message. */
export interface FaultLog {
  /** Notes that `issue` of the expression `text` shows; on `tool`, when it does not show on all. */
  add(what: string, text: Located, issue: Problem, tool?: string): void;
  issues(): readonly Issue[];
}

export function faultLog(file: string): FaultLog {
  const faults = new Map<string, Fault>();
  return {
    add(what, text, issue, tool) {
      const key = `${what} ${issue.offset} ${issue.code} ${issue.message}`;
      const fault = faults.get(key) ?? { text, issue, severity: issue.severity, what, tools: [] };
      faults.set(key, fault);
      if (tool !== undefined) fault.tools.push(tool);
    },
    issues: () => [...faults.values()].map((fault) => issueOf(fault, file)),
  };
}

function issueOf({ text, issue, severity, what, tools }: Fault, file: string): Issue {
  const on = tools.length === 0 ? '' : ` for ${someOf(tools)}`;
  const { line, column } = locate(text, issue.offset);
  const located = { code: issue.code, severity, message: `${what}: ${issue.message}${on}`, file, line, column };
  return issue.hint === undefined ? located : { ...located, hint: issue.hint };
}

/** A list for a message: the first few, and how many more. */
export function someOf(names: readonly string[]): string {
  const listed = names.slice(0, TOOLS_SHOWN).map((name) => `\`${name}\``);
  const rest = names.length - listed.length;
  return rest > 0 ? `${listed.join(', ')} and ${rest} more` : listed.join(', ');
}
