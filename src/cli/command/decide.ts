/** `interlock decide`: one decision by the policy, with nothing recorded and nothing done. */

import { decide, withNearest } from '../../policy/decide/decide.ts';
import type { Decision } from '../../policy/decide/decision.ts';
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
import { typePolicy } from '../schemas.ts';
import { type Terminal, inertJson, writeLine } from '../terminal.ts';

export async function decideCommand(terminal: Terminal, options: CallOptions): Promise<ExitCode> {
  const request = await readRequest(terminal, options);
  const loaded = await loadConfiguration(terminal, options);
  const { policy: typed, issues } = await typePolicy(terminal, loaded, options);
  const tell = (decision: Decision): void => {
    if (options.json) {
      const found = issues.length === 0 ? {} : { issues: toldIssues(issues, loaded.shown) };
      writeLine(terminal.output, inertJson({ ...toldDecision(decision), ...found }));
    } else showDecision(terminal, decision);
  };
  if (typed === undefined) {
    if (!options.json) showIssues(terminal, issues, loaded.shown, loaded.source);
    tell(withoutPolicy(issues, loaded.shown));
    return EXIT.usage;
  }
  const { policy, facts } = await circumstances(terminal, options, typed, request);
  const decision = withNearest(policy, request, facts, decide(policy, request, facts));
  tell(decision);
  return EXIT_OF[decision.effect];
}
