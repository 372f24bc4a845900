/** `interlock eval EXPR`: one CEL expression over `args`, the way conditions are evaluated. */

import { compile } from '../../expression/compile.ts';
import type { CelType } from '../../expression/type.ts';
import { toCel, toJson, typeName } from '../../expression/value.ts';
import { placeAt, renderIssue } from '../../value/issue.ts';
import { parseJson } from '../../value/json.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { type Terminal, writeLine } from '../terminal.ts';

const DYNAMIC: CelType = { kind: 'dyn' };

export function evalCommand(
  terminal: Terminal,
  source: string,
  options: { readonly json: boolean; readonly args?: string },
): ExitCode {
  const args = parseJson(options.args ?? '{}');
  if (!args.ok) {
    for (const issue of args.issues) writeLine(terminal.errors, renderIssue({ file: '--args', ...issue }, options.args));
    return EXIT.usage;
  }
  const refuse = (code: string, message: string, offset: number, exit: ExitCode, hint?: string): ExitCode => {
    const { line, column } = placeAt(source, offset);
    if (options.json) writeLine(terminal.output, JSON.stringify({ error: { code, message, column } }));
    else {
      const issue = { code, message, line, column, severity: 'error', file: '<expression>' } as const;
      writeLine(terminal.errors, renderIssue(hint === undefined ? issue : { ...issue, hint }, source));
    }
    return exit;
  };
  const compiled = compile(source, new Map([['args', DYNAMIC]]), { expect: 'any' });
  if (!compiled.ok) {
    const [first] = compiled.issues;
    return refuse(first?.code ?? 'syntax', first?.message ?? 'not an expression', first?.offset ?? 0, EXIT.usage, first?.hint);
  }
  const evaluation = compiled.expression.evaluate({ args: toCel(args.value, DYNAMIC) });
  if (!evaluation.ok) {
    const { code, message, offset } = evaluation.error;
    return refuse(code, message, offset, EXIT.wrong);
  }
  const value = toJson(evaluation.value);
  writeLine(terminal.output, JSON.stringify(options.json ? { value, type: typeName(evaluation.value) } : value));
  return EXIT.ok;
}
