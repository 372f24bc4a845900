/** `interlock eval EXPR`: one CEL expression over `args`, the way conditions are evaluated. */

import { compile } from '../../expression/compile.ts';
import type { CelType } from '../../expression/type.ts';
import { toCel, toJson, typeName } from '../../expression/value.ts';
import { type Issue, placeAt } from '../../value/issue.ts';
import { parseJson } from '../../value/json.ts';
import { type CommonOptions, requireNamed } from '../configuration.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { showIssues } from '../issues.ts';
import { type Terminal, inertJson, writeLine } from '../terminal.ts';

export interface EvalOptions extends CommonOptions {
  /** JSON, `{}` when absent. */
  readonly args?: string;
}

const DYNAMIC: CelType = { kind: 'dyn' };

export async function evalCommand(terminal: Terminal, source: string, options: EvalOptions): Promise<ExitCode> {
  await requireNamed(terminal, options);
  const refuse = (issue: Issue, file: string, text: string, exit: ExitCode): ExitCode => {
    const { code, message, column } = issue;
    if (options.json) writeLine(terminal.output, inertJson({ error: { code, message, column } }));
    else showIssues(terminal, [issue], file, text);
    return exit;
  };
  const written = options.args ?? '{}';
  const args = parseJson(written);
  if (!args.ok) return refuse(firstOf(args.issues), '--args', written, EXIT.usage);
  const located = (found: { code: string; message: string; offset: number; hint?: string }): Issue => {
    const { code, message, hint } = found;
    const issue = { code, message, severity: 'error', ...placeAt(source, found.offset) } as const;
    return hint === undefined ? issue : { ...issue, hint };
  };
  const compiled = compile(source, new Map([['args', DYNAMIC]]), { expect: 'any' });
  if (!compiled.ok) return refuse(firstOf(compiled.issues.map(located)), '<expression>', source, EXIT.usage);
  const evaluation = compiled.expression.evaluate({ args: toCel(args.value, DYNAMIC) });
  if (!evaluation.ok) return refuse(located(evaluation.error), '<expression>', source, EXIT.wrong);
  const value = toJson(evaluation.value);
  writeLine(terminal.output, inertJson(options.json ? { value, type: typeName(evaluation.value) } : value));
  return EXIT.ok;
}

function firstOf(issues: readonly Issue[]): Issue {
  const [first] = issues;
  return first ?? { code: 'refused', message: 'no reason was given', severity: 'error', line: 1, column: 1 };
}
