/** What compiling works with: a configuration, what is served, and which of its patterns match something of it. */

import type { Issue } from '../value/issue.ts';
import { typing } from './condition/condition.ts';
import type { Typing } from './condition/condition.ts';
import type { Configuration } from './document/configuration.ts';
import type { ToolDeclaration } from './document/declaration.ts';
import { faultLog } from './condition/fault-log.ts';
import type { FaultLog } from './condition/fault-log.ts';
import type { Limit } from './meter/limit.ts';
import { OWN_TOOLS } from './tool/own.ts';
import { indexPatterns } from './tool/pattern-index.ts';
import type { PatternIndex } from './tool/pattern-index.ts';
import type { Rule } from './document/rule.ts';
import type { Served } from './tool/served.ts';

export interface Work {
  readonly configuration: Configuration;
  readonly served: Served;
  readonly types: Typing;
  readonly faults: FaultLog;
  readonly issues: Issue[];
  readonly rules: PatternIndex<readonly [number, Rule]>;
  readonly declarations: PatternIndex<ToolDeclaration>;
  readonly limits: PatternIndex<Limit>;
  /** The patterns that match something served. */
  readonly matched: ReadonlySet<string>;
  /** Servers of which something was written that matches nothing, and what. */
  readonly doubtful: Map<string, string>;
}

/** Shared by all steps of one compilation. */
export function workOn(configuration: Configuration, served: Served): Work {
  const rules = indexPatterns([...configuration.rules.entries()], ([, rule]) => rule.pattern);
  const declarations = indexPatterns(configuration.tools, (declaration) => declaration.pattern);
  const limits = indexPatterns(configuration.limits, (limit) => limit.tools);
  const matched = new Set<string>();
  for (const name of [...served.tools.keys(), ...OWN_TOOLS.map((own) => own.name)]) {
    for (const [, rule] of rules.find(name)) matched.add(rule.pattern.text);
    for (const { pattern } of declarations.find(name)) matched.add(pattern.text);
    for (const { tools } of limits.find(name)) matched.add(tools.text);
  }
  const shared = { configuration, served, rules, declarations, limits, matched };
  return {
    ...shared,
    types: typing(configuration.budgets),
    faults: faultLog(configuration.file),
    issues: [...served.issues],
    doubtful: new Map(),
  };
}
