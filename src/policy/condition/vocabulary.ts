/** The names conditions may use, their types, and their values for one request. */

import type { Bindings } from '../../expression/compile.ts';
import type { CelType, ObjectType, Vocabulary } from '../../expression/type.ts';
import { timestampOf, toCel } from '../../expression/value.ts';
import type { CelValue } from '../../expression/value.ts';
import { budgetType, budgetValue } from '../meter/budget-reading.ts';
import type { Budget } from '../meter/budget.ts';
import type { Request, ToolEffect } from '../decide/decision.ts';
import type { FactValues } from '../meter/fact.ts';
import type { Policy, PolicyTool } from '../policy.ts';

const STRING: CelType = { kind: 'string' };
const INT: CelType = { kind: 'int' };
const STRINGS: CelType = { kind: 'list', item: STRING };

function record(fields: Readonly<Record<string, CelType>>): ObjectType {
  const entries = Object.entries(fields).map(([name, type]) => [name, { type, required: true }] as const);
  return { kind: 'object', fields: new Map(entries) };
}

const TOOL = record({ name: STRING, server: STRING, effect: STRING, labels: STRINGS });
const PRINCIPAL = record({ id: STRING, roles: STRINGS, labels: STRINGS, chain: STRINGS });
const CALL = record({ id: STRING, attempt: INT, key: STRING });
const RUN = record({ id: STRING, program: STRING, step: STRING, depth: INT, labels: STRINGS });

/** What is known of a call whatever its arguments are: tool and principal. */
export const STANDING: Vocabulary = new Map<string, CelType>([
  ['tool', TOOL],
  ['principal', PRINCIPAL],
]);

/** What is known of a tool whoever calls it. */
export const TOOL_ONLY: Vocabulary = new Map<string, CelType>([['tool', TOOL]]);

/** Everything but the arguments: a condition over these is the same for every tool. */
export const WITHOUT_ARGS: Vocabulary = new Map<string, CelType>([
  ...STANDING,
  ['call', CALL],
  ['run', RUN],
  ['now', { kind: 'timestamp' }],
]);

/** `vocabulary` with more names. */
export function withNames(vocabulary: Vocabulary, names: Readonly<Record<string, CelType>>): Vocabulary {
  return new Map<string, CelType>([...vocabulary, ...Object.entries(names)]);
}

/** `vocabulary` with `budget`, where there are budgets to read. */
export function withBudgets(vocabulary: Vocabulary, budgets: ReadonlyMap<string, Budget>): Vocabulary {
  return budgets.size === 0 ? vocabulary : withNames(vocabulary, { budget: budgetType(budgets.values()) });
}

/** What a condition sees of a tool. */
export function toolValue(tool: {
  readonly name: string;
  readonly server: string;
  readonly effect: ToolEffect;
  readonly labels: readonly string[];
}): CelValue {
  const { name, server, effect, labels } = tool;
  return toCel({ name, server, effect, labels }, TOOL);
}

/** The values of `STANDING`. A principal that is not declared has no roles and no labels. */
export function standingOf(policy: Policy, tool: PolicyTool, principal: string): Bindings {
  const declared = policy.configuration.principals?.get(principal);
  const value = { id: principal, roles: declared?.roles ?? [], labels: declared?.labels ?? [], chain: [] };
  return { tool: tool.value, principal: toCel(value, PRINCIPAL) };
}

/**
 * The values of all names for `request`; `budget` only where the tool's conditions read it and `facts` tell what was
 * spent. Time comes from the request, never from the machine.
 */
export function bindingsOf(policy: Policy, tool: PolicyTool, request: Request, facts?: FactValues): Bindings {
  const { id, attempt, key } = request.call;
  const { program = '', step = '' } = request.run;
  const run = { id: request.run.id, program, step, depth: request.run.depth, labels: [] };
  const standing = standingOf(policy, tool, request.principal);
  const bindings = {
    tool: tool.value,
    principal: standing['principal'] ?? null,
    args: toCel(request.args, tool.argsType),
    call: toCel({ id, attempt, key }, CALL),
    run: toCel(run, RUN),
    now: timestampOf(request.now),
  };
  if (facts === undefined || tool.budgetsRead.length === 0) return bindings;
  return { ...bindings, budget: budgetValue(tool.budgetsRead, request, facts) };
}
