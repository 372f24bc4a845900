/** `interlock explain`: one decision and what every rule and clause said of the call, with nothing recorded. */

import { explain } from '../../policy/decide/decide.ts';
import { loadConfiguration } from '../configuration.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { showIssues, toldIssues } from '../issues.ts';
import {
  type CallOptions,
  EXIT_OF,
  circumstances,
  readRequest,
  showDecision,
  toldDecision,
  withoutPolicy,
} from '../proposed-call.ts';
import { ruleLines } from '../rule-result.ts';
import { typePolicy } from '../schemas.ts';
import { type Terminal, inertJson, writeLine } from '../terminal.ts';

export async function explainCommand(terminal: Terminal, options: CallOptions): Promise<ExitCode> {
  const request = await readRequest(terminal, options);
  const loaded = await loadConfiguration(terminal, options);
  const { policy: typed, issues } = await typePolicy(terminal, loaded, options);
  const found = issues.length === 0 ? {} : { issues: toldIssues(issues, loaded.shown) };
  if (typed === undefined) {
    const decision = withoutPolicy(issues, loaded.shown);
    if (options.json) writeLine(terminal.output, inertJson({ decision: toldDecision(decision), rules: [], ...found }));
    else {
      showIssues(terminal, issues, loaded.shown, loaded.source);
      showDecision(terminal, decision);
    }
    return EXIT.usage;
  }
  const { policy, facts } = await circumstances(terminal, options, typed, request);
  const { decision, rules } = explain(policy, request, facts);
  if (options.json) {
    const said = rules.map((rule) => ({ ...rule, clauses: rule.clauses.map((clause) => ({ ...clause })) }));
    writeLine(terminal.output, inertJson({ decision: toldDecision(decision), rules: said, ...found }));
  } else {
    showDecision(terminal, decision);
    for (const rule of rules) writeLine(terminal.output, `\n${ruleLines(terminal, rule).join('\n')}`);
    if (rules.length === 0) writeLine(terminal.output, '\nno rule speaks of this tool');
  }
  return EXIT_OF[decision.effect];
}
