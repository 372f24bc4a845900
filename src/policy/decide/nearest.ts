/** The smallest change of one argument by which a denied call would be allowed, found by deciding changed calls. */

import { isJsonObject } from '../../value/json.ts';
import type { JsonObject, JsonValue } from '../../value/json.ts';
import { spentOf, budgetKeys } from '../meter/budget.ts';
import { charge } from '../meter/charge.ts';
import type { Code } from './code.ts';
import type { Scalar } from '../condition/comparison.ts';
import type { Decision, Nearest, Request } from './decision.ts';
import type { FactValues } from '../meter/fact.ts';
import { outlook } from './judge.ts';
import { keyOf } from '../tool/key.ts';
import type { Policy, PolicyTool } from '../policy.ts';
import { checkArguments } from '../../schema/schema.ts';
import { around, readsPath, turningPointsOf } from './turning-point.ts';
import type { TurningPoints } from './turning-point.ts';

/** Calls that are decided to find one change. */
const TRIES_MAX = 48;
const TRIES_PER_ARGUMENT = 24;
const CHOICES_MAX = 8;
const TEXT_MAX = 60;
/** Denials that other arguments may turn. */
const TURNABLE: ReadonlySet<Code> = new Set<Code>([
  'no-rule',
  'denied-by-rule',
  'condition-error',
  'budget-exhausted',
  'obligation-failed',
]);

interface Search {
  readonly policy: Policy;
  readonly tool: PolicyTool;
  readonly request: Request;
  readonly facts: FactValues;
  tries: number;
}

/**
 * `decision`, which `decide` made of the same request and facts, with the nearest change that would be allowed, where
 * there is one among the values that the rules name. It is decided before it is offered. Numbers come first, the closest
 * first, then texts and flags, then arguments that are missing. Apart from `decide`, because it takes longer.
 */
export function withNearest(policy: Policy, request: Request, facts: FactValues, decision: Decision): Decision {
  const tool = policy.tools.get(request.tool);
  if (tool === undefined || decision.effect !== 'deny' || !TURNABLE.has(decision.code)) return decision;
  if (tool.invalid !== undefined || tool.rules.allow.length === 0) return decision;
  const nearest = search({ policy, tool, request, facts, tries: TRIES_MAX });
  return nearest === undefined ? decision : { ...decision, nearest };
}

function search(work: Search): Nearest | undefined {
  const points = pointsThatMatter(work);
  const present = points.filter(({ path }) => readPath(work.request.args, path) !== undefined);
  const missing = points.filter((point) => !present.includes(point));
  const [numbers, others] = [present.filter(isNumeric), present.filter((point) => !isNumeric(point))];
  for (const point of numbers) {
    const nearest = bound(work, point);
    if (nearest !== undefined) return nearest;
  }
  for (const point of [...others, ...missing]) {
    const nearest = choice(work, point);
    if (nearest !== undefined) return nearest;
  }
  return undefined;
}

/** The arguments whose change may turn all that stands in the way: every rule that denies must read it. */
function pointsThatMatter({ policy, tool, request, facts }: Search): readonly TurningPoints[] {
  const points = turningPointsOf(tool);
  const { denying } = outlook(policy, tool, request, facts);
  if (denying.length === 0) return points;
  return points.filter(({ path }) =>
    denying.every(([{ condition }]) => condition !== undefined && readsPath(condition.root, path)),
  );
}

function isNumeric({ type }: TurningPoints): boolean {
  return type === 'int' || type === 'double';
}

/** Whether the call with `value` there would be allowed; `unfit` when its schema has no such value. */
function verdict(work: Search, { path }: TurningPoints, value: Scalar): 'allowed' | 'denied' | 'unfit' {
  const { policy, tool, facts } = work;
  work.tries -= 1;
  const args = withValue(work.request.args, path, value);
  if (args === undefined || checkArguments(tool.definition, args).length > 0) return 'unfit';
  const request = { ...work.request, args };
  // Most are denied by rules, which takes a fraction of all gates to tell.
  if (!outlook(policy, tool, request, facts).allowed || !keyOf(policy, request).ok) return 'denied';
  return charge(policy, request, facts).effect === 'allow' ? 'allowed' : 'denied';
}

/** A number that is too large or too small: the closest that is allowed, and how far its side goes. */
function bound(work: Search, point: TurningPoints): Nearest | undefined {
  const current = readPath(work.request.args, point.path);
  if (typeof current !== 'number') return undefined;
  const values = numbersOf(work, point);
  let above = values.findIndex((value) => value > current);
  if (above === -1) above = values.length;
  let below = above - 1;
  if (values[below] === current) below -= 1;
  for (let tries = TRIES_PER_ARGUMENT; tries > 0 && work.tries > 0; tries -= 1) {
    const { [below]: low = Number.NEGATIVE_INFINITY, [above]: high = Number.POSITIVE_INFINITY } = values;
    const value = current - low <= high - current ? low : high;
    if (!Number.isFinite(value)) return undefined;
    if (verdict(work, point, value) === 'allowed') return stretch(work, point, values, value, value < current);
    if (value === low) below -= 1;
    else above += 1;
  }
  return undefined;
}

/** Where the decision may turn: at the literals, and at what is left of the budgets that are charged this argument. */
function numbersOf({ facts, request }: Search, { literals, charged, numbers, type }: TurningPoints): readonly number[] {
  if (charged.length === 0) return numbers;
  const left = charged.map((budget) => budget.limit - spentOf(facts, budgetKeys(budget, request)));
  return around([...literals, ...left], type);
}

/** `value` is allowed: whether everything further away from the current value is, or to where, or only it. */
function stretch(work: Search, point: TurningPoints, values: readonly number[], value: number, down: boolean): Nearest {
  const only = nearestOf(point, '==', value);
  if (!point.only) return only;
  const beyond = values.filter((each) => (down ? each < value : each > value));
  // Past the last turning point nothing turns any more.
  const further = [...(down ? beyond.toReversed() : beyond), down ? -OUTERMOST[point.type] : OUTERMOST[point.type]];
  let last = value;
  for (const each of further) {
    if (work.tries <= 0) return only;
    const said = verdict(work, point, each);
    if (said === 'unfit') continue;
    if (said === 'denied') return last === value ? only : nearestOf(point, down ? '<=' : '>=', value, last);
    last = each;
  }
  return nearestOf(point, down ? '<=' : '>=', value);
}

const OUTERMOST: Readonly<Record<TurningPoints['type'], number>> = {
  int: Number.MAX_SAFE_INTEGER,
  double: 1e300,
  string: 0,
  bool: 0,
  other: 0,
};

/** Another value, or one where there is none: all those that the rules name and that are allowed. */
function choice(work: Search, point: TurningPoints): Nearest | undefined {
  const current = readPath(work.request.args, point.path);
  const named: readonly Scalar[] = point.type === 'bool' ? [true, false] : point.literals;
  const allowed: Scalar[] = [];
  for (const value of named.slice(0, TRIES_PER_ARGUMENT)) {
    if (work.tries <= 0 || allowed.length >= CHOICES_MAX) break;
    if (value !== current && verdict(work, point, value) === 'allowed') allowed.push(value);
  }
  const [first] = allowed;
  if (first === undefined) return undefined;
  return allowed.length === 1 ? nearestOf(point, '==', first) : nearestOf(point, 'in', allowed);
}

function nearestOf(
  { path }: TurningPoints,
  op: Nearest['op'],
  value: Scalar | readonly Scalar[],
  until?: number,
): Nearest {
  const name = path.join('.');
  const pointer = path.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  const range = {
    '<=': `≤ ${told(value)}`,
    '>=': `≥ ${told(value)}`,
    '==': `= ${told(value)}`,
    in: `in ${told(value)}`,
  };
  const between =
    op === '<=' ? `from ${told(until ?? 0)} to ${told(value)}` : `from ${told(value)} to ${told(until ?? 0)}`;
  const text = `\`${name}\` ${until === undefined ? range[op] : between} would be allowed`;
  return { path: pointer, op, value, ...(until === undefined ? {} : { until }), text };
}

function told(value: Scalar | readonly Scalar[]): string {
  if (typeof value === 'object') return `[${value.map(told).join(', ')}]`;
  const text = JSON.stringify(value);
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text;
}

function readPath(args: JsonObject, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = args;
  for (const name of path) {
    if (!isJsonObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

/** A copy of `args` with `value` at `path`; nothing where something else than an object is on the way. */
function withValue(
  args: JsonObject,
  [name, ...rest]: readonly [string, ...string[]],
  value: Scalar,
): JsonObject | undefined {
  const [next, ...others] = rest;
  let member: JsonValue | undefined = value;
  if (next !== undefined) {
    const inner = Object.hasOwn(args, name) ? args[name] : {};
    member = isJsonObject(inner) ? withValue(inner, [next, ...others], value) : undefined;
  }
  return member === undefined || name === '__proto__' ? undefined : { ...args, [name]: member };
}
